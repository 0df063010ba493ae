"""Everything IVA keeps about a member: whole by construction, in open formats, nothing of anybody else."""

import hashlib
import io
import json
import re
import zipfile
from typing import Any

import jsonschema
import pytest
from django.db import models
from django.test.utils import isolate_apps
from limits import RateLimitItemPerHour

from accounts import (
    changing_address,
    factors,
    household,
    invitations,
    letters,
    my_data,
    naming,
    packing,
    people,
    throttling,
    trail_words,
)
from accounts.models import Acknowledgement, LegalDocument, LetterKind, Passkey, UsageRecord
from accounts.my_data import NotReachable
from accounts.people import Acting
from accounts.roles import Role
from conversations import first_steps, instructions
from conversations.models import Processing
from iva.audit.models import AuditEvent
from iva.personal_data import Category, Entry, PersonalData, Protection, Purpose, Retention, Subject
from tests.agreements import documents
from tests.agreements.conftest import mail_server  # noqa: F401  a fixture
from tests.agreements.mail_server import MailServer
from tests.cast import Party
from tests.conftest import AtDesk, Hire

DOWNLOAD = "/me/data/download/"
PASSWORD = "correct horse battery staple"


@pytest.fixture
def lived(
    acme: Party,
    saraa: Acting,
    first: LegalDocument,
    at_desk: AtDesk,
    mail_server: MailServer,  # noqa: F811
) -> Acting:
    """Saraa with a row in every table that can hold one about her."""
    browser = at_desk(saraa)
    browser.get("/overview/")
    browser.get("/me/")
    with acme.tenant("account.manage"):
        invitations.invite("saraa@acme.example.com", Role.AUDITOR, by=saraa)
        invitations.invite("bat@example.com", Role.AUDITOR, by=saraa)
    with acme.tenant():
        first_steps.dismiss(saraa)
        instructions.give(Processing.SENTIMENT, is_on=True, actor=saraa.actor)
        Acknowledgement.objects.create(user_id=saraa.user_id, document_id=first.pk)
    with household.at_home():
        factors.enroll(saraa.user_id)
        letters.write(LetterKind.CONFIRM_ADDRESS, saraa.user_id)
        Passkey.objects.create(  # type: ignore[misc]
            person_id=saraa.user_id,
            credential_hash=bytes(32),
            credential="c2VjcmV0LWNyZWRlbnRpYWw",
            public_key="cHVibGljLWtleQ",
            name="Ажлын компьютер",
        )
        factors.renew_recovery_codes(saraa.user_id)
    changing_address.ask(saraa.user_id, "saraa.new@example.com", PASSWORD)
    documents.told(acme, documents.published("2.0.0", documents.SIGNIFICANT), saraa.user_id)
    return saraa


def package(acting: Acting) -> dict[str, Any]:
    """The files of a package, JSON parsed."""
    with zipfile.ZipFile(io.BytesIO(packing.pack(acting.user_id, "en"))) as archive:
        assert archive.testzip() is None
        return {
            name: json.loads(archive.read(name)) if name.endswith(".json") else archive.read(name).decode()
            for name in archive.namelist()
        }


def sections(acting: Acting) -> dict[str, list[dict[str, Any]]]:
    """{model: rows} of all places together."""
    found: dict[str, list[dict[str, Any]]] = {}
    for section in my_data.everything(acting.user_id):
        found.setdefault(section.model, []).extend(section.rows)
    return found


class TestTheInventory:
    @pytest.mark.parametrize("entry", my_data.covered(), ids=lambda entry: entry.model._meta.label)
    def test_every_model_of_members_is_reached(self, entry: Entry) -> None:
        lookup = my_data.way_to(entry)
        entry.model._meta.get_field(lookup.split("__")[0])

    def test_every_model_of_members_has_rows_in_the_package(self, lived: Acting) -> None:
        """Whoever adds a model makes `lived` live through it, or sees this fail."""
        holding = {entry.model._meta.label for entry in my_data.covered()}
        assert holding - sections(lived).keys() == set()

    def test_every_section_and_column_has_a_name(self, lived: Acting) -> None:
        found = sections(lived)
        assert found.keys() - naming.MODELS.keys() == set()
        named = {name for rows in found.values() for row in rows for name in row}
        assert named - naming.COLUMNS.keys() - trail_words.DETAIL_NAMES.keys() == set()

    def test_every_category_purpose_and_retention_has_words(self) -> None:
        assert set(Category) == naming.CATEGORIES.keys()
        assert set(Purpose) == naming.PURPOSES.keys()
        assert set(Retention) == naming.RETENTIONS.keys()

    def test_a_model_that_says_nothing_of_whose_row_it_is_is_found(self) -> None:
        with isolate_apps("accounts"):

            class Diary(models.Model):
                personal_data = PersonalData(
                    subject=Subject.MEMBER,
                    category=Category.IDENTITY,
                    purpose=Purpose.ACCOUNT_MANAGE,
                    retention=Retention.UNTIL_DONE,
                )

                class Meta:
                    app_label = "accounts"

            with pytest.raises(NotReachable):
                my_data.way_to(Entry(Diary, Diary.personal_data))

    def test_a_row_that_hangs_from_a_parent_is_reached_through_it(self) -> None:
        with isolate_apps("accounts"):

            class Page(models.Model):
                personal_data = PersonalData(
                    subject=Subject.MEMBER,
                    category=Category.IDENTITY,
                    purpose=Purpose.ACCOUNT_MANAGE,
                    retention=Retention.UNTIL_DONE,
                    reached_through="record",
                )
                record = models.ForeignKey(UsageRecord, on_delete=models.CASCADE)

                class Meta:
                    app_label = "accounts"

            assert my_data.way_to(Entry(Page, Page.personal_data)) == "record__subject_id"


