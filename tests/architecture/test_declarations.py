"""Every model says what personal data it holds, every door what it needs, and a purpose opens what it was
declared for and nothing else (P2, P3, P16, P32). Whoever forgets is told by a check, not by an incident.
"""

import io
import json
import types
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.apps.registry import Apps
from django.core.management import call_command
from django.db import models
from django.test.utils import isolate_apps
from django.urls import path
from django.utils import timezone
from rest_framework.views import APIView

from accounts import (
    allow_list,
    factors,
    household,
    invitations,
    letters,
    people,
    sign_ins,
    tokens,
    usage,
)
from accounts.models import (
    AddressChange,
    Authenticator,
    LegalDocument,
    Letter,
    LetterKind,
    Passkey,
    Person,
    SignIn,
)
from accounts.people import Profile
from accounts.roles import Role
from accounts.scopes import Scope
from conversations import drafts, labelling, writing
from conversations.models import Colour, Conversation
from iva import checks, personal_data, tenancy
from iva.audit.actors import SYSTEM
from iva.crypto import bulk
from iva.crypto.fields import EncryptedField, EncryptedTextField
from iva.crypto.keys import PurposeNotDeclared
from iva.personal_data import Category, PersonalData, Protection, Purpose, Retention, Subject
from tests.agreements import documents
from tests.cast import Party

OURS = [model for model in apps.get_models() if personal_data.ours(model)]
SEALED = [field for model in OURS for field in model._meta.local_fields if isinstance(field, EncryptedField)]
ENTRY = {"title": "Карт", "question": "Картаа гээсэн бол?", "alternatives": ["карт"], "answer": "Залга."}
UNHEARD_OF = ["improve.usability", "service", "SERVICE.OPERATE", ""]


def declared(**changes: Any) -> PersonalData:
    return PersonalData(
        **{
            "subject": Subject.NONE,
            "category": Category.METADATA,
            "purpose": Purpose.SERVICE_OPERATE,
            "retention": Retention.UNTIL_DONE,
        }
        | changes
    )


@pytest.fixture
def isolated(monkeypatch: pytest.MonkeyPatch) -> Iterator[Apps]:
    """Models that are defined meanwhile are all the models there are."""
    with isolate_apps("conversations") as registry:
        monkeypatch.setattr(checks, "apps", registry)
        yield registry


def complaints() -> dict[str, str]:
    found = checks.every_model_declares_its_personal_data(None)
    return {complaint.id or "": complaint.msg for complaint in found}


def test_every_model_of_ours_declares_its_personal_data() -> None:
    assert len(OURS) >= 12
    assert complaints() == {}


def test_every_door_declares_its_scope_and_its_purpose() -> None:
    assert checks.every_route_declares_its_scope(None) == []
    purposes = {getattr(view, "purpose", tenancy.SERVICE_OPERATE) for _, view in checks.api_views()}
    assert purposes <= set(Purpose)


class TestAModelThatForgets:
    def test_to_declare_anything(self, isolated: Apps) -> None:
        class Forgotten(models.Model):
            class Meta:
                app_label = "conversations"

        assert complaints() == {"iva.E001": "the model does not say what personal data it holds"}

    def test_that_a_declaration_is_not_inherited(self, isolated: Apps) -> None:
        class Parent(models.Model):
            personal_data = None

            class Meta:
                app_label = "conversations"
                abstract = True

        class Child(Parent):
            class Meta:
                app_label = "conversations"

        assert complaints().keys() == {"iva.E001"}

    def test_to_declare_an_encrypted_field(self, isolated: Apps) -> None:
        class Note(models.Model):
            personal_data = declared()
            owner_id = models.UUIDField()
            body = EncryptedTextField(subject="owner_id")

            class Meta:
                app_label = "conversations"

        assert complaints() == {"iva.E002": "declared as encrypted: set(), encrypted: {'body'}"}

    def test_to_encrypt_a_declared_field(self, isolated: Apps) -> None:
        class Note(models.Model):
            personal_data = declared(fields={"body": Protection.ENCRYPTED})
            body = models.TextField()

            class Meta:
                app_label = "conversations"

        assert complaints() == {"iva.E002": "declared as encrypted: {'body'}, encrypted: set()"}

    def test_a_field_it_declared(self, isolated: Apps) -> None:
        class Note(models.Model):
            personal_data = declared(fields={"email": Protection.PLAIN})

            class Meta:
                app_label = "conversations"

        assert complaints() == {"iva.E002": "declared but not there: {'email'}"}

    def test_that_rows_are_reached_through_the_tenant_manager(self, isolated: Apps) -> None:
        class Note(tenancy.TenantModel):
            personal_data = None

            class Meta:
                app_label = "conversations"

        assert complaints() == {"iva.E005": "Meta must inherit from TenantModel.Meta"}


