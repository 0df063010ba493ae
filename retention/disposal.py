"""The act on rows: walking the personal-data inventory and deleting what is an End User's (P79, P81).

Children go before their parents, in batches that follow the primary key, each in a transaction of its
own: a hundred thousand messages neither hold a lock for seconds nor are lost track of by a crash.
"""

import uuid
from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import Any

from django.db import connection, models

from iva import tenancy
from iva.personal_data import Entry, about_end_users

BATCH = 2_000


def dispose_batch(subject_id: uuid.UUID, most: int = BATCH) -> dict[str, int]:
    """Delete up to `most` rows of the End User; {table: rows}, empty when nothing is left.

    Runs in the caller's transaction, which has checked that no hold is in force. A parent is not touched
    before the last of its children is gone.
    """
    deleted: dict[str, int] = {}
    for entry in _children_first():
        left = most - sum(deleted.values())
        rows = _delete(entry, subject_id, left)
        if rows:
            deleted[entry.model._meta.db_table] = rows
        if rows == left:
            break
    return deleted


def remaining(subject_id: uuid.UUID) -> dict[str, int]:
    """Rows the End User still has, counted by a second path: the ORM over the same declarations."""
    found = {}
    for entry in about_end_users():
        path = entry.declaration.subject_field or ""
        if entry.declaration.reached_through:
            path = f"{entry.declaration.reached_through}__{_parent(entry).declaration.subject_field}"
        count = entry.model._default_manager.filter(**{path: subject_id}).count()
        if count:
            found[entry.model._meta.db_table] = count
    return found


def _children_first() -> Iterator[Entry]:
    entries = {entry.model: entry for entry in about_end_users()}
    graph: TopologicalSorter[type[models.Model]] = TopologicalSorter({model: set() for model in entries})
    for model in entries:
        for field in model._meta.local_fields:
            if field.related_model in entries and field.related_model is not model:
                graph.add(field.related_model, model)
    return (entries[model] for model in graph.static_order())


def _delete(entry: Entry, subject_id: uuid.UUID, most: int) -> int:
    through = entry.declaration.reached_through
    statement = _through_parent(entry) if through else _direct(entry)
    parameters: dict[str, Any] = {
        "organization": tenancy.active().organization_id,
        "subject": subject_id,
        "most": most,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.rowcount


def _direct(entry: Entry) -> str:
    table = entry.model._meta.db_table
    column = _column(entry.model, entry.declaration.subject_field or "")
    return f"""
        DELETE FROM "{table}" WHERE organization_id = %(organization)s AND id IN (
            SELECT id FROM "{table}" WHERE organization_id = %(organization)s AND "{column}" = %(subject)s
            ORDER BY id LIMIT %(most)s)
    """  # noqa: S608  identifiers come from the models


def _through_parent(entry: Entry) -> str:
    """Rows reached through their parent are found by (organization, parent, id), their primary key."""
    table = entry.model._meta.db_table
    parent = _parent(entry)
    link = _column(entry.model, entry.declaration.reached_through or "")
    owner = _column(parent.model, parent.declaration.subject_field or "")
    return f"""
        DELETE FROM "{table}" doomed USING (
            SELECT child."{link}" AS parent_id, child.id FROM "{parent.model._meta.db_table}" parent
            JOIN "{table}" child ON child.organization_id = %(organization)s AND child."{link}" = parent.id
            WHERE parent.organization_id = %(organization)s AND parent."{owner}" = %(subject)s
            LIMIT %(most)s
        ) found
        WHERE doomed.organization_id = %(organization)s
          AND doomed."{link}" = found.parent_id AND doomed.id = found.id
    """  # noqa: S608  identifiers come from the models


def _parent(entry: Entry) -> Entry:
    field = entry.model._meta.get_field(entry.declaration.reached_through or "")
    return next(other for other in about_end_users() if other.model is field.related_model)


def _column(model: type[models.Model], name: str) -> str:
    field = next(item for item in model._meta.local_fields if name in (item.name, item.attname))
    return str(field.column)