class TestThePackage:
    def test_holds_what_is_known_in_clear(self, lived: Acting) -> None:
        found = sections(lived)
        (member,) = found["accounts.Member"]
        assert (member["name"], member["phone"]) == ("Saraa", "+97699112233")
        assert found["accounts.SignIn"][0]["ip_address"] == "203.0.113.0/24"
        assert {row["route"] for row in found["accounts.UsageRecord"]} == {"home", "profile"}
        assert [row["email"] for row in found["accounts.Invitation"]] == ["saraa@acme.example.com"]

    def test_every_file_fits_the_schema_and_the_manifest(self, lived: Acting) -> None:
        raw = packing.pack(lived.user_id, "en")
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            contents = {name: archive.read(name) for name in archive.namelist()}
        manifest = json.loads(contents["manifest.json"])
        assert {file["path"] for file in manifest["files"]} == contents.keys() - {"manifest.json"}
        for file in manifest["files"]:
            assert hashlib.sha256(contents[file["path"]]).hexdigest() == file["sha256"]
            assert len(contents[file["path"]]) == file["bytes"]
        schema = json.loads(contents["schema.json"])
        jsonschema.Draft202012Validator.check_schema(schema)
        kept = [file for file in manifest["files"] if file["path"].startswith("data/")]
        assert len(kept) > 10
        for file in kept:
            section = json.loads(contents[file["path"]])
            jsonschema.validate(section, schema)
            assert len(section["rows"]) == file["rows"] > 0

    def test_says_why_how_long_and_who_gets_it(self, lived: Acting) -> None:
        member = package(lived)["data/acme/accounts-member.json"]
        assert member["purposes"] == ["account.manage", "service.operate", "legal.requirement"]
        assert (member["controller"], member["retention"]) == ("Acme", "contract_plus_30_days")
        assert len(member["recipients"]) == 3
        login = package(lived)["data/login/accounts-person.json"]
        assert login["controller"] == "Chimege Systems LLC"

    def test_has_a_page_to_read(self, lived: Acting) -> None:
        page = package(lived)["index.html"]
        for said in ("Saraa", "+97699112233", "Acme", "saraa@acme.example.com", "Authenticator apps"):
            assert said in page
        assert "<script" not in page
        assert not re.search(r'(src|href)="https?:', page)

    def test_gives_away_nothing_that_opens_a_login(self, lived: Acting) -> None:
        with household.at_home():
            begun = factors.begun(lived.user_id)
            assert begun is not None
            secret = begun.secret
        whole = str(package(lived))
        assert secret not in whole
        assert "c2VjcmV0LWNyZWRlbnRpYWw" not in whole
        assert "Ажлын компьютер" in whole
        assert "argon2" not in whole
        login = package(lived)["data/login/accounts-authenticator.json"]
        assert login["withheld"] == ["secret"]
        assert package(lived)["data/login/accounts-user.json"]["withheld"] == ["password"]

    def test_holds_nothing_of_third_persons(
        self, acme: Party, lived: Acting, hire: Hire, dorj: Acting, at_desk: AtDesk
    ) -> None:
        bat = hire(acme, "Bat", Role.SUPPORT_AGENT)
        at_desk(bat).get("/overview/")
        with acme.tenant():
            people.change_role(bat.membership_id, Role.SUPERVISOR, by=lived)
        acme.says("Сайн байна уу, би Бат")
        whole = str(package(lived))
        for other in (bat, dorj):
            assert str(other.membership_id) not in whole
            assert str(other.user_id) not in whole
        assert "bat@" not in whole
        assert "dorj@" not in whole
        assert str(lived.membership_id) in whole

    def test_who_invited_is_left_out(self, acme: Party, saraa: Acting, hire: Hire) -> None:
        bat = hire(acme, "Bat", Role.SUPPORT_AGENT)
        with acme.tenant("account.manage"):
            invitations.invite("bat@acme.example.com", Role.AUDITOR, by=saraa)
        (row,) = sections(bat)["accounts.Invitation"]
        assert row["email"] == "bat@acme.example.com"
        assert "invited_by" not in row
        (own,) = sections(saraa)["accounts.Member"]
        assert own["id"] == str(saraa.membership_id)

    def test_reaches_organizations_one_has_left(self, acme: Party, hire: Hire, saraa: Acting) -> None:
        bat = hire(acme, "Bat", Role.SUPPORT_AGENT)
        with acme.tenant():
            people.revoke(bat.membership_id, by=saraa)
        (member,) = sections(bat)["accounts.Member"]
        assert member["name"] == "Bat"

    def test_says_when_it_is_not_whole(self, lived: Acting) -> None:
        found = {s.model: s for s in my_data.everything(lived.user_id, most=2)}
        codes = found["accounts.RecoveryCode"]
        assert (len(codes.rows), codes.is_whole) == (2, False)
        assert found["accounts.Member"].is_whole


