"""Whoever wants to be told of a new version subscribes (P92; RFC 4287)."""

from xml.etree import ElementTree

from django.test import Client

from tests.agreements import documents

ATOM = {"atom": "http://www.w3.org/2005/Atom"}


def test_the_feed_names_every_version_with_its_permanent_address(db: None) -> None:
    documents.published("1.0.0")
    documents.published("2.0.0", documents.SIGNIFICANT)
    answer = Client().get("/legal/feed.atom?lang=en")
    assert answer["Content-Type"] == "application/atom+xml; charset=utf-8"
    feed = ElementTree.fromstring(answer.content)
    entries = feed.findall("atom:entry", ATOM)
    addresses = {entry.findtext("atom:id", "", ATOM) for entry in entries}
    assert {address.removeprefix("http://testserver") for address in addresses} == {
        f"/legal/{kind}/{version}/" for kind in ("terms", "privacy_policy") for version in ("1.0.0", "2.0.0")
    }
    assert all(Client().get(address).status_code == 200 for address in addresses)
    assert feed.findtext("atom:author/atom:name", "", ATOM) == "Chimege Systems LLC"


def test_before_anything_is_published_it_is_empty(db: None) -> None:
    feed = ElementTree.fromstring(Client().get("/legal/feed.atom").content)
    assert feed.findall("atom:entry", ATOM) == []