class TestADoorThatForgets:
    @pytest.fixture
    def opened(self, settings: Any) -> Any:
        """Make a view the only door of the house, and hear what the check says."""

        def complaints_about(view: type[APIView]) -> list[str]:
            gate = types.ModuleType("gate")
            gate.urlpatterns = [path("door/", view.as_view())]  # type: ignore[attr-defined]
            settings.ROOT_URLCONF = gate
            return [complaint.msg for complaint in checks.every_route_declares_its_scope(None)]

        return complaints_about

    def test_to_declare_any_scope(self, opened: Any) -> None:
        class Door(APIView):
            def get(self, request: Any) -> None: ...

            def post(self, request: Any) -> None: ...

        assert opened(Door) == ["/door/ answers GET without a scope", "/door/ answers POST without a scope"]

    def test_one_of_its_methods(self, opened: Any) -> None:
        class Door(APIView):
            scopes = {"GET": Scope.AUDIT_READ}

            def get(self, request: Any) -> None: ...

            def delete(self, request: Any) -> None: ...

        assert opened(Door) == ["/door/ answers DELETE without a scope"]

    def test_which_scopes_there_are(self, opened: Any) -> None:
        class Door(APIView):
            scopes = {"GET": "everything"}

            def get(self, request: Any) -> None: ...

        assert opened(Door) == ["/door/ answers GET without a scope"]


def test_the_inventory_can_be_printed_for_people_and_for_machines() -> None:
    lines, paragraphs = io.StringIO(), io.StringIO()
    call_command("personal_data", "--json", stdout=lines)
    call_command("personal_data", stdout=paragraphs)
    listed = {entry["model"]: entry for entry in map(json.loads, lines.getvalue().splitlines())}

    holding = {model._meta.label: vars(model)["personal_data"] for model in OURS}
    assert listed.keys() == {label for label, declaration in holding.items() if declaration is not None}
    for label, entry in listed.items():
        declaration = holding[label]
        assert entry["fields"] == declaration.fields
        assert entry["purposes"] == [declaration.purpose, *declaration.further_purposes]
        assert (entry["subject"], entry["erasure"]) == (declaration.subject, declaration.erasure)
        assert (entry["retention"], entry["sensitive"]) == (declaration.retention, declaration.sensitive)
        assert label in paragraphs.getvalue()
        assert all(name in paragraphs.getvalue() for name in declaration.fields)


AT_HOME = (Person, SignIn, Authenticator, AddressChange, Passkey, Letter)


