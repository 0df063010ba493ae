"""What operators see: metadata of the organization they picked, and nothing that could be changed there."""

import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
import pytest
from django.contrib import admin
from django.db import models
from django.db.models import TextChoices
from django.test import Client

from accounts import operators, people, trail_words
from accounts.models import Kind, Notice, Significance
from accounts.models.documents import Failure, Method
from accounts.people import Profile
from accounts.roles import Role
from billing.models import Meter
from channels_cfg.models import ChannelKind
from conversations import tasks
from conversations.models import Author, Resolution
from iva import rounds, tenancy
from iva.audit.actors import SYSTEM
from iva.local import Servers
from iva.operators import labels
from iva.operators.lists import MOST, BehindTheWall, ReadOnly, between
from iva.outbox import draining
from iva.outbox.models import Work
from privacy.grounds import Ground
from tests import cast
from tests.admin.conftest import PASSWORD, Life, at_desk, live, pick, told
from tests.admin.pages import Page, crawl, read
from tests.agreements import documents
from tests.architecture import canary
from tests.cast import Party
from tests.conftest import empty

REGISTERED: list[type[models.Model]] = sorted(admin.site._registry, key=lambda model: str(model._meta.label))
WALLED = [model for model in REGISTERED if isinstance(admin.site._registry[model], BehindTheWall)]
BEHIND = [model for model in WALLED if issubclass(model, tenancy.TenantModel)]
NEEDLES = [form for word in canary.PLANTED for form in {word, word.lower(), word.upper()}]
OURS_TO_POST = ("/sign-out/", "/leave/", "/pick/", "/suspension/", "/draft/", "/approval/", "/publication/")
OURS_TO_POST += ("/discarding/",)
ON_THE_PLATFORM = ("/admin/accounts/organization/", "/admin/iva_outbox/promise/")
RUBBISH = ["\x00", "Өгөгдөл'%\\", "99999999999999999999"]
SOUGHT = ["-1", "0" * 32, "f" * 32, "operator:", "operator:\x00", "a" * 10_000, "%", "'", "‮"]
PARAMETERS = ["q", "o", "p", "e", "all", "_popup", "_to_field", "pk__in", "id__gt", "nothing", "__"]
PARAMETERS += ["body", "body_encrypted__gt", "secret_hash__gt", "end_user__name", "organization_id", "since"]
NEVER_HAD = ("retention.LegalHold",)


def address_of(model: type[models.Model], *rest: object) -> str:
    return "/".join(["/admin", model._meta.app_label, str(model._meta.model_name), *map(str, rest), ""])


def rows_of(superuser: psycopg.Connection, party: Party) -> dict[str, list[str]]:
    """Ids of an organization's rows by model, read past the wall."""
    found = {}
    for model in WALLED:
        statement = f'SELECT id::text FROM "{model._meta.db_table}" WHERE organization_id = %s'
        rows = superuser.execute(statement.encode(), [party.id]).fetchall()
        found[model._meta.label] = [row for (row,) in rows]
    return found


def hidden(superuser: psycopg.Connection) -> list[str]:
    """The values of all binary columns, in the ways in which a page could show them."""
    columns = superuser.execute(
        "SELECT relname, attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid"
        " JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE nspname = 'public' AND atttypid = 'bytea'::regtype AND relkind = 'r'"
    ).fetchall()
    values = []
    for table, column in columns:
        rows = superuser.execute(f'SELECT "{column}" FROM "{table}" WHERE "{column}" <> \'\''.encode())
        values += [value for (value,) in rows.fetchall()]
    return [shown for value in values for shown in (value.hex(), repr(value)[2:-1])]


def furnished(name: str, document: Any) -> Party:
    """An organization with a member, acceptances, a letter, a conversation and an erasure."""
    party = cast.found(name)
    user_id = people.meet(f"{name.lower()}-{canary.EMAIL}", PASSWORD)
    with party.tenant("account.manage"):
        profile = Profile(canary.NAME, f"{name.lower()}-{canary.EMAIL}", canary.TITLE, "9911 2233")
        people.join(user_id, Role.OWNER, profile, actor=SYSTEM, is_responsible=True)
    documents.accepted(party.id, user_id)
    told(party, user_id, document)
    live(party, lambda: draining.drain(tasks.FULFIL))
    return party


class Crawled(NamedTuple):
    """Every page an operator can reach who has picked Acme, and what was true meanwhile."""

    pages: dict[str, Page]
    said: str
    acmes: dict[str, list[str]]
    globexes: dict[str, list[str]]
    hidden: list[str]


