"""An organization says from where it is used: its dashboard and its API, whatever headers claim."""

import ipaddress
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts import allow_list
from accounts.allow_list import NetworkInvalid, TooManyNetworks, WouldLockOut
from accounts.people import Acting
from accounts.roles import NotPermitted, Role
from iva.audit.models import AuditEvent
from tests.cast import Party
from tests.conftest import AtDesk, Hire

OFFICE, HOME = "203.0.113.9", "198.51.100.7"


def allow(party: Party, by: Acting, *networks: str, at: str = OFFICE) -> None:
    with party.tenant("account.manage"):
        allow_list.replace(allow_list.parse("\n".join(networks)), by=by, address=at)


def posts(party: Party, at: str, **environ: Any) -> int:
    body = {"external_id": f"from {at}", "sender": {"phone": "99112233"}, "text": "Сайн уу"}
    return (
        Client()
        .post(
            "/api/v1/messages/",
            body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {party.token}"},
            REMOTE_ADDR=at,
            **environ,
        )
        .status_code
    )


def reads(party: Party, at: str, **environ: Any) -> int:
    headers = {"Authorization": f"Bearer {party.token}"}
    return Client().get("/api/v1/channels/", headers=headers, REMOTE_ADDR=at, **environ).status_code


def refusals(party: Party) -> list[tuple[str, str]]:
    with party.tenant():
        return sorted(AuditEvent.objects.filter(event="address.refused").values_list("actor", "ids"))


