"""A thief who can write the database moves, alters and plants ciphertexts: not one of them opens.

Real rows, every dimension of the associated data: organization, subject, table, column, row, and the
header's key id, suite, flags and version. Keys are moved with the ciphertexts where that could help.
"""

import uuid
from dataclasses import dataclass
from itertools import product

import psycopg
import pytest

from iva import tenancy
from iva.crypto import bulk, cache, keys
from iva.crypto.aead import SealBroken
from iva.crypto.keys import KeyUnknown
from iva.crypto.wrapping import WrapBroken
from tests.crypto.conftest import founded, with_key
from tests.crypto.notes import Card, Note

REFUSALS = (SealBroken, KeyUnknown, WrapBroken)
NOTE_COLUMNS = ("body", "title", "details")


@dataclass(frozen=True)
class Cell:
    """One encrypted value in the database."""

    organization: uuid.UUID
    model: type[Note] | type[Card]
    row: uuid.UUID
    name: str

    def opened(self) -> object:
        with tenancy.tenant(self.organization):
            return getattr(self.model.objects.get(pk=self.row), self.name)

    def revealed(self) -> object:
        with tenancy.tenant(self.organization):
            instance = self.model.objects.get(pk=self.row)
            bulk.reveal([instance], self.name)
            return getattr(instance, self.name)

    def stored(self, thief: psycopg.Connection) -> bytes:
        table = self.model._meta.db_table
        row = thief.execute(f"SELECT {self.name}_encrypted FROM {table} WHERE id = %s", [self.row]).fetchone()
        assert row is not None
        return bytes(row[0])

    def overwrite(self, thief: psycopg.Connection, content: bytes) -> None:
        table = self.model._meta.db_table
        thief.execute(f"UPDATE {table} SET {self.name}_encrypted = %s WHERE id = %s", [content, self.row])


@pytest.fixture
def cells(db: None, tables: None, registered: None) -> list[Cell]:
    """Two organizations, two End Users in each, two notes and a card of each, all columns filled."""
    made = []
    for organization, _ in product([founded(), founded()], range(2)):
        subject = with_key(organization)
        with tenancy.tenant(organization):
            for number in range(2):
                note = Note.objects.create(
                    end_user_id=subject,
                    body=f"b{number}",
                    title=f"t{number}",
                    details=f"d{number}",
                    motto="m",
                )
                made += [Cell(organization, Note, note.pk, name) for name in (*NOTE_COLUMNS, "motto")]
            Card.objects.create(pk=subject, body="card")
            made.append(Cell(organization, Card, subject, "body"))
    return made


def refused(cell: Cell) -> bool:
    for read in (cell.opened, cell.revealed):
        try:
            read()
        except REFUSALS:
            continue
        return False
    return True


def test_no_ciphertext_opens_in_the_place_of_another(cells: list[Cell], thief: psycopg.Connection) -> None:
    stored = {cell: cell.stored(thief) for cell in cells}
    tried = 0
    for target in cells:
        for source in cells:
            if source is not target:
                target.overwrite(thief, stored[source])
                assert refused(target), (source, target)
                tried += 1
        target.overwrite(thief, stored[target])
        assert target.opened() == target.revealed()
    assert tried == 36 * 35


def test_a_ciphertext_does_not_follow_its_row_to_another_id_subject_or_organization(
    cells: list[Cell], thief: psycopg.Connection
) -> None:
    mine = next(cell for cell in cells if cell.model is Note)
    for column, others in {
        "end_user_id": "SELECT subject_id FROM iva_crypto_datakey WHERE purpose <> 'index'",
        "organization_id": "SELECT organization_id FROM iva_crypto_organizationkey",
        "id": "SELECT gen_random_uuid()",
    }.items():
        before = thief.execute(f"SELECT {column} FROM crypto_tests_note WHERE id = %s", [mine.row]).fetchone()
        assert before is not None
        for (other,) in thief.execute(others).fetchall():
            if other == before[0]:
                continue
            thief.execute(f"UPDATE crypto_tests_note SET {column} = %s WHERE id = %s", [other, mine.row])
            moved = Cell(
                other if column == "organization_id" else mine.organization,
                Note,
                other if column == "id" else mine.row,
                "body",
            )
            assert refused(moved), column
            thief.execute(f"UPDATE crypto_tests_note SET {column} = %s WHERE id = %s", [before[0], moved.row])
    assert mine.opened() == "b0"


