"""What lies in accounts/legal/ says what it has to, and goes out once."""

import re
import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts import agreements, provider
from accounts.agreements import rendering, shelf, texts
from accounts.models import Kind, LegalDocument, Significance
from tests.agreements import documents

SAYS = {
    "en": """
        what this policy is for · processes · decides · Registration · knowledge base ·
        messenger id · mood · IP address · type of browser · history of activity · cookies · invoice ·
        nobody can be recognized · security matters · courts · fraud · TLS · AES-256 · MFA · firewalls
        · confidentiality · weaknesses · do not sell or rent · express consent · inform you first ·
        merger · 30 days · access · rectification · erasure · portability · End Users turn to the
        Organization · in advance · chimege.com · For a lawyer · silence is no consent · part of the
        Terms of Service · iva.mn
    """,
    "mn": """
        боловсруулна · шийднэ · Бүртгэл · мэдлэгийн сан · мессенжерийн дугаар · сэтгэл хандлага · IP
        хаяг · хөтчийн төрөл · үйл ажиллагааны түүх · күүки · нэхэмжлэл · таних боломжгүй · аюулгүй
        байдлын талаар · шүүхийн шийдвэр · залилан · TLS · AES-256 · MFA · галт хана · нууцлалын гэрээ
        · Эмзэг байдлыг · худалддаггүй, түрээслүүлдэггүй · тодорхой зөвшөөрлөөр · эхлээд танд мэдэгдээд
        · нийлэх · 30 хоног · танилцах · засуулах · устгуулах · авч явах · Байгууллагадаа хандана ·
        урьдчилан имэйлээр · chimege.com · Хуульчид · дуугүй байх нь зөвшөөрөл биш · салшгүй хэсэг ·
        iva.mn
    """,
}
"""What the policy has to speak of, each between dots."""


@pytest.fixture
def shelf_copy(tmp_path: Path) -> Path:
    copy = tmp_path / "legal"
    shutil.copytree(shelf.FOLDER, copy)
    return copy


@pytest.fixture
def on_the_shelf(db: None) -> agreements.InEffect:
    shelf.publish_all()
    return agreements.current()


@pytest.mark.parametrize("locale", ["mn", "en"])
def test_the_policy_speaks_of_everything_it_has_to(on_the_shelf: agreements.InEffect, locale: str) -> None:
    text = on_the_shelf.privacy_policy.text(locale).lower()
    expected = [" ".join(said.split()) for said in SAYS[locale].split("·")]
    assert len(expected) > 30
    assert [said for said in expected if said.lower() not in text] == []


@pytest.mark.parametrize("kind", ["terms", "privacy_policy"])
def test_both_languages_have_the_same_parts(on_the_shelf: agreements.InEffect, kind: str) -> None:
    document: LegalDocument = getattr(on_the_shelf, kind)
    shapes = [
        re.findall(r"^(?:#+|- |\*\*(?=[^*]+:\*\*))", document.text(locale), re.M) for locale in ("mn", "en")
    ]
    assert shapes[0] == shapes[1]
    assert len(shapes[0]) > 30
    for locale in ("mn", "en"):
        assert document.text(locale).count(texts.EFFECTIVE_DATE) == 1
        assert provider.provider(locale).name in document.text(locale)
        assert provider.SITE in document.text(locale)


def test_open_points_are_marked_on_the_page(on_the_shelf: agreements.InEffect) -> None:
    document = on_the_shelf.privacy_policy
    for locale in ("mn", "en"):
        assert document.effective_at is not None
        rendered = rendering.render(document.text(locale), document.effective_at, locale)
        assert rendered.html.count('<p class="open-point">') == 6
        assert [section.anchor for section in rendered.sections] == [f"section-{n}" for n in range(1, 12)]
        assert rendered.title


def test_the_command_publishes_once(db: None) -> None:
    said = StringIO()
    call_command("publish_documents", stdout=said)
    assert [line.split()[:2] for line in said.getvalue().splitlines()] == [
        ["privacy_policy", "1.0.0"],
        ["terms", "1.0.0"],
    ]
    before = list(LegalDocument.objects.order_by("id").values())
    again = StringIO()
    call_command("publish_documents", stdout=again)
    assert again.getvalue() == ""
    assert list(LegalDocument.objects.order_by("id").values()) == before


def test_a_draft_that_was_left_lying_gives_way(db: None, shelf_copy: Path) -> None:
    texts_before = dict.fromkeys(("mn", "en"), f"# x {texts.EFFECTIVE_DATE}")
    agreements.draft(Kind.PRIVACY_POLICY, "1.0.0", Significance.EDITORIAL, texts_before)
    assert len(shelf.publish_all(folder=shelf_copy)) == 2


def test_a_file_that_was_changed_after_publication_is_an_error(db: None, shelf_copy: Path) -> None:
    shelf.publish_all(folder=shelf_copy)
    with (shelf_copy / "terms/1.0.0/en.md").open("a") as file:
        file.write("\nOne more thing.\n")
    with pytest.raises(shelf.PublishedDiffers, match=r"terms 1\.0\.0"):
        shelf.publish_all(folder=shelf_copy)


def test_the_command_says_so_in_one_line(db: None) -> None:
    documents.published("1.0.0")
    with pytest.raises(CommandError, match=r"PublishedDiffers: privacy_policy 1\.0\.0"):
        call_command("publish_documents")


def test_a_second_version_in_the_folder_goes_out_after_the_first(db: None, shelf_copy: Path) -> None:
    shutil.copytree(shelf_copy / "terms/1.0.0", shelf_copy / "terms/1.0.1")
    (shelf_copy / "terms/1.0.1/version.toml").write_text(
        'significance = "editorial"\nprivacy_policy = "1.0.0"\n'
    )
    assert [document.version for document in shelf.publish_all(folder=shelf_copy)] == [
        "1.0.0",
        "1.0.0",
        "1.0.1",
    ]
    assert agreements.current().terms.version == "1.0.1"
