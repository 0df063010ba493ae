"""The live stream as a real process: who hears what, when it ends, and what it survives."""

import json
import time
from datetime import timedelta
from http.client import HTTPConnection

import pytest
import redis
from django.utils import timezone

from accounts import allow_list, household, organizations, people, securing, sign_ins
from accounts.models import Membership, SignIn
from accounts.people import Acting
from accounts.roles import Permission, Role, grants
from iva import local
from iva.audit.actors import SYSTEM
from iva.live import announcing
from tests.cast import Party
from tests.conftest import AtDesk, Hire
from tests.faults.running import Programs, eventually, is_alive
from tests.streaming.conftest import Cookie, Listening

pytestmark = pytest.mark.slow

STREAMS = 200
OFTEN = {"IVA_LIVE_STREAMS_PER_PERSON": str(STREAMS)}


def status(address: str, path: str = "/live/", method: str = "GET", **headers: str) -> int:
    """Of a request that is not let in."""
    connection = HTTPConnection(address, timeout=30)
    try:
        connection.request(method, path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def written(party: Party, number: int) -> str:
    """The conversation in which somebody new has just written to the organization."""
    answer = party.says("Сайн байна уу?", phone=f"9{number:07}")
    assert answer.status == 201
    return str(answer.body["conversation_id"])


class TestHearing:
    def test_two_hundred_streams_hear_of_every_message_of_theirs_and_of_no_other(
        self, acme: Party, globex: Party, saraa: Acting, dorj: Acting, cookie: Cookie, listening: Listening
    ) -> None:
        crowd = listening(**OFTEN)
        ours = [cookie(saraa) for _ in range(8)]
        here = [crowd.open(ours[number % 8]) for number in range(STREAMS - 40)]
        there = [crowd.open(cookie(dorj)) for _ in range(40)]
        eventually(lambda: all(reader.is_live for reader in here + there), "everybody listens")
        conversations = {written(acme, number) for number in range(25)}
        eventually(lambda: all(reader.heard >= conversations for reader in here), "all of Acme's hear of it")
        elsewhere = written(globex, 77)
        eventually(lambda: all(reader.heard for reader in there), "Globex's hear of their own")
        assert all(reader.heard == conversations for reader in here)
        assert all(reader.heard == {elsewhere} for reader in there)
        assert not any(reader.has_ended for reader in here + there)

    def test_replies_handovers_and_endings_are_heard_of(
        self, acme: Party, saraa: Acting, cookie: Cookie, listening: Listening
    ) -> None:
        conversation = written(acme, 1)
        crowd = listening()
        address = f"conversations/{conversation}"
        for method, path, body in [
            ("POST", f"{address}/messages/", {"text": "Удахгүй хариулна"}),
            ("PUT", f"{address}/handover/", {}),
            ("DELETE", f"{address}/handover/", None),
            ("PUT", f"{address}/resolution/", {"resolution": "answered"}),
        ]:
            reader = crowd.opened(cookie(saraa))
            answer = acme.call(method, path, body)
            assert answer.status < 300, answer
            eventually(lambda r=reader: r.heard == {conversation}, f"{method} {path}")  # type: ignore[misc]

    def test_a_page_older_than_the_process_looks_at_everything(
        self, saraa: Acting, cookie: Cookie, listening: Listening
    ) -> None:
        reader = listening().opened(cookie(saraa), "?since=1")
        eventually(lambda: reader.heard == {"everything"}, "before its time everything may have changed")

    def test_what_is_announced_are_ids(self, acme: Party, servers: local.Servers) -> None:
        with redis.Redis.from_url(servers.redis_url) as client, client.pubsub() as subscription:
            subscription.psubscribe(announcing.EVERYTHING)
            subscription.get_message(timeout=10)
            answer = acme.says("Нууц үг минь plum")
            message = subscription.get_message(timeout=10)
        assert message is not None
        ids = [answer.body["conversation_id"], answer.body["message_id"]]
        assert json.loads(message["data"]) == {"organization": str(acme.id), "changed": [ids]}

    def test_rubbish_on_the_channel_is_left_out(
        self, acme: Party, saraa: Acting, cookie: Cookie, listening: Listening, servers: local.Servers
    ) -> None:
        reader = listening().opened(cookie(saraa))
        ours = announcing.CHANGES + str(acme.id)
        with redis.Redis.from_url(servers.redis_url) as client:
            for text in [
                "",
                "{",
                "[]",
                "1",
                "null",
                '{"organization": 1}',
                '{"changed": [[1, 2]]}',
                "[" * 9999,
            ]:
                for channel in (ours, announcing.ACCESS, "iva:live:elsewhere"):
                    client.publish(channel, text)
            forged = {"organization": str(acme.id), "changed": [["</script>", None]]}
            client.publish(ours, json.dumps(forged))
        conversation = written(acme, 1)
        eventually(lambda: reader.heard == {conversation}, "it goes on hearing")


class TestTheDoor:
    def test_nobody_and_a_forged_cookie_stay_outside(
        self, acme: Party, saraa: Acting, cookie: Cookie, listening: Listening
    ) -> None:
        address = listening().address
        forged = ["", "x", "a" * 32, cookie(saraa)[:-1], "\u00e9", "a" * 5000, f"{cookie(saraa)}.x"]
        assert status(address) == 401
        assert [status(address, Cookie=f"session={each}") for each in forged] == [401] * len(forged)

    def test_other_addresses_methods_and_questions_are_refused(
        self, saraa: Acting, cookie: Cookie, listening: Listening
    ) -> None:
        address = listening().address
        signed_in = {"Cookie": f"session={cookie(saraa)}"}
        for path in ("/", "/live", "/live/x/", "/live/../overview/", "/overview/", "/metrics", "/%00"):
            assert status(address, path, **signed_in) == 404, path
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "HEAD"):
            assert status(address, method=method, **signed_in) == 405, method
        for since in ("x", "-1", "1e9", "%D9%A3", "9" * 13, "%ff"):
            assert status(address, f"/live/?since={since}", **signed_in) == 400, since

    def test_pages_of_other_sites_do_not_hear(
        self, saraa: Acting, cookie: Cookie, listening: Listening
    ) -> None:
        crowd = listening(IVA_LOOPBACK_PORTS="8000,8001")
        session = {"Cookie": f"session={cookie(saraa)}"}
        for origin in ("https://evil.test", "http://127.0.0.1:8002", "https://127.0.0.1:8000", "null"):
            assert status(crowd.address, Origin=origin, **session) == 403, origin
        assert status(crowd.address, **{"Sec-Fetch-Site": "cross-site"}, **session) == 403
        assert status(crowd.address, Host="evil.test", **session) == 400
        beside = crowd.opened(cookie(saraa), Origin="http://127.0.0.1:8000")
        assert beside.headers["access-control-allow-origin"] == "http://127.0.0.1:8000"
        assert beside.headers["access-control-allow-credentials"] == "true"
        own = crowd.opened(cookie(saraa), **{"Sec-Fetch-Site": "same-origin"})
        assert "access-control-allow-origin" not in own.headers
        assert own.headers["cache-control"] == "no-store"
        assert own.headers["x-accel-buffering"] == "no"

    def test_only_roles_that_read_conversations_are_let_in(
        self, acme: Party, hire: Hire, cookie: Cookie, listening: Listening
    ) -> None:
        crowd = listening()
        for number, role in enumerate(Role):
            reader = crowd.open(cookie(hire(acme, f"Saraa{number}", role)))
            eventually(lambda r=reader: r.status is not None, "it answers")  # type: ignore[misc]
            assert reader.status == (200 if grants(role, Permission.CONVERSATIONS_READ) else 403), role

    def test_without_a_factor_or_an_acceptance_nothing_is_heard(
        self, saraa: Acting, at_desk: AtDesk, listening: Listening
    ) -> None:
        address = listening().address
        for missing in ({"accepted": False}, {"proved": False}):
            session = at_desk(saraa, **missing).cookies["session"].value
            assert status(address, Cookie=f"session={session}") == 403, missing

    def test_one_person_has_so_many_streams_and_the_process_so_many(
        self, acme: Party, saraa: Acting, hire: Hire, cookie: Cookie, listening: Listening
    ) -> None:
        crowd = listening(IVA_LIVE_STREAMS="5", IVA_LIVE_STREAMS_PER_PERSON="3")
        own = [crowd.opened(cookie(saraa)) for _ in range(3)]
        assert status(crowd.address, Cookie=f"session={cookie(saraa)}") == 429
        other = hire(acme, "Tuya", Role.SUPPORT_AGENT)
        for _ in range(2):
            crowd.opened(cookie(other))
        assert status(crowd.address, Cookie=f"session={cookie(hire(acme, 'Naraa', Role.AUDITOR))}") == 503
        own[0].socket.shutdown(2)
        eventually(lambda: is_let_in(crowd.address, cookie(saraa)), "a place is free again")

    def test_listening_keeps_no_sign_in_alive(
        self, acme: Party, saraa: Acting, cookie: Cookie, listening: Listening
    ) -> None:
        session = cookie(saraa)
        with household.at_home():
            SignIn.objects.update(last_seen_at=timezone.now() - timedelta(minutes=20))
            (before,) = SignIn.objects.values_list("last_seen_at")
        listening().opened(session)
        with household.at_home():
            assert list(SignIn.objects.values_list("last_seen_at")) == [before]


