"""Where somebody is signed in, in two browsers."""

import re
from datetime import timedelta

from accounts import household, sign_ins
from accounts.models import SignIn
from accounts.people import Acting
from iva.audit.models import AuditEvent
from tests.agreements.documents import later
from tests.conftest import AtDesk

PHONE = "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"


def living(acting: Acting) -> list[SignIn]:
    with household.at_home():
        return sign_ins.of(acting.user_id)


def test_each_is_shown_with_device_and_network_and_this_one_is_marked(saraa: Acting, at_desk: AtDesk) -> None:
    here = at_desk(saraa)
    sign_ins.begin(saraa.user_id, browser=PHONE, from_address="203.0.113.77", proved_at=None)
    page = here.get("/me/sign-ins/").content.decode()
    assert page.count("203.0.113.0/24") == 2
    assert not re.search(r"203\.0\.113\.[1-9]", page)
    assert "Firefox Mobile · Android" in page
    assert page.count('class="tag good"') == 1


def test_one_that_was_ended_elsewhere_dies_with_its_next_request(saraa: Acting, at_desk: AtDesk) -> None:
    there, here = at_desk(saraa), at_desk(saraa)
    assert there.get("/me/").status_code == 200
    first = min(living(saraa), key=lambda sign_in: sign_in.pk)
    answer = here.post("/me/sign-ins/", {"sign_in": str(first.pk)})
    assert (answer.status_code, answer["Location"]) == (303, "/me/sign-ins/")
    for address in ("/me/", "/overview/", "/me/data/read/"):
        assert there.get(address)["Location"].startswith("/sign-in/")
    assert here.get("/me/").status_code == 200


def test_all_others_end_and_this_one_stays(saraa: Acting, at_desk: AtDesk) -> None:
    others, here = [at_desk(saraa) for _ in range(3)], at_desk(saraa)
    assert here.post("/me/sign-ins/", {"others": "1"}).status_code == 303
    assert [browser.get("/me/").status_code for browser in others] == [303, 303, 303]
    assert here.get("/me/").status_code == 200
    with household.at_home("legal.requirement"):
        (event,) = AuditEvent.objects.filter(event="person.sign_in_ended")
        assert '"count":3' in event.ids


def test_somebody_elses_sign_in_is_not_there(saraa: Acting, dorj: Acting, at_desk: AtDesk) -> None:
    theirs, here = at_desk(dorj), at_desk(saraa)
    (sign_in,) = living(dorj)
    for named in (str(sign_in.pk), "", "1", "00000000-0000-0000-0000-000000000000"):
        assert here.post("/me/sign-ins/", {"sign_in": named}).status_code == 404
    assert theirs.get("/me/").status_code == 200


def test_what_ended_lately_is_shown_without_a_button(saraa: Acting, at_desk: AtDesk) -> None:
    gone, here = at_desk(saraa), at_desk(saraa)
    gone.post("/sign-out/")
    page = here.get("/me/sign-ins/").content.decode()
    assert page.count('name="sign_in"') == 1
    assert page.count("203.0.113.0/24") == 2


def test_one_that_nobody_uses_ran_out_by_itself(saraa: Acting, at_desk: AtDesk) -> None:
    at_desk(saraa)
    with later(minutes=sign_ins.IDLE / timedelta(minutes=1) + 1), household.at_home():
        assert sign_ins.of(saraa.user_id) == []
        (ended,) = sign_ins.ended(saraa.user_id)
        assert ended.ended_at is None