@pytest.fixture(scope="module")
def crawled(django_db_blocker: Any, servers: Servers, superuser: psycopg.Connection) -> Iterator[Crawled]:
    with django_db_blocker.unblock():
        document = documents.published("1.0.0")
        acme, globex = furnished("Acme", document), furnished("Globex", document)
        client = at_desk(operators.appoint(f"operator-{canary.EMAIL}", PASSWORD, locale="en"))
        pick(client, acme)
        of_acme, of_globex = (rows_of(superuser, party) for party in (acme, globex))
        pages = crawl(client)
        secrets = [*hidden(superuser), acme.token, PASSWORD]
    empty(servers)
    yield Crawled(pages, "\n".join(page.text for page in pages.values()), of_acme, of_globex, secrets)


def test_every_page_can_be_reached_and_shows_rows_of_acme(crawled: Crawled) -> None:
    assert {page.status for page in crawled.pages.values()} == {200}
    for model in WALLED:
        assert address_of(model) in crawled.pages
        assert crawled.acmes[model._meta.label] or model._meta.label in NEVER_HAD
        known = crawled.acmes[model._meta.label]
        assert [id_ for id_ in known if address_of(model, id_) not in crawled.pages] == [], model


def test_nothing_sealed_planted_or_secret_is_shown_on_any_page(crawled: Crawled) -> None:
    assert [needle for needle in NEEDLES if needle in crawled.said] == []
    assert [value for value in crawled.hidden if value in crawled.said] == []


def test_no_page_shows_a_row_of_globex(crawled: Crawled) -> None:
    for model in WALLED:
        assert crawled.globexes[model._meta.label] or model._meta.label in NEVER_HAD
        for address, page in crawled.pages.items():
            if not address.startswith(ON_THE_PLATFORM):
                found = [id_ for id_ in crawled.globexes[model._meta.label] if id_ in page.text]
                assert found == [], address


def test_no_page_needs_what_our_policy_refuses(crawled: Crawled) -> None:
    for page in crawled.pages.values():
        policy = page.response.headers["Content-Security-Policy"]
        assert "script-src 'nonce-" in policy and "style-src 'self';" in policy and "unsafe" not in policy
        assert page.refused == [], page.address
        hosts = [urlsplit(source).netloc for source in page.loads]
        assert not any(hosts), page.address


def test_no_two_elements_of_a_page_have_the_same_id(crawled: Crawled) -> None:
    for page in crawled.pages.values():
        assert len(page.ids) == len(set(page.ids)), page.address


def test_every_page_names_the_zone_of_its_times(crawled: Crawled) -> None:
    for page in crawled.pages.values():
        assert "<time" not in page.text or "Asia/Ulaanbaatar (UTC+08:00)" in page.text, page.address


def test_no_page_offers_to_change_anything_but_what_operators_may(crawled: Crawled) -> None:
    offered = {target for page in crawled.pages.values() for target in page.posts_to}
    assert [target for target in offered if not target.partition("?")[0].endswith(OURS_TO_POST)] == []


@pytest.mark.parametrize("model", WALLED, ids=lambda model: model.__name__)
def test_a_guessed_address_of_globex_looks_like_one_of_nothing(
    globexes: Life,
    globex: Party,
    looking_at_acme: Client,
    superuser: psycopg.Connection,
    model: type[models.Model],
) -> None:
    for id_ in rows_of(superuser, globex)[model._meta.label][:3]:
        assert looking_at_acme.get(address_of(model, id_)).status_code == 404
        assert address_of(model, id_) not in read(looking_at_acme, address_of(model), q=id_).text


@pytest.mark.parametrize("model", WALLED, ids=lambda model: model.__name__)
def test_rows_are_found_by_their_id_and_by_how_it_begins(
    acmes: Life,
    acme: Party,
    looking_at_acme: Client,
    superuser: psycopg.Connection,
    model: type[models.Model],
) -> None:
    for id_ in rows_of(superuser, acme)[model._meta.label][:2]:
        for sought in (id_, id_.upper(), id_.replace("-", ""), id_[:13], f" {id_} "):
            assert address_of(model, id_) in read(looking_at_acme, address_of(model), q=sought).text, sought
    nothing = read(looking_at_acme, address_of(model), q=str(uuid.uuid4()))
    assert "Nothing fits" in nothing.text


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("01a2", "01a20000-0000-0000-0000-000000000000", "01a2ffff-ffff-ffff-ffff-ffffffffffff"),
        ("01A20558-33", "01a20558-3300-0000-0000-000000000000", "01a20558-33ff-ffff-ffff-ffffffffffff"),
    ],
)
def test_the_beginning_of_an_id_means_all_that_begin_so(text: str, first: str, last: str) -> None:
    assert between(text) == (uuid.UUID(first), uuid.UUID(last))


@pytest.mark.parametrize("text", ["", "01a", "бат", "0" * 33, "g1a2", "-", "٠١٢٣٤"])
def test_what_begins_no_id_finds_none(text: str) -> None:
    assert between(text) is None


