"""Liveness, readiness and metrics: what is wrong is named, and nothing more is said about it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from iva.local.folder import free_port
from tests.cast import Party

TOKEN = "a token for those who measure"
UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}")
LABELS = re.compile(r'(\w+)="([^"]*)"')


def ready() -> tuple[int, dict[str, Any]]:
    response = Client(raise_request_exception=False).get("/readyz")
    return response.status_code, response.json()


@pytest.fixture
def broker_is_down(settings: Any) -> None:
    settings.REDIS_URL = f"redis://:{TOKEN}@127.0.0.1:{free_port()}/0"


@pytest.fixture
def keyring_is_damaged(settings: Any, tmp_path: Path) -> None:
    keyring = tmp_path / "keyring"
    keyring.write_text(TOKEN)
    keyring.chmod(0o600)
    settings.IVA_KEYRING_PATH = str(keyring)


@pytest.fixture
def keyring_is_exposed(settings: Any, tmp_path: Path) -> None:
    keyring = tmp_path / "keyring"
    keyring.write_bytes(Path(settings.IVA_KEYRING_PATH).read_bytes())
    keyring.chmod(0o644)
    settings.IVA_KEYRING_PATH = str(keyring)


def test_when_all_is_well_it_is_ready(acme: Party) -> None:
    assert ready() == (200, {"status": "ready", "faults": []})


def test_a_dead_database_is_named(db: None, database_is_down: None) -> None:
    status, body = ready()
    assert (status, body["status"]) == (503, "not_ready")
    assert {"database"} <= set(body["faults"]) <= {"database", "erasures"}


def test_a_dead_broker_is_named(acme: Party, broker_is_down: None) -> None:
    assert ready() == (503, {"status": "not_ready", "faults": ["broker"]})


def test_a_damaged_keyring_is_named(acme: Party, keyring_is_damaged: None) -> None:
    assert ready() == (503, {"status": "not_ready", "faults": ["key_service"]})


def test_a_keyring_that_others_can_read_is_named(acme: Party, keyring_is_exposed: None) -> None:
    assert ready() == (503, {"status": "not_ready", "faults": ["key_service"]})


@pytest.mark.parametrize("name", ["no-such-service", "local"])
def test_a_key_service_that_does_not_exist_is_named(acme: Party, settings: Any, name: str) -> None:
    settings.IVA_KEY_SERVICE = name
    settings.IVA_KEYRING_PATH = ""
    assert ready() == (503, {"status": "not_ready", "faults": ["key_service"]})


def test_everything_at_once_is_named_without_a_detail(
    acme: Party,
    database_is_down: None,
    broker_is_down: None,
    keyring_is_damaged: None,
    capfd: pytest.CaptureFixture[str],
) -> None:
    response = Client(raise_request_exception=False).get("/readyz")
    assert response.status_code == 503
    assert {"database", "broker", "key_service"} <= set(response.json()["faults"])
    assert response.json().keys() == {"status", "faults"}
    told = response.content.decode() + str(response.headers) + capfd.readouterr().err
    for detail in ("127.0.0.1", "refused", TOKEN, "keyring", connection.settings_dict["PASSWORD"], "Error"):
        assert detail not in told.replace("key_service", "")


def test_readiness_returns_with_what_was_missing(acme: Party, settings: Any) -> None:
    known, settings.REDIS_URL = settings.REDIS_URL, f"redis://127.0.0.1:{free_port()}/0"
    assert ready()[0] == 503
    settings.REDIS_URL = known
    assert ready()[0] == 200


def test_being_alive_depends_on_nothing(
    acme: Party, database_is_down: None, broker_is_down: None, keyring_is_damaged: None
) -> None:
    response = Client().get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "alive"})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_may_ask_for_the_head_only_and_change_nothing(acme: Party, path: str) -> None:
    assert Client().head(path).status_code == 200
    for method in ("post", "put", "patch", "delete"):
        assert getattr(Client(), method)(path).status_code == 405


def measured(authorization: str = f"Bearer {TOKEN}") -> Any:
    headers = {"Authorization": authorization} if authorization else {}
    return Client(raise_request_exception=False).get("/metrics", headers=headers)


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", TOKEN, f"Bearer {TOKEN}x", f"bearer {TOKEN}", "Bearer Ө\xff"]
)
def test_without_the_token_there_are_no_metrics(acme: Party, settings: Any, authorization: str) -> None:
    settings.IVA_METRICS_TOKEN = TOKEN
    response = measured(authorization)
    assert response.status_code == 404
    assert "iva_" not in response.content.decode()


@pytest.mark.parametrize("authorization", ["", "Bearer ", f"Bearer {TOKEN}"])
def test_where_no_token_is_set_nobody_knows_it(acme: Party, settings: Any, authorization: str) -> None:
    settings.IVA_METRICS_TOKEN = ""
    assert measured(authorization).status_code == 404


def test_metrics_count_routes_and_states_and_never_ids_or_content(
    acme: Party, settings: Any, work_is_done: Callable[[], object]
) -> None:
    settings.IVA_METRICS_TOKEN = TOKEN
    receipt = acme.says("Хөвчлөрөндий", name="zhverqolupta", phone="89043717").body
    work_is_done()
    acme.call("GET", f"conversations/{receipt['conversation_id']}/messages/")
    acme.call("GET", "zhverqolupta/89043717/")
    acme.call("GET", f"end-users/{receipt['end_user_id']}/?phone=89043717")
    text = measured().content.decode()
    assert 'iva_messages_total{author="end_user"}' in text
    assert "iva_outbox_waiting 0.0" in text
    assert not UUID.search(text)
    for word in ("Хөвчлөрөндий", "zhverqolupta", "89043717", "Acme"):
        assert word not in text
    labels = {name for name, _ in LABELS.findall(text)}
    assert labels <= {"method", "route", "status", "author", "outcome", "le", "implementation", "version"} | {
        "major",
        "minor",
        "patchlevel",
        "generation",
    }


def test_nobody_can_make_the_metrics_grow(acme: Party, settings: Any) -> None:
    settings.IVA_METRICS_TOKEN = TOKEN
    client = Client(raise_request_exception=False)
    client.generic("BREW", "/nothing/")
    measured()
    before = measured().content.decode().count("\n")
    for number in range(20):
        client.generic(f"BREW{number}", f"/nothing/{number}/")
        client.generic("GET", f"/nothing/{number}/")
    client.get("/nothing/")
    grown = measured().content.decode().count("\n") - before
    assert grown <= 3


def test_metrics_are_there_when_the_database_is_not(db: None, settings: Any, database_is_down: None) -> None:
    """That is when somebody looks at them."""
    settings.IVA_METRICS_TOKEN = TOKEN
    response = measured()
    assert response.status_code == 200
    assert "iva_requests_total" in response.content.decode()
