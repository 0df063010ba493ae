"""One's own part of the trails: complete, newest first, in words, and nobody else's."""

import re
import uuid

import pytest

from accounts import activity, household, naming, people, profile, signing_in, trail_words
from accounts.activity import Trail
from accounts.people import Acting
from accounts.roles import Role
from iva.audit.events import Event
from tests.cast import Party
from tests.conftest import AtDesk, Hire


def trails(acting: Acting) -> list[Trail]:
    return [
        Trail(household.HOUSEHOLD, frozenset({acting.user_id})),
        Trail(acting.organization_id, frozenset({acting.user_id, acting.membership_id})),
    ]


def events(acting: Acting, **page: int) -> list[tuple[str, bool]]:
    return [(deed.event, deed.is_own) for deed in activity.of(trails(acting), **page)]  # type: ignore[arg-type]


def test_what_one_did_and_what_was_done_about_one(acme: Party, saraa: Acting, hire: Hire) -> None:
    bat = hire(acme, "Bat", Role.SUPPORT_AGENT)
    profile.correct(bat.user_id, acme.id, name="Бат", position="", phone="")
    with acme.tenant():
        people.change_role(bat.membership_id, Role.SUPERVISOR, by=saraa)
    assert events(bat) == [
        ("member.role_changed", False),
        ("member.corrected", True),
        ("member.joined", False),
        ("person.verified", True),
        ("person.met", False),
    ]
    assert events(saraa)[0] == ("member.role_changed", True)


def test_a_refused_try_is_there_for_whom_it_concerns_and_nobody_else(saraa: Acting, dorj: Acting) -> None:
    with pytest.raises(signing_in.SignInRefused):
        signing_in.check_password("saraa@acme.example.com", "not the password", "203.0.113.7")
    assert events(saraa)[0] == ("person.sign_in_refused", False)
    assert "person.sign_in_refused" not in dict(events(dorj))


def test_pages_follow_each_other_without_gap_or_repetition(acme: Party, saraa: Acting) -> None:
    for number in range(12):
        profile.correct(saraa.user_id, acme.id, name=f"Сараа {number}", position="", phone="")
        profile.look(saraa.user_id, ("dark", "light")[number % 2])
    whole = [deed.id for deed in activity.of(trails(saraa), limit=100)]
    paged: list[uuid.UUID] = []
    while page := activity.of(trails(saraa), paged[-1] if paged else None, limit=5):
        paged += [deed.id for deed in page]
    assert paged == whole
    assert len(whole) == len(set(whole)) > 24
    assert whole == sorted(whole, reverse=True)


def test_the_page_says_it_in_words_and_leads_on(
    acme: Party, saraa: Acting, at_desk: AtDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activity, "PAGE", 2)
    browser = at_desk(saraa)
    browser.post("/me/language/", {"locale": "en"})
    page = browser.get("/me/activity/").content.decode()
    assert "Language or appearance changed" in page
    assert not any(f">{event.value}" in page for event in Event)
    older = re.search(r"\?before=([0-9a-f-]+)", page)
    assert older is not None
    second = browser.get("/me/activity/", {"before": older[1]})
    assert "To the newest" in second.content.decode()


@pytest.mark.parametrize("before", ["", "1", "x" * 200])
def test_a_position_we_never_gave_is_not_there(saraa: Acting, at_desk: AtDesk, before: str) -> None:
    assert at_desk(saraa).get("/me/activity/", {"before": before}).status_code == 404


def test_ids_of_others_stay_out(acme: Party, saraa: Acting, hire: Hire, at_desk: AtDesk) -> None:
    bat = hire(acme, "Bat", Role.SUPPORT_AGENT)
    with acme.tenant():
        people.change_role(bat.membership_id, Role.SUPERVISOR, by=saraa)
    deeds = activity.of(trails(saraa))
    assert str(bat.membership_id) not in str([deed.codes for deed in deeds])
    assert str(bat.membership_id) not in at_desk(saraa).get("/me/activity/").content.decode()


def test_another_organizations_trail_is_not_asked(saraa: Acting, dorj: Acting) -> None:
    ours, theirs = activity.of(trails(saraa)), activity.of(trails(dorj))
    assert {deed.id for deed in ours}.isdisjoint(deed.id for deed in theirs)
    assert {deed.organization_id for deed in ours} == {household.HOUSEHOLD, saraa.organization_id}


@pytest.mark.parametrize("event", Event)
def test_every_event_has_words(event: Event) -> None:
    assert event in trail_words.EVENT_NAMES
    assert naming.event(event.value) != event.value