@pytest.fixture
def sealed(acme: Party, first: LegalDocument) -> Party:
    """Acme with a value in every encrypted field there is."""
    acme.says("Сайн уу", name="Бат", phone="99112233", email="bat@example.com")
    assert acme.call("POST", "knowledge/", ENTRY).status == 201
    user_id = people.meet("saraa@example.com", "correct horse battery staple")
    with acme.tenant("account.manage"):
        profile = Profile("Сараа", "saraa@example.com", "Менежер", "99112233")
        people.join(user_id, Role.OWNER, profile, actor=SYSTEM)
        saraa = people.enter(user_id, acme.id, timezone.now())
        invitations.invite("bat@example.com", Role.AUDITOR, by=saraa)
        usage.note(saraa.membership_id, "home", ip_address="203.0.113.9", browser="Firefox")
        allow_list.replace(allow_list.parse("127.0.0.1"), by=saraa, address="127.0.0.1")
    with acme.tenant():
        conversation = Conversation.objects.get()
        labelling.make("Бат", Colour.RED, by=saraa)
        writing.note(conversation, "Бат уурлажээ", by=saraa)
        drafts.keep(conversation, saraa.membership_id, "Уучлаарай", is_note=False)
    with household.at_home():
        factors.enroll(user_id)
        factors.renew_recovery_codes(user_id)
        AddressChange.objects.create(  # type: ignore[misc]
            person_id=user_id,
            email="saraa.new@example.com",
            former_email="saraa@example.com",
            secret_hash=bytes(32),
            expires_at=timezone.now(),
        )
        letters.write(LetterKind.RESET_PASSWORD, user_id)
        Letter.objects.update(secret_hash=tokens.kept(tokens.new_secret()))
        Passkey.objects.create(  # type: ignore[misc]
            person_id=user_id,
            credential_hash=tokens.kept(b"id"),
            credential="aWQ",
            public_key="a2V5",
            name="Утас",
        )
    sign_ins.begin(user_id, browser="Firefox", from_address="203.0.113.9", proved_at=None)
    documents.accept(acme, documents.BAT)
    documents.told(acme, documents.published("2.0.0", documents.SIGNIFICANT), documents.BAT)
    return acme


def opens(party: Party, field: EncryptedField, purpose: str) -> bool:
    """Whether a transaction of this purpose can read the field, one by one and in bulk."""
    with household.at_home(purpose) if field.model in AT_HOME else party.tenant(purpose):
        newest = field.model.objects.order_by("-pk")[:1]
        one, another = newest[0], newest.all()[0]
        try:
            bulk.reveal([another], field.name)
        except PurposeNotDeclared:
            with pytest.raises(PurposeNotDeclared):
                getattr(one, field.name)
            return False
        return getattr(one, field.name) == getattr(another, field.name) is not None


@pytest.mark.parametrize("field", SEALED, ids=str)
def test_a_purpose_opens_what_was_declared_for_it_and_nothing_else(
    sealed: Party, field: EncryptedField
) -> None:
    declaration: PersonalData = vars(field.model)["personal_data"]
    opening = {purpose for purpose in [*Purpose, *UNHEARD_OF] if opens(sealed, field, purpose)}
    assert opening == {declaration.purpose, *declaration.further_purposes}


def test_joining_a_transaction_does_not_widen_its_purpose(sealed: Party) -> None:
    (body,) = [field for field in SEALED if str(field) == "conversations.Message.body"]
    with sealed.tenant(Purpose.SUPPORT_TECHNICAL):
        assert not opens(sealed, body, Purpose.SERVICE_OPERATE)


@pytest.mark.parametrize("model", [model for model in OURS if vars(model)["personal_data"]], ids=str)
def test_a_column_is_protected_as_its_model_says(
    sealed: Party, superuser: psycopg.Connection, model: type[models.Model]
) -> None:
    for name, protection in vars(model)["personal_data"].fields.items():
        column = model._meta.get_field(name).column
        statement = f'SELECT "{column}" FROM "{model._meta.db_table}" WHERE "{column}" IS NOT NULL'
        values = [value for (value,) in superuser.execute(statement.encode()).fetchall()]
        if protection is Protection.ENCRYPTED:
            assert values
            assert {value[:1] for value in values} == {b"\xfe"}
        elif protection is Protection.BLIND_INDEX:
            assert {len(value) for value in values} == {16}
        elif protection is Protection.HASHED and model._meta.label != "accounts.User":
            assert {len(value) for value in values} == {32}
