"""A credential opens what it was issued for, for as long as it is valid, and nothing else does."""

import base64
import string
import uuid
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.utils import timezone

from accounts import api_keys, organizations
from accounts.models import ApiKey, Organization
from accounts.scopes import EVERY_SCOPE, Scope
from iva.audit.actors import SYSTEM
from tests.cast import Party
from tests.faults import counting
from tests.faults.together import together

ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"


@pytest.fixture(autouse=True)
def nothing_is_remembered(settings: Any) -> None:
    """Every recognition looks the key up; what is remembered between processes is tested elsewhere."""
    settings.IVA_API_KEY_CACHE_SECONDS = 0


def parts(token: str) -> tuple[bytes, bytes, bytes]:
    """Organization id, key id and secret."""
    packed = base64.urlsafe_b64decode(token.removeprefix(api_keys.PREFIX) + "==")
    return packed[:16], packed[16:32], packed[32:]


def token_of(*some: bytes) -> str:
    return api_keys.PREFIX + base64.urlsafe_b64encode(b"".join(some)).rstrip(b"=").decode()


def is_recognized(token: str) -> bool:
    try:
        api_keys.recognize(token)
    except api_keys.InvalidApiKey:
        return False
    return True


def key_of(party: Party) -> ApiKey:
    with party.tenant("account.authenticate"):
        return ApiKey.objects.get(pk=party.key.pk)


def change(party: Party, **values: object) -> None:
    with party.tenant():
        ApiKey.objects.filter(pk=party.key.pk).update(**values)


def test_a_key_speaks_for_its_organization_with_its_scopes(acme: Party) -> None:
    with acme.tenant():
        key, token = api_keys.issue("narrow", {Scope.MESSAGES_WRITE}, actor=SYSTEM)
    principal = api_keys.recognize(token)
    assert principal == (acme.id, key.pk, {"messages:write"}, True)
    assert str(principal.actor) == f"api_key:{key.pk}"


def test_the_secret_is_kept_nowhere(acme: Party, superuser: psycopg.Connection) -> None:
    secret = parts(acme.token)[2]
    assert acme.call("GET", "organization/").status == 200
    forms = (
        secret.hex(),
        base64.b64encode(secret).decode(),
        base64.urlsafe_b64encode(secret).decode(),
        acme.token,
    )
    tables = superuser.execute(
        "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
        " WHERE nspname = 'public' AND relkind IN ('r', 'p') AND NOT relispartition"
    ).fetchall()
    for (table,) in tables:
        for (row,) in superuser.execute(f'SELECT t::text FROM "{table}" t'.encode()).fetchall():
            assert not [form for form in forms if form in row], table


def test_a_scope_that_does_not_exist_is_not_issued(acme: Party, superuser: psycopg.Connection) -> None:
    before = counting.count(superuser, "accounts_apikey")
    with pytest.raises(api_keys.UnknownScope), acme.tenant():
        api_keys.issue("too much", {Scope.MESSAGES_WRITE, "everything:always"}, actor=SYSTEM)  # type: ignore[arg-type]
    assert counting.count(superuser, "accounts_apikey") == before
    assert counting.events(superuser, acme.id)["api_key.issued"] == 1


def test_a_key_ends_when_it_expires(acme: Party) -> None:
    now = timezone.now()
    with acme.tenant():
        _, later = api_keys.issue("later", EVERY_SCOPE, actor=SYSTEM, expires_at=now + timedelta(hours=1))
        _, over = api_keys.issue("over", EVERY_SCOPE, actor=SYSTEM, expires_at=now)
    assert is_recognized(later)
    assert not is_recognized(over)
    refused = acme.call("GET", "organization/", token=over)
    assert (refused.status, refused.code) == (401, "invalid_api_key")


def test_a_revoked_key_ends_and_the_others_do_not(acme: Party, superuser: psycopg.Connection) -> None:
    with acme.tenant():
        _, other = api_keys.issue("other", EVERY_SCOPE, actor=SYSTEM)
        api_keys.revoke(acme.key, actor=SYSTEM)
    assert not is_recognized(acme.token)
    assert is_recognized(other)
    revoked_at = key_of(acme).revoked_at
    with acme.tenant():
        api_keys.revoke(acme.key, actor=SYSTEM)
    assert key_of(acme).revoked_at == revoked_at, "the first revocation counts"
    assert counting.events(superuser, acme.id)["api_key.revoked"] == 1


def test_the_keys_of_a_suspended_organization_open_nothing_until_it_is_reinstated(
    acme: Party, globex: Party
) -> None:
    organizations.suspend(acme.organization, SYSTEM)
    assert not is_recognized(acme.token)
    assert is_recognized(globex.token)
    organizations.reinstate(acme.organization, SYSTEM)
    assert is_recognized(acme.token)


def test_the_keys_of_an_organization_whose_contract_has_ended_open_nothing(acme: Party) -> None:
    Organization.objects.filter(pk=acme.id).update(contract_ended_at=timezone.now())
    assert not is_recognized(acme.token)


