"""An organization's labels, and which of them a conversation has."""

import uuid
from collections.abc import Collection, Iterable

from django.db import IntegrityError, transaction

from accounts.people import Acting
from accounts.roles import Permission
from conversations import live
from conversations.models import Colour, Conversation, Label, Labelling
from iva.audit import log as audit
from iva.audit.events import Event
from iva.crypto import blind_index, bulk

LONGEST_NAME = 40
MOST = 50
"""Labels an organization can have: more than anybody can choose from."""


class NameTaken(Exception):
    """The organization has a label of this name."""


class TooManyLabels(Exception):
    """The organization has as many labels as it can have."""


class NoSuchLabel(LookupError):
    """The organization has no label of that id."""


def labels() -> list[Label]:
    """The organization's labels by name, opened."""
    found = list(Label.objects.all()[:MOST])
    bulk.reveal(found, "name")
    return sorted(found, key=lambda label: label.name.casefold())


def get(label_id: uuid.UUID) -> Label:
    """One label. Raises NoSuchLabel."""
    label = Label.objects.filter(pk=label_id).first()
    if label is None:
        raise NoSuchLabel
    return label


def make(name: str, colour: Colour, *, by: Acting) -> Label:
    """A new label. Raises NotPermitted, NameTaken and TooManyLabels."""
    by.require(Permission.CONVERSATIONS_ASSIGN)
    if Label.objects.count() >= MOST:
        raise TooManyLabels
    label = _keep(Label(colour=colour), name)
    audit.record(Event.LABEL_MADE, actor=by.actor, label=label.pk)
    return label


def change(label: Label, name: str, colour: Colour, *, by: Acting) -> None:
    """Another name or colour. Raises NotPermitted and NameTaken."""
    by.require(Permission.CONVERSATIONS_ASSIGN)
    label.colour = colour
    _keep(label, name)
    audit.record(Event.LABEL_CHANGED, actor=by.actor, label=label.pk)


def remove(label: Label, *, by: Acting) -> None:
    """Take a label off every conversation and away. Raises NotPermitted."""
    by.require(Permission.CONVERSATIONS_ASSIGN)
    Labelling.objects.filter(label=label).delete()
    Label.objects.filter(pk=label.pk).delete()
    audit.record(Event.LABEL_REMOVED, actor=by.actor, label=label.pk)


def put(conversation: Conversation, label_ids: Collection[uuid.UUID], *, by: Acting) -> None:
    """Give a conversation exactly these labels; its row is locked. Raises NoSuchLabel."""
    wanted = set(label_ids)
    if Label.objects.filter(pk__in=wanted).count() != len(wanted):
        raise NoSuchLabel
    had = set(Labelling.objects.filter(conversation=conversation).values_list("label_id", flat=True))
    if wanted == had:
        return
    Labelling.objects.filter(conversation=conversation, label_id__in=had - wanted).delete()
    Labelling.objects.bulk_create(
        Labelling(conversation=conversation, label_id=label_id) for label_id in sorted(wanted - had)
    )
    audit.record(
        Event.CONVERSATION_LABELLED, actor=by.actor, conversation=conversation.pk, labels=sorted(wanted)
    )
    live.announce(conversation.pk)


def of(
    conversation_ids: Iterable[uuid.UUID], among: Iterable[Label] | None = None
) -> dict[uuid.UUID, list[Label]]:
    """The labels of many conversations, opened, each list by name.

    `among` are all labels there are, where the caller has opened them already.
    """
    known = {label.pk: label for label in (labels() if among is None else among)}
    order = {label_id: place for place, label_id in enumerate(known)}
    found: dict[uuid.UUID, list[Label]] = {}
    pairs = Labelling.objects.filter(conversation_id__in=list(conversation_ids))
    for conversation_id, label_id in pairs.values_list("conversation_id", "label_id"):
        if label_id in known:
            found.setdefault(conversation_id, []).append(known[label_id])
    for having in found.values():
        having.sort(key=lambda label: order[label.pk])
    return found


def _keep(label: Label, name: str) -> Label:
    label.name = name
    label.name_bidx = blind_index.token("label.name", name.casefold())
    try:
        with transaction.atomic():
            label.save()
    except IntegrityError:
        raise NameTaken from None
    return label