def test_filters_narrow_and_each_choice_is_answered(acmes: Life, looking_at_acme: Client) -> None:
    for model in REGISTERED:
        shown = admin.site._registry[model]
        assert isinstance(shown, ReadOnly)
        for filter_ in shown.list_filter:
            spec: Any = filter_
            codes = [*getattr(spec, "asked", {}), *getattr(spec, "days", {})]
            assert codes
            for code in codes:
                page = read(looking_at_acme, address_of(model), **{spec.parameter_name: code})
                assert page.status == 200, (model, code)
                assert f'value="{code}" selected' in page.text
    messages = "/admin/conversations/message/"
    assert str(acmes.message) in read(looking_at_acme, messages, author="end_user", outcome="").text
    assert str(acmes.message) not in read(looking_at_acme, messages, author="agent").text


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_rubbish_in_a_query_harms_nothing(
    acmes: Life, looking_at_acme: Client, model: type[models.Model]
) -> None:
    fields = [field.name for field in model._meta.local_fields]
    compared = [f"{name}{how}" for name in fields for how in ("", "__lt", "__regex")]
    for parameter in [*PARAMETERS, *compared]:
        for value in RUBBISH:
            response = looking_at_acme.get(address_of(model), {parameter: value})
            assert response.status_code < 500, (parameter, value)
    for term in SOUGHT:
        assert looking_at_acme.get(address_of(model), {"q": term}).status_code == 200, term
    for id_ in ("nothing", "%00", "_5F", "99999999999999999999", "'", "🙂"):
        assert looking_at_acme.get(address_of(model, id_)).status_code == 404, id_


def test_a_hidden_column_cannot_be_asked_for(acmes: Life, looking_at_acme: Client) -> None:
    for parameter in ("body_encrypted__gt", "external_bidx__isnull", "id", "end_user__erased_at__isnull"):
        assert looking_at_acme.get("/admin/conversations/message/", {parameter: "1"}).status_code == 400


def test_a_list_leafs_through_its_pages(acme: Party, saraa: Any, looking_at_acme: Client) -> None:
    with acme.tenant("account.manage"):
        Notice.objects.bulk_create(
            Notice(  # type: ignore[misc]
                document_id=uuid.uuid4(), user_id=saraa.user_id, locale="mn", email="x", message_id="<1@iva>"
            )
            for _ in range(120)
        )
    seen: list[str] = []
    for number in (1, 2, 3):
        page = read(looking_at_acme, "/admin/accounts/notice/", p=number)
        seen += {link for link in page.links if link.startswith("/admin/accounts/notice/0")}
        assert (f"?p={number + 1}" in page.links) is (number < 3)
    assert (len(seen), len(set(seen))) == (120, 120)
    assert "120 rows" in page.text


def test_counting_stops_where_leafing_does(
    looking_at_acme: Client, acmes: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iva.operators.lists.MOST", 3)
    assert MOST == 10_000
    assert "More than 3" in read(looking_at_acme, "/admin/iva_audit/auditevent/").text


def test_every_task_and_every_page_has_a_name() -> None:
    pages = {model._meta.label_lower for model in REGISTERED}
    assert trail_words.PAGE_NAMES.keys() == pages | {"overview"}
    assert labels.TASKS.keys() == set(rounds.expected())


@pytest.mark.parametrize(
    ("names", "codes"),
    [
        (labels.WORK, Work),
        (labels.GROUNDS, Ground),
        (labels.FAILURES, Failure),
        (labels.METHODS, Method),
        (labels.METERS, Meter),
        (labels.CHANNELS, ChannelKind),
        (labels.RESOLUTIONS, Resolution),
        (labels.AUTHORS, Author),
        (labels.KINDS, Kind),
        (labels.SIGNIFICANCES, Significance),
    ],
)
def test_every_code_of_a_list_has_a_name(names: labels.Labels, codes: type[TextChoices]) -> None:
    assert names.keys() == {code.value for code in codes}


def test_the_trail_is_found_by_actor_and_by_what_it_is_about(
    acmes: Life, acme: Party, operator: Any, looking_at_acme: Client
) -> None:
    address = "/admin/iva_audit/auditevent/"
    for sought in (f"operator:{operator.pk}", str(operator.pk)):
        assert "An operator began to look at the organization" in rows(
            read(looking_at_acme, address, q=sought)
        )
    about = rows(read(looking_at_acme, address, q=str(acmes.erasure)))
    assert "End User erased" in about and "Organization founded" not in about


def rows(page: Page) -> str:
    """The body of the page's table."""
    return page.text.partition("<tbody>")[2].partition("</tbody>")[0]