class TestTheEnd:
    @pytest.fixture
    def tuya(self, acme: Party, hire: Hire) -> Acting:
        return hire(acme, "Tuya", Role.SUPPORT_AGENT)

    @pytest.mark.parametrize("how", ["revoked", "another role", "signed out", "suspended", "left"])
    def test_whoever_loses_access_hears_nothing_more_and_the_others_do(
        self, acme: Party, globex: Party, saraa: Acting, dorj: Acting, tuya: Acting,
        cookie: Cookie, listening: Listening, how: str,
    ) -> None:  # fmt: skip
        crowd = listening()
        theirs, others = crowd.opened(cookie(tuya)), crowd.opened(cookie(dorj))
        with acme.tenant("account.manage"):
            if how == "revoked":
                people.revoke(tuya.membership_id, by=saraa)
            elif how == "another role":
                people.change_role(tuya.membership_id, Role.BILLING, by=saraa)
            elif how == "left":
                people.leave(by=tuya)
        if how == "signed out":
            sign_ins.end_all(tuya.user_id)
        elif how == "suspended":
            organizations.suspend(acme.organization, SYSTEM)
        eventually(lambda: theirs.has_ended, "the stream ends")
        assert theirs.why == "access"
        conversation = written(globex, 1)
        eventually(lambda: others.heard == {conversation}, "Globex's goes on")
        assert theirs.heard == set()

    @pytest.mark.parametrize("what", ["networks", "second factor"])
    def test_what_an_organization_newly_demands_ends_the_streams_that_lack_it(
        self, acme: Party, saraa: Acting, tuya: Acting, at_desk: AtDesk, cookie: Cookie, listening: Listening,
        what: str,
    ) -> None:  # fmt: skip
        crowd = listening()
        inside = crowd.opened(cookie(saraa))
        outside = crowd.opened(at_desk(tuya, proved=False).cookies["session"].value)
        with acme.tenant("account.manage"):
            securing.secure(
                acme.organization,
                second_factor=what == "second factor",
                networks=allow_list.parse("10.0.0.0/8" if what == "networks" else ""),
                by=saraa,
                address="10.1.1.1",
            )
        eventually(lambda: outside.has_ended, "the stream ends")
        assert outside.why == "access"
        if what == "networks":
            eventually(lambda: inside.has_ended, "saved from inside, and this page is outside")
            assert status(crowd.address, Cookie=f"session={cookie(saraa)}") == 403
        else:
            conversation = written(acme, 1)
            eventually(lambda: inside.heard == {conversation}, "who has given one goes on hearing")
            assert outside.heard == set()

    def test_an_end_that_nobody_announced_is_found_out(
        self, acme: Party, tuya: Acting, cookie: Cookie, listening: Listening
    ) -> None:
        reader = listening().opened(cookie(tuya))
        Membership.objects.filter(pk=tuya.membership_id).update(ended_at=timezone.now())
        eventually(lambda: reader.has_ended, "the stream ends")
        assert reader.why == "access"

    def test_an_idle_sign_in_takes_its_stream_along(
        self, acme: Party, tuya: Acting, cookie: Cookie, listening: Listening
    ) -> None:
        reader = listening().opened(cookie(tuya))
        with household.at_home():
            SignIn.objects.update(last_seen_at=timezone.now() - sign_ins.IDLE)
        eventually(lambda: reader.has_ended, "the stream ends")
        assert reader.why == "access"

    def test_a_process_that_is_asked_to_stop_says_goodbye(
        self, saraa: Acting, cookie: Cookie, listening: Listening, programs: Programs
    ) -> None:
        crowd = listening()
        readers = [crowd.opened(cookie(saraa)) for _ in range(5)]
        assert programs.streaming.stop() == 0
        eventually(lambda: all(reader.has_ended for reader in readers), "every stream ends")
        assert {reader.why for reader in readers} == {"closing"}


