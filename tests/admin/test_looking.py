"""What operators see: metadata of the organization they picked, and nothing that could be changed there."""

import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import models
from django.test import Client

from accounts.models import User
from conversations import tasks
from iva import tenancy
from iva.local import Servers
from iva.outbox import draining
from tests import cast
from tests.admin.conftest import PASSWORD, Life, live, pick
from tests.admin.pages import Page, crawl, read
from tests.architecture import canary
from tests.cast import Party
from tests.conftest import empty

REGISTERED: list[type[models.Model]] = sorted(admin.site._registry, key=lambda model: str(model._meta.label))
BEHIND = [model for model in REGISTERED if issubclass(model, tenancy.TenantModel)]
NEEDLES = [form for word in canary.PLANTED for form in {word, word.lower(), word.upper()}]
OURS_TO_POST = ("/admin/logout/", "/admin/pick/", "/suspension/")
ON_THE_PLATFORM = ("/admin/accounts/organization/", "/admin/iva_outbox/promise/")
RUBBISH = ["\x00", "Өгөгдөл'%\\", "99999999999999999999"]
PARAMETERS = ["q", "o", "p", "e", "all", "_popup", "_to_field", "pk__in", "id__gt", "nothing", "__"]
PARAMETERS += ["body", "body_encrypted__gt", "secret_hash__gt", "end_user__name", "organization_id"]


def address_of(model: type[models.Model], *rest: object) -> str:
    return "/".join(["/admin", model._meta.app_label, str(model._meta.model_name), *map(str, rest), ""])


def rows_of(superuser: psycopg.Connection, party: Party) -> dict[str, list[str]]:
    """Ids of an organization's rows by model, read past the wall."""
    found = {}
    for model in BEHIND:
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
        acme, globex = cast.found("Acme"), cast.found("Globex")
        for party in (acme, globex):
            live(party, lambda: draining.drain(tasks.FULFIL))
        client, operator = Client(), User.objects.create_operator("operator@iva.example", PASSWORD)
        client.force_login(operator)
        pick(client, acme)
        pages = crawl(client)
        of_acme, of_globex = (rows_of(superuser, party) for party in (acme, globex))
        secrets = [*hidden(superuser), acme.token, operator.password, PASSWORD]
    empty(servers)
    yield Crawled(pages, "\n".join(page.text for page in pages.values()), of_acme, of_globex, secrets)


def test_every_page_can_be_reached_and_shows_rows_of_acme(crawled: Crawled) -> None:
    assert {page.status for page in crawled.pages.values()} <= {200, 302}
    for model in BEHIND:
        assert address_of(model) in crawled.pages
        assert [id_ for id_ in crawled.acmes[model._meta.label] if id_ not in crawled.said] == []


def test_nothing_sealed_planted_or_secret_is_shown_on_any_page(crawled: Crawled) -> None:
    assert [needle for needle in NEEDLES if needle in crawled.said] == []
    assert [value for value in crawled.hidden if value in crawled.said] == []


def test_no_page_shows_a_row_of_globex(crawled: Crawled) -> None:
    for model in BEHIND:
        assert crawled.globexes[model._meta.label] or model._meta.label == "retention.LegalHold"
        for address, page in crawled.pages.items():
            if not address.startswith(ON_THE_PLATFORM):
                found = [id_ for id_ in crawled.globexes[model._meta.label] if id_ in page.text]
                assert found == [], address


def test_no_page_needs_what_our_policy_refuses(crawled: Crawled) -> None:
    for page in crawled.pages.values():
        policy = page.response.headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy and "unsafe" not in policy
        assert page.refused == [], page.address
        hosts = [urlsplit(source).netloc for source in page.loads]
        assert not any(hosts), page.address