def test_without_a_list_it_is_used_from_everywhere(acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
    assert at_desk(saraa).get("/overview/", REMOTE_ADDR=HOME).status_code == 200
    assert (posts(acme, HOME), reads(acme, HOME)) == (201, 200)


def test_a_list_closes_dashboard_and_api_elsewhere(acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
    allow(acme, saraa, "203.0.113.0/24")
    browser = at_desk(saraa)
    assert browser.get("/overview/", REMOTE_ADDR=OFFICE).status_code == 200
    assert (posts(acme, OFFICE), reads(acme, OFFICE)) == (201, 200)
    assert browser.get("/overview/", REMOTE_ADDR=HOME).status_code == 403
    assert (posts(acme, HOME), reads(acme, HOME)) == (403, 403)


def test_the_api_says_why(acme: Party, saraa: Acting) -> None:
    allow(acme, saraa, OFFICE)
    answer = acme.call("GET", "channels/")
    assert (answer.status, answer.code) == (403, "address_not_allowed")


def test_another_organization_is_not_concerned(
    acme: Party, globex: Party, saraa: Acting, dorj: Acting, at_desk: AtDesk
) -> None:
    allow(acme, saraa, OFFICE)
    assert at_desk(dorj).get("/overview/", REMOTE_ADDR=HOME).status_code == 200
    assert posts(globex, HOME) == 201


def test_a_forged_forwarding_header_opens_nothing(acme: Party, saraa: Acting, at_desk: AtDesk) -> None:
    allow(acme, saraa, OFFICE)
    forged = {"HTTP_X_FORWARDED_FOR": OFFICE, "HTTP_X_REAL_IP": OFFICE, "HTTP_FORWARDED": f"for={OFFICE}"}
    assert (posts(acme, HOME, **forged), reads(acme, HOME, **forged)) == (403, 403)
    assert at_desk(saraa).get("/overview/", REMOTE_ADDR=HOME, **forged).status_code == 403


def test_behind_a_trusted_proxy_the_last_hop_counts(acme: Party, saraa: Acting, settings: Any) -> None:
    settings.IVA_TRUSTED_PROXIES = ["10.0.0.0/8"]
    allow(acme, saraa, OFFICE)
    assert reads(acme, "10.0.0.1", HTTP_X_FORWARDED_FOR=OFFICE) == 200
    assert reads(acme, "10.0.0.1", HTTP_X_FORWARDED_FOR=f"{OFFICE}, {HOME}") == 403


def test_of_ipv6_a_single_address_may_be_meant(acme: Party, saraa: Acting) -> None:
    allow(acme, saraa, "2001:db8::1", "::1", at="2001:db8::1")
    assert (reads(acme, "2001:db8::1"), reads(acme, "2001:db8::2")) == (200, 403)


def test_ipv4_written_as_ipv6_is_what_it_is(acme: Party, saraa: Acting) -> None:
    allow(acme, saraa, OFFICE)
    assert (reads(acme, f"::ffff:{OFFICE}"), reads(acme, f"::ffff:{HOME}")) == (200, 403)


def test_a_list_that_would_lock_out_who_saves_it_is_refused(acme: Party, saraa: Acting) -> None:
    with pytest.raises(WouldLockOut):
        allow(acme, saraa, "198.51.100.0/24", at=OFFICE)
    with acme.tenant("account.manage"):
        assert allow_list.read() == []
    assert reads(acme, HOME) == 200


def test_an_empty_list_opens_everything_again_at_once(acme: Party, saraa: Acting) -> None:
    allow(acme, saraa, OFFICE)
    assert reads(acme, HOME) == 403
    allow(acme, saraa)
    assert reads(acme, HOME) == 200


def test_a_change_that_is_rolled_back_changes_nothing(acme: Party, saraa: Acting) -> None:
    with pytest.raises(ZeroDivisionError), acme.tenant("account.manage"):
        allow_list.replace(allow_list.parse(OFFICE), by=saraa, address=OFFICE)
        raise ZeroDivisionError
    assert reads(acme, HOME) == 200


def test_a_refusal_is_written_once_for_each_address_and_door(
    acme: Party, saraa: Acting, at_desk: AtDesk
) -> None:
    allow(acme, saraa, OFFICE)
    browser = at_desk(saraa)
    for _ in range(3):
        posts(acme, HOME)
        reads(acme, HOME)
        browser.get("/overview/", REMOTE_ADDR=HOME)
    reads(acme, "198.51.100.8")
    key = f"api_key:{acme.key.pk}"
    assert refusals(acme) == [
        (key, '{"door":"api"}'),
        (key, '{"door":"api"}'),
        (str(saraa.actor), '{"door":"dashboard"}'),
    ]


def test_only_those_who_manage_security_set_it(acme: Party, hire: Hire) -> None:
    with pytest.raises(NotPermitted):
        allow(acme, hire(acme, "Bat", Role.SUPERVISOR), OFFICE)


class TestWhatIsWritten:
    @pytest.mark.parametrize(
        "text",
        ["10.0.0.0/33", "300.1.1.1", "2001:db8::/129", "office", "1", "10.0.0.0/-1", "::ffff:"],
    )
    def test_is_a_network_or_refused(self, text: str) -> None:
        with pytest.raises(NetworkInvalid):
            allow_list.parse(text)

    def test_with_host_bits_is_probably_a_slip(self) -> None:
        with pytest.raises(NetworkInvalid) as refused:
            allow_list.parse("203.0.113.9/24")
        assert refused.value.meant == "203.0.113.0/24"

    def test_may_be_parted_as_one_likes_and_repeated(self) -> None:
        found = allow_list.parse(" 10.0.0.0/8, 10.0.0.0/8\n\n2001:DB8::/32;203.0.113.9 ")
        assert list(map(str, found)) == ["10.0.0.0/8", "2001:db8::/32", "203.0.113.9/32"]

    def test_is_fifty_at_most(self) -> None:
        assert len(allow_list.parse(" ".join(f"10.0.{n}.0/24" for n in range(50)))) == 50
        with pytest.raises(TooManyNetworks):
            allow_list.parse(" ".join(f"10.0.{n}.0/24" for n in range(51)))

    @given(st.text(max_size=60))
    def test_never_breaks_anything(self, text: str) -> None:
        try:
            found = allow_list.parse(text)
        except (NetworkInvalid, TooManyNetworks):
            return
        assert allow_list.parse("\n".join(map(str, found))) == found

    @given(st.ip_addresses(), st.lists(st.ip_addresses(network="10.0.0.0/8"), max_size=5), st.integers(0, 32))
    def test_admits_what_the_standard_library_finds_inside(
        self, address: Any, places: list[Any], bits: int
    ) -> None:
        networks = [ipaddress.ip_network((int(place), bits), strict=False) for place in places]
        compiled = allow_list.compiled(networks)
        if getattr(address, "ipv4_mapped", None) is None:
            inside = any(address in network for network in networks)
            assert compiled.admits(str(address)) == (inside or not networks)