def test_every_flipped_character_closes_the_door(acme: Party) -> None:
    head, body = api_keys.PREFIX, acme.token.removeprefix(api_keys.PREFIX)
    accepted = []
    for place, letter in enumerate(body):
        other = ALPHABET[ALPHABET.index(letter) ^ 1]
        if is_recognized(head + body[:place] + other + body[place + 1 :]):
            accepted.append(place)
    assert accepted == []


def test_every_truncated_or_lengthened_token_is_refused(acme: Party) -> None:
    token = acme.token
    wrong = [token[:length] for length in range(len(token))]
    wrong += [token[start:] for start in range(1, 8)]
    wrong += [token + extra for extra in ("A", "=", "==", " ", "\n", "\x00")]
    assert [each for each in wrong if is_recognized(each)] == []


def test_no_part_of_one_token_opens_with_the_rest_of_another(acme: Party, globex: Party) -> None:
    ours, theirs = parts(acme.token), parts(globex.token)
    spliced = [
        token_of(*(pair[choice >> place & 1] for place, pair in enumerate(zip(ours, theirs, strict=True))))
        for choice in range(8)
    ]
    assert [is_recognized(token) for token in spliced] == [True, *[False] * 6, True]
    assert api_keys.recognize(spliced[0]).organization_id == acme.id


@pytest.mark.parametrize(
    "blank", [bytes(16), uuid.uuid4().bytes], ids=["nobody's id", "an id that nobody has"]
)
def test_unknown_ids_are_refused(acme: Party, blank: bytes) -> None:
    organization, key, secret = parts(acme.token)
    assert not is_recognized(token_of(blank, key, secret))
    assert not is_recognized(token_of(organization, blank, secret))
    assert not is_recognized(token_of(organization, key, bytes(32)))
    assert not is_recognized(token_of(organization, blank, bytes(32)))


NO_BEARER_TOKENS = {
    "no token": "Bearer",
    "an empty token": "Bearer ",
    "a password": "Basic dXNlcjpwYXNz",
    "no scheme": "{token}",
    "another scheme": "Token {token}",
    "two tokens": "Bearer {token}, Bearer {token}",
    "Cyrillic letters": "Bearer iva_" + "\u0430" * 86,
    "other letters": "Bearer iva_" + "%" * 86,
    "a long text": "Bearer " + "A" * 5_000,
}


@pytest.mark.parametrize("header", NO_BEARER_TOKENS.values(), ids=NO_BEARER_TOKENS)
def test_a_header_that_is_no_bearer_token_is_refused(acme: Party, header: str) -> None:
    refused = acme.call("GET", "organization/", Authorization=header.format(token=acme.token))
    assert (refused.status, refused.code) == (401, "invalid_api_key")


def test_the_scheme_may_be_written_in_any_case(acme: Party) -> None:
    """RFC 9110, 11.1."""
    for scheme in ("bearer", "BEARER"):
        assert acme.call("GET", "organization/", Authorization=f"{scheme} {acme.token}").status == 200
    refused = acme.call("POST", "messages/", {}, Authorization=f"bearer {acme.token}")
    assert refused.status == 422, "it is let in, and then its body is looked at"


def test_the_last_use_is_noted_at_most_once_a_minute(acme: Party) -> None:
    assert key_of(acme).last_used_at is None
    assert is_recognized(acme.token)
    first = key_of(acme).last_used_at
    assert first is not None
    assert is_recognized(acme.token)
    assert key_of(acme).last_used_at == first
    change(acme, last_used_at=first - api_keys.LAST_USED_EVERY - timedelta(seconds=1))
    assert is_recognized(acme.token)
    noted = key_of(acme).last_used_at
    assert noted is not None
    assert noted >= first


def test_a_refused_token_is_not_a_use(acme: Party) -> None:
    organization, key, _ = parts(acme.token)
    assert not is_recognized(token_of(organization, key, bytes(32)))
    assert key_of(acme).last_used_at is None


def test_sixteen_first_uses_at_once_are_all_recognized(acme: Party) -> None:
    assert together([lambda: is_recognized(acme.token)] * 16) == [True] * 16


def test_only_so_many_recognitions_are_remembered(
    acme: Party, settings: Any, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    settings.IVA_API_KEY_CACHE_SECONDS = 60
    monkeypatch.setattr(api_keys, "MOST_CACHED", 3)
    with acme.tenant():
        tokens = [api_keys.issue(f"key {n}", EVERY_SCOPE, actor=SYSTEM)[1] for n in range(4)]
    for token in tokens:
        assert is_recognized(token)
    with django_assert_num_queries(0):
        assert all(is_recognized(token) for token in tokens[1:])
    change(acme, last_used_at=None)
    with acme.tenant():
        ApiKey.objects.update(revoked_at=timezone.now())
    assert not is_recognized(tokens[0]), "the oldest was let go, and is looked up again"
