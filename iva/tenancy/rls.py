"""Migration operations that put a table behind the wall: one line per table (DESIGN 3, P50).

`TenantTable("Message", …)` after the `CreateModel` writes what Django's migrations cannot: a primary
key that leads with the organization, composite foreign keys (plain ones are checked past row-level
security and would tell one organization which ids exist in another), forced row-level security with
exactly one policy, and the privileges of the serving role.
"""

from collections.abc import Sequence
from typing import Any

from django.apps.registry import Apps
from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation

SERVING_ROLE = "iva_app"
ACTIVE_ORGANIZATION = "(SELECT NULLIF(current_setting('iva.organization_id', true), '')::uuid)"
POLICY = f"organization_id = {ACTIVE_ORGANIZATION}"
READ_AND_WRITE = "SELECT, INSERT, UPDATE, DELETE"


class TenantTable(Operation):
    """Put a freshly created model's table behind the wall.

    `primary_key` must lead with `organization_id`. `partitions` > 0 hash-partitions by organization.
    `grants` are the privileges of the serving role, on the parent table only. `carries` names, for a foreign
    key, a column that both rows have and that must be the same in both: PostgreSQL then sees to it.
    """

    reversible = True
    reduces_to_sql = True

    def __init__(
        self,
        model_name: str,
        primary_key: Sequence[str] = ("organization_id", "id"),
        partitions: int = 0,
        grants: str = READ_AND_WRITE,
        carries: dict[str, str] | None = None,
    ) -> None:
        if primary_key[0] != "organization_id":
            raise ValueError("the primary key of a tenant table leads with organization_id")
        self.model_name, self.primary_key = model_name, tuple(primary_key)
        self.partitions, self.grants, self.carries = partitions, grants, carries or {}

    def describe(self) -> str:
        return f"Put {self.model_name} behind the tenant wall"

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Nothing changes in Django's eyes."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        if self.partitions:
            self._partition(schema_editor, model._meta.db_table)
        for statement in self.statements(model, to_state.apps):
            schema_editor.execute(statement)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        """The table itself goes with the CreateModel that this operation follows."""

    def statements(self, model: type[models.Model], apps: Apps) -> list[str]:
        table = model._meta.db_table
        key = ", ".join(self.primary_key)
        return [
            *([] if self.partitions else [f'ALTER TABLE "{table}" DROP CONSTRAINT "{table}_pkey"']),
            f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_pkey" PRIMARY KEY ({key})',
            *(
                _composite_foreign_key(table, field, self.carries.get(field.name))
                for field in _tenant_foreign_keys(model)
            ),
            *wall(table),
            f'GRANT {self.grants} ON "{table}" TO {SERVING_ROLE}',
        ]

    def _partition(self, schema_editor: BaseDatabaseSchemaEditor, table: str) -> None:
        """Rebuild the empty table as a hash-partitioned one; PostgreSQL cannot convert in place."""
        schema_editor.execute(f'ALTER TABLE "{table}" RENAME TO "{table}_plain"')
        schema_editor.execute(
            f'CREATE TABLE "{table}" (LIKE "{table}_plain" INCLUDING DEFAULTS INCLUDING CONSTRAINTS) '
            "PARTITION BY HASH (organization_id)"
        )
        schema_editor.execute(f'DROP TABLE "{table}_plain"')
        for remainder in range(self.partitions):
            part = f"{table}_p{remainder:02d}"
            schema_editor.execute(
                f'CREATE TABLE "{part}" PARTITION OF "{table}" '
                f"FOR VALUES WITH (MODULUS {self.partitions}, REMAINDER {remainder})"
            )
            for statement in wall(part):
                schema_editor.execute(statement)


class PlatformTable(Operation):
    """Grant the serving role what it needs of a table that stands outside the wall.

    Identity columns need no grant on their sequence.
    """

    reversible = True
    reduces_to_sql = True

    def __init__(self, table: str, grants: str = READ_AND_WRITE) -> None:
        self.table, self.grants = table, grants

    def describe(self) -> str:
        return f"Grant {self.grants} on {self.table}"

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Nothing changes in Django's eyes."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        schema_editor.execute(f'GRANT {self.grants} ON "{self.table}" TO {SERVING_ROLE}')

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: Any, to_state: Any
    ) -> None:
        schema_editor.execute(f'REVOKE ALL ON "{self.table}" FROM {SERVING_ROLE}')


def wall(table: str) -> list[str]:
    """Forced row-level security with one policy; the owner is held by it too."""
    return [
        f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY',
        f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY',
        f'CREATE POLICY organization ON "{table}" USING ({POLICY}) WITH CHECK ({POLICY})',
    ]


def _tenant_foreign_keys(model: type[models.Model]) -> list[Any]:
    return [
        field
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey) and not vars(field)["db_constraint"]
    ]


def _composite_foreign_key(table: str, field: Any, carried: str | None) -> str:
    target = field.related_model._meta.db_table
    also = f', "{carried}"' if carried else ""
    return (
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_{field.column}_fk" '
        f'FOREIGN KEY (organization_id, "{field.column}"{also}) '
        f'REFERENCES "{target}" (organization_id, id{also})'
    )
