"""What the live database says about the wall: read from PostgreSQL's own catalogue, believed over code.

`faults` names everything that should not be: a tenant table without forced row-level security, a key or
index that does not lead with the organization, a foreign key that crosses organizations, a view that runs
as its owner, a function with its owner's rights, a role or a privilege that is too strong.
"""

from collections.abc import Iterator
from typing import Any

from iva.tenancy.rls import POLICY, SERVING_ROLE

OUTSIDE = frozenset(
    {
        "accounts_membership",
        "accounts_legaldocument",
        "accounts_organization",
        "accounts_user",
        "accounts_user_groups",
        "accounts_user_user_permissions",
        "auth_group",
        "auth_group_permissions",
        "auth_permission",
        "django_admin_log",
        "django_content_type",
        "django_migrations",
        "django_session",
        "iva_audit_audithead",
        "iva_outbox_promise",
        "iva_round",
    }
)
GRANTABLE = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
APPEND_ONLY = {
    "accounts_acceptance": {"SELECT", "INSERT"},
    "accounts_legaldocument": {"SELECT", "INSERT", "DELETE"},
    "accounts_notice": {"SELECT", "INSERT"},
    "conversations_instruction": {"SELECT", "INSERT"},
    "iva_audit_auditevent": {"SELECT", "INSERT"},
    "iva_audit_audithead": {"SELECT", "INSERT", "UPDATE"},
}

TABLES = """
SELECT c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity, pg_get_userbyid(c.relowner),
       EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'organization_id'
               AND a.attnotnull AND NOT a.attisdropped)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'f') ORDER BY c.relname
"""
POLICIES = """
SELECT polpermissive, polcmd, polroles, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)
FROM pg_policy WHERE polrelid = %s
"""
INDEXES = """
SELECT t.relname, i.relname, x.indisunique, a.attname
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
JOIN pg_namespace n ON n.oid = t.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[0]
WHERE n.nspname = 'public'
"""
FOREIGN_KEYS = """
SELECT t.relname, k.conname, f.relname,
       array(SELECT a.attname FROM unnest(k.conkey) WITH ORDINALITY u (num, position)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num ORDER BY u.position),
       array(SELECT a.attname FROM unnest(k.confkey) WITH ORDINALITY u (num, position)
             JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.num ORDER BY u.position)
FROM pg_constraint k JOIN pg_class t ON t.oid = k.conrelid JOIN pg_class f ON f.oid = k.confrelid
JOIN pg_namespace n ON n.oid = t.relnamespace WHERE k.contype = 'f' AND n.nspname = 'public'
"""
VIEWS = """
SELECT c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'public' AND (c.relkind = 'm' OR (c.relkind = 'v'
      AND NOT coalesce(c.reloptions, '{}') && ARRAY['security_invoker=true', 'security_invoker=on']))
"""
FUNCTIONS = """
SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
  AND (p.prosecdef OR p.proconfig IS NULL OR NOT EXISTS (
       SELECT FROM unnest(p.proconfig) setting WHERE setting LIKE 'search_path=%%'))
"""
ROLE = """
SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication,
       EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid)
FROM pg_roles r WHERE rolname = %s
"""
PRIVILEGES = """
SELECT c.relname, a.privilege_type, c.relispartition, a.grantee = 0
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
  AND (a.grantee = 0 OR pg_get_userbyid(a.grantee) = %s)
"""
SCHEMA = """
SELECT has_schema_privilege(%s, 'public', 'CREATE'), has_database_privilege(%s, current_database(), 'CREATE')
"""


def faults(cursor: Any) -> list[str]:
    """Everything in the database that contradicts the plan; empty when the wall stands."""
    return [*_tables(cursor), *_indexes(cursor), *_foreign_keys(cursor), *_code(cursor), *_role(cursor)]


def tenant_tables(cursor: Any) -> set[str]:
    """The tables behind the wall, partitions included."""
    cursor.execute(TABLES)
    return {row[1] for row in cursor.fetchall()} - OUTSIDE


def _tables(cursor: Any) -> Iterator[str]:
    cursor.execute(TABLES)
    for oid, table, enabled, forced, owner, has_organization in cursor.fetchall():
        if owner == SERVING_ROLE:
            yield f"{table} belongs to the serving role"
        if table in OUTSIDE:
            continue
        if not has_organization:
            yield f"{table} has no organization_id NOT NULL and is not listed as standing outside the wall"
        if not (enabled and forced):
            yield f"{table} has no forced row-level security"
        cursor.execute(POLICIES, [oid])
        if not _is_the_policy(cursor.fetchall()):
            yield f"{table} has other policies than the one"


def _is_the_policy(policies: list[tuple[bool, str, list[int], str, str]]) -> bool:
    """One permissive policy for all commands and roles, reading and writing alike."""
    if len(policies) != 1:
        return False
    permissive, command, roles, using, check = policies[0]
    expressions = {_bare(using or ""), _bare(check or "")}
    return permissive and command in ("*", b"*") and roles == [0] and expressions == {_bare(POLICY)}


def _bare(expression: str) -> str:
    """PostgreSQL prints expressions in its own way; compare without brackets, casts and spaces."""
    text = expression.replace("::text", "").replace('AS "nullif"', "")
    return "".join(text.split()).replace("(", "").replace(")", "").lower()


def _indexes(cursor: Any) -> Iterator[str]:
    cursor.execute(INDEXES)
    for table, index, unique, first in cursor.fetchall():
        if table not in OUTSIDE and first != "organization_id":
            kind = "unique key" if unique else "index"
            yield f"{kind} {index} of {table} does not lead with the organization"


def _foreign_keys(cursor: Any) -> Iterator[str]:
    cursor.execute(FOREIGN_KEYS)
    for table, name, target, columns, target_columns in cursor.fetchall():
        behind = {table, target} - OUTSIDE
        whole = "organization_id" in columns and "organization_id" in target_columns
        aligned = whole and columns.index("organization_id") == target_columns.index("organization_id")
        if behind and not aligned:
            yield f"foreign key {name} of {table} does not carry the organization"


def _code(cursor: Any) -> Iterator[str]:
    cursor.execute(VIEWS)
    for view, kind in cursor.fetchall():
        what = (
            "materialized view holds the rows of all organizations"
            if kind == "m"
            else "view runs as its owner"
        )
        yield f"{view}: {what}"
    cursor.execute(FUNCTIONS)
    for (function,) in cursor.fetchall():
        yield f"function {function} runs with its owner's rights or without a fixed search_path"


def _role(cursor: Any) -> Iterator[str]:
    cursor.execute(ROLE, [SERVING_ROLE])
    row = cursor.fetchone()
    if row is None or any(row):
        yield f"{SERVING_ROLE} is missing, belongs to another role, or has a strong attribute: {row}"
    cursor.execute(PRIVILEGES, [SERVING_ROLE])
    for table, privilege, is_partition, is_public in cursor.fetchall():
        allowed = APPEND_ONLY.get(table, GRANTABLE)
        if is_public or is_partition or privilege not in allowed:
            yield f"{privilege} on {table} is granted to {'everybody' if is_public else SERVING_ROLE}"
    cursor.execute(SCHEMA, [SERVING_ROLE, SERVING_ROLE])
    if any(cursor.fetchone()):
        yield f"{SERVING_ROLE} may create objects"