class TestBreaking:
    def test_without_valkey_the_streams_say_so_and_afterwards_hear_again(
        self, acme: Party, saraa: Acting, cookie: Cookie, listening: Listening, servers: local.Servers
    ) -> None:
        crowd = listening()
        session = cookie(saraa)
        reader = crowd.opened(session)
        servers.stop_valkey(immediate=True)
        try:
            eventually(lambda: not reader.is_live, "the page is told to ask by itself")
            written(acme, 1)
            newcomer = crowd.open(session)
            eventually(lambda: newcomer.status == 200, "a stream opens all the same")
            assert not newcomer.is_live
        finally:
            servers.start_valkey()
        eventually(lambda: reader.is_live and newcomer.is_live, "changes are heard of again")
        eventually(lambda: "everything" in reader.heard, "what was missed may be anything")
        eventually(lambda: written(acme, 2) in reader.heard, "it goes on")
        assert not reader.has_ended

    def test_a_killed_process_comes_back_and_everybody_catches_up(
        self, acme: Party, saraa: Acting, cookie: Cookie, listening: Listening, programs: Programs
    ) -> None:
        crowd = listening()
        session = cookie(saraa)
        reader = crowd.opened(session)
        since = int(time.time())
        programs.streaming.kill()
        eventually(lambda: reader.has_ended, "the stream breaks")
        written(acme, 1)
        programs.live(int(crowd.address.partition(":")[2]))
        again = crowd.opened(session, f"?since={since}")
        eventually(lambda: "everything" in again.heard, "what was missed may be anything")
        conversation = written(acme, 2)
        eventually(lambda: conversation in again.heard, "it goes on")

    def test_a_killed_worker_is_replaced(
        self, saraa: Acting, cookie: Cookie, listening: Listening, programs: Programs
    ) -> None:
        """granian is started as in production, with `--respawn-failed-workers`."""
        crowd = listening()
        reader = crowd.opened(cookie(saraa))
        programs.streaming.kill_a_child()
        eventually(lambda: reader.has_ended, "the stream breaks")
        eventually(lambda: is_alive(crowd.address), "it answers again")


def is_let_in(address: str, session: str) -> bool:
    return status(address, Cookie=f"session={session}") == 200