def test_no_other_header_opens(cells: list[Cell], thief: psycopg.Connection) -> None:
    """Every suite, flag and version there could be, and every other key there is."""
    mine = cells[0]
    stored = mine.stored(thief)
    key_ids = thief.execute("SELECT int8send(id) FROM iva_crypto_datakey").fetchall()
    headers = [stored[:at] + bytes([value]) + stored[at + 1 : 12] for at in range(4) for value in range(256)]
    headers += [stored[:4] + key_id for (key_id,) in key_ids]
    tried = 0
    for header in set(headers) - {stored[:12]}:
        mine.overwrite(thief, header + stored[12:])
        assert refused(mine)
        tried += 1
    assert tried == 4 * 255 + len(key_ids) - 1
    mine.overwrite(thief, stored)
    assert mine.opened() == "b0"


def test_no_bit_of_a_stored_envelope_can_be_flipped(cells: list[Cell], thief: psycopg.Connection) -> None:
    mine = cells[0]
    stored = mine.stored(thief)
    for bit in range(8 * len(stored)):
        flipped = bytearray(stored)
        flipped[bit // 8] ^= 1 << bit % 8
        mine.overwrite(thief, bytes(flipped))
        assert refused(mine)


def test_nothing_cut_extended_or_planted_opens(cells: list[Cell], thief: psycopg.Connection) -> None:
    mine = cells[0]
    stored = mine.stored(thief)
    planted = [stored[:length] for length in range(len(stored))]
    planted += [
        stored + b"\x00",
        stored + stored,
        b"plaintext",
        "энгийн бичвэр".encode(),
        b'{"a": 1}',
        bytes(100),
    ]
    for content in planted:
        mine.overwrite(thief, content)
        assert refused(mine)


def test_wrapped_keys_cannot_change_places(cells: list[Cell], thief: psycopg.Connection) -> None:
    """The thief gives one key row the wrapped bytes of every other, and would read through it."""
    rows = thief.execute("SELECT id, wrapped FROM iva_crypto_datakey ORDER BY id").fetchall()
    reading = {cell: cell.stored(thief)[4:12] for cell in cells}
    for key_id, wrapped in rows:
        mine = next((cell for cell, of in reading.items() if of == key_id.to_bytes(8, "big")), None)
        if mine is None:
            continue
        for other_id, other in rows:
            if other_id == key_id:
                continue
            thief.execute("UPDATE iva_crypto_datakey SET wrapped = %s WHERE id = %s", [other, key_id])
            assert refused(mine)
        thief.execute("UPDATE iva_crypto_datakey SET wrapped = %s WHERE id = %s", [wrapped, key_id])
        assert mine.opened() is not None


@pytest.mark.parametrize("cached", [True, False])
def test_a_key_row_given_to_another_subject_opens_nothing(
    organization: uuid.UUID, bat: uuid.UUID, thief: psycopg.Connection, cached: bool
) -> None:
    """With the row relabelled, an End User would read what was sealed for another."""
    saraa = with_key(organization)
    with tenancy.tenant(organization):
        note = Note.objects.create(end_user_id=bat, body="for Bat only")
        assert Note.objects.get(pk=note.pk).body == "for Bat only"
        key_id = keys.for_sealing(bat).key_id
    thief.execute("DELETE FROM iva_crypto_datakey WHERE subject_id = %s", [saraa])
    thief.execute("UPDATE iva_crypto_datakey SET subject_id = %s WHERE id = %s", [saraa, key_id])
    thief.execute("UPDATE crypto_tests_note SET end_user_id = %s", [saraa])
    if not cached:
        cache.forget_all()
    assert refused(Cell(organization, Note, note.pk, "body"))


def test_organization_keys_cannot_change_places(
    organization: uuid.UUID, another: uuid.UUID, thief: psycopg.Connection
) -> None:
    subject = with_key(organization)
    with tenancy.tenant(organization):
        note = Note.objects.create(end_user_id=subject, body="ours")
    theirs = thief.execute(
        "SELECT wrapped FROM iva_crypto_organizationkey WHERE organization_id = %s", [another]
    ).fetchone()
    assert theirs is not None
    thief.execute(
        "UPDATE iva_crypto_organizationkey SET wrapped = %s WHERE organization_id = %s",
        [theirs[0], organization],
    )
    cache.forget_all()
    with pytest.raises(ValueError, match="belongs elsewhere"), tenancy.tenant(organization):
        assert Note.objects.get(pk=note.pk).body