def test_no_page_offers_to_change_anything_but_what_operators_may(crawled: Crawled) -> None:
    offered = {target for page in crawled.pages.values() for target in page.posts_to}
    assert [target for target in offered if not any(mine in target for mine in OURS_TO_POST)] == []
    leading = {link for page in crawled.pages.values() for link in page.links}
    assert not [link for link in leading if "/add/" in link or link.endswith("/delete/")]


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_nothing_can_be_added_changed_or_deleted(
    acmes: Life,
    looking_at_acme: Client,
    superuser: psycopg.Connection,
    model: type[models.Model],
) -> None:
    def table() -> list[Any]:
        return superuser.execute(f'SELECT t::text FROM "{model._meta.db_table}" t ORDER BY 1').fetchall()

    before = table()
    key = superuser.execute(
        f'SELECT "{model._meta.pk.column}"::text FROM "{model._meta.db_table}"'
    ).fetchone()
    object_id = key[0] if key else uuid.uuid4()
    selected = {"action": "delete_selected", "_selected_action": [str(object_id)], "post": "yes"}
    attempts = {
        "add": looking_at_acme.get(address_of(model, "add")),
        "adding": looking_at_acme.post(address_of(model, "add"), {"name": "planted", "slug": "planted"}),
        "changing": looking_at_acme.post(address_of(model, object_id, "change"), {"name": "planted"}),
        "delete": looking_at_acme.get(address_of(model, object_id, "delete")),
        "deleting": looking_at_acme.post(address_of(model, object_id, "delete"), {"post": "yes"}),
        "the action": looking_at_acme.post(address_of(model), selected),
    }
    answered = {name: response.status_code for name, response in attempts.items()}
    assert answered == dict.fromkeys(attempts, 403) | {"the action": 200}
    assert table() == before
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize("model", BEHIND, ids=lambda model: model.__name__)
def test_a_guessed_address_of_globex_looks_like_one_of_nothing(
    globexes: Life,
    globex: Party,
    looking_at_acme: Client,
    superuser: psycopg.Connection,
    model: type[models.Model],
) -> None:
    for id_ in rows_of(superuser, globex)[model._meta.label][:3]:
        nothing = str(uuid.uuid4())
        for view in ("change", "history", "delete"):
            theirs = looking_at_acme.get(address_of(model, id_, view))
            nobodys = looking_at_acme.get(address_of(model, nothing, view))
            assert theirs.status_code == nobodys.status_code in (302, 403, 404), view
            assert theirs.headers.get("Location") == nobodys.headers.get("Location"), view
        assert f"{id_}/change/" not in read(looking_at_acme, address_of(model), id=id_).text


def test_picking_the_other_one_changes_what_is_seen(
    looking_at_acme: Client, acme: Party, globex: Party, acmes: Life, globexes: Life
) -> None:
    address = "/admin/conversations/conversation/"
    assert str(acmes.conversation) in read(looking_at_acme, address).text
    pick(looking_at_acme, globex)
    text = read(looking_at_acme, address).text
    assert str(globexes.conversation) in text
    assert str(acmes.conversation) not in text


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_rubbish_in_a_query_harms_nothing(
    acmes: Life, looking_at_acme: Client, model: type[models.Model]
) -> None:
    shown = [str(name) for name in admin.site._registry[model].list_display]
    compared = [f"{name}{how}" for name in shown for how in ("", "__lt", "__regex")]
    for parameter in [*PARAMETERS, *compared]:
        for value in RUBBISH:
            response = looking_at_acme.get(address_of(model), {parameter: value})
            assert response.status_code < 500, (parameter, value)
    for id_ in ("", "nothing", "%00", "_5F", "99999999999999999999", "'", "🙂"):
        for view in ("change", "history", "delete", "nothing"):
            assert looking_at_acme.get(address_of(model, id_, view)).status_code < 500, (id_, view)


def test_the_small_views_of_the_admin_do_not_look_behind_the_wall(
    looking_at_acme: Client, acmes: Life, globexes: Life, superuser: psycopg.Connection
) -> None:
    kinds = superuser.execute("SELECT id FROM django_content_type").fetchall()
    for (kind,) in kinds:
        for id_ in (globexes.conversation, acmes.conversation, "nothing"):
            assert looking_at_acme.get(f"/admin/r/{kind}/{id_}/").status_code == 404
    for field in ("channel", "end_user", "conversation", "nothing"):
        query = {"app_label": "conversations", "model_name": "conversation", "field_name": field, "term": "a"}
        assert looking_at_acme.get("/admin/autocomplete/", query).status_code in (403, 404)
    for app in ("conversations", "privacy", "accounts", "nothing"):
        assert looking_at_acme.get(f"/admin/{app}/").status_code in (200, 404)
