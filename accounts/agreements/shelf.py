"""The documents that lie in `accounts/legal/`: one folder for each version, one file for each language."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

from accounts.agreements import drafting, publishing, texts
from accounts.models.documents import LOCALES, Kind, LegalDocument, Significance
from iva.audit.actors import SYSTEM, Actor

FOLDER = Path(__file__).parent.parent / "legal"


class PublishedDiffers(Exception):
    """A version is out already and its file says something else now: write a new version."""


def publish_all(actor: Actor = SYSTEM, folder: Path = FOLDER) -> list[LegalDocument]:
    """Draft, approve and publish what is in the folder and not out yet; returns what was published.

    May be repeated. Raises PublishedDiffers, and what drafting and publishing raise.
    """
    for path in _versions(folder, Kind.PRIVACY_POLICY):
        _approved(Kind.PRIVACY_POLICY, path, actor)
    out: list[LegalDocument] = []
    for path in _versions(folder, Kind.TERMS):
        terms = _approved(Kind.TERMS, path, actor)
        if terms.published_at is None:
            out += publishing.publish(terms, actor)
    return out


def _versions(folder: Path, kind: Kind) -> Iterator[Path]:
    """In the order of their numbers."""
    yield from sorted((folder / kind).iterdir(), key=lambda path: drafting.numbers(path.name))


def _approved(kind: Kind, path: Path, actor: Actor) -> LegalDocument:
    """The version that the folder holds. A draft of other texts gives way to it."""
    known = LegalDocument.objects.filter(kind=kind, version=path.name).first()
    if known is not None and not _says(known, path):
        if known.approved_at is not None:
            raise PublishedDiffers(f"{kind} {path.name}")
        drafting.discard(known)
        known = None
    document = known or _draft(kind, path)
    if document.approved_at is None:
        drafting.approve(document, actor)
    return document


def _draft(kind: Kind, path: Path) -> LegalDocument:
    about = tomllib.loads((path / "version.toml").read_text(encoding="utf-8"))
    policy = None
    if kind is Kind.TERMS:
        policy = LegalDocument.objects.get(kind=Kind.PRIVACY_POLICY, version=about["privacy_policy"])
    return drafting.draft(kind, path.name, Significance(about["significance"]), _read(path), policy)


def _read(path: Path) -> dict[str, str]:
    return {locale: (path / f"{locale}.md").read_text(encoding="utf-8") for locale in LOCALES}


def _says(document: LegalDocument, path: Path) -> bool:
    return all(texts.sha256(text) == document.sha256(locale) for locale, text in _read(path).items())