class TestTheDoors:
    def test_the_overview_shows_no_value(self, lived: Acting, at_desk: AtDesk) -> None:
        browser = at_desk(lived, proved=False)
        page = browser.get("/me/data/").content.decode()
        assert "Acme" in page
        assert "+976" not in page
        assert "saraa@" not in page

    @pytest.mark.parametrize(("method", "address"), [("GET", "/me/data/read/"), ("POST", DOWNLOAD)])
    def test_whoever_has_a_factor_gives_it_first(
        self, saraa: Acting, at_desk: AtDesk, monkeypatch: pytest.MonkeyPatch, method: str, address: str
    ) -> None:
        monkeypatch.setattr("accounts.factors.is_enrolled", lambda person_id: True)
        shown = {"Referer": "http://testserver/me/data/"}
        answer = at_desk(saraa, proved=False).generic(method, address, headers=shown)
        assert answer["Location"].startswith("/step-up/?next=%2Fme%2Fdata%2F")
        assert at_desk(saraa).generic(method, address).status_code == 200

    def test_without_a_factor_nobody_is_locked_out_of_their_data(
        self, saraa: Acting, at_desk: AtDesk
    ) -> None:
        """Neither is whoever has not accepted the newest documents (P7)."""
        answer = at_desk(saraa, proved=False, accepted=False).post(DOWNLOAD)
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
        assert answer["Content-Disposition"].startswith("attachment; filename=")
        assert answer["Cache-Control"] == "no-store"

    def test_that_it_was_taken_is_written_in_every_trail(
        self, acme: Party, saraa: Acting, at_desk: AtDesk
    ) -> None:
        browser = at_desk(saraa)
        browser.get("/me/data/read/")
        browser.post(DOWNLOAD)
        for opened in (household.at_home("legal.requirement"), acme.tenant("legal.requirement")):
            with opened:
                events = AuditEvent.objects.filter(event="member.data_exported").order_by("sequence")
                assert [json.loads(event.ids)["form"] for event in events] == ["page", "package"]
                assert {event.actor for event in events} == {f"person:{saraa.user_id}"}

    def test_no_link_and_no_page_of_somebody_elses_takes_it(self, saraa: Acting, at_desk: AtDesk) -> None:
        browser = at_desk(saraa)
        assert browser.get(DOWNLOAD).status_code == 405
        browser.handler.enforce_csrf_checks = True
        assert browser.post(DOWNLOAD).status_code == 403
        page = browser.get("/me/data/").content.decode()
        form = page[page.index(f'action="{DOWNLOAD}"') :]
        given = {"csrfmiddlewaretoken": form.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]}
        assert browser.post(DOWNLOAD, given).status_code == 200

    def test_it_is_not_taken_without_end(
        self, saraa: Acting, at_desk: AtDesk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(throttling, "COPIES", RateLimitItemPerHour(2, namespace="iva:copies"))
        browser = at_desk(saraa)
        statuses = [browser.post(DOWNLOAD).status_code, browser.get("/me/data/read/").status_code]
        assert statuses == [200, 200]
        assert browser.post(DOWNLOAD).status_code == browser.get("/me/data/read/").status_code == 429

    def test_the_page_to_read_shows_values(self, lived: Acting, at_desk: AtDesk) -> None:
        page = at_desk(lived).get("/me/data/read/").content.decode()
        assert "+97699112233" in page


def test_protections_that_are_unreadable_are_withheld_whatever_the_model() -> None:
    for entry in my_data.covered():
        _shown, withheld = my_data._columns(entry)
        unreadable = {
            name
            for name, protection in entry.declaration.fields.items()
            if protection in (Protection.HASHED, Protection.BLIND_INDEX, Protection.WRAPPED)
        }
        assert unreadable <= set(withheld)
