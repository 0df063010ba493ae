"""The one transaction in which an organization's rows can be seen."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction


class NoTenantActive(RuntimeError):
    """Rows of an organization were asked for outside `tenant()`."""


class AnotherTenantActive(RuntimeError):
    """A transaction belongs to one organization; a second one was named inside it."""


@dataclass(slots=True)
class Tenancy:
    """What a transaction knows about its organization, and for which purpose it was opened (P16).

    `memo` is scratch space that ends with the transaction.
    """

    organization_id: uuid.UUID
    purpose: str
    memo: dict[Any, Any] = field(default_factory=dict)
    _before_commit: list[Callable[[], None]] = field(default_factory=list)
    _at_the_very_end: list[Callable[[], None]] = field(default_factory=list)
    _outside: list[Callable[[], None]] = field(default_factory=list)

    def before_commit(
        self, callback: Callable[[], None], *, very_last: bool = False, outside: bool = False
    ) -> None:
        """Run the callable just before COMMIT, never after a failure.

        Rows that every transaction of the organization locks (counters, the head of the audit chain) are
        touched there: for the length of a commit, and always in the same order. `very_last` is the audit's.
        What is written `outside` the database comes after all of it: nothing but the COMMIT can then fail.
        """
        chosen = self._outside if outside else self._at_the_very_end if very_last else self._before_commit
        chosen.append(callback)

    def run_before_commit(self) -> None:
        for callbacks in (self._before_commit, self._at_the_very_end, self._outside):
            while callbacks:
                callbacks.pop(0)()


_current: ContextVar[Tenancy | None] = ContextVar("iva_tenancy", default=None)


def current() -> Tenancy | None:
    """The active tenancy, or None outside `tenant()`."""
    return _current.get()


def active() -> Tenancy:
    """The active tenancy. Raises NoTenantActive outside `tenant()`."""
    tenancy = _current.get()
    if tenancy is None:
        raise NoTenantActive("name the organization first: with tenancy.tenant(organization_id)")
    return tenancy


SERVICE_OPERATE = "service.operate"


@contextmanager
def tenant(
    organization_id: uuid.UUID, purpose: str = SERVICE_OPERATE, *, pipelined: bool = False
) -> Iterator[Tenancy]:
    """Open a transaction in which PostgreSQL shows the rows of this organization and no others.

    `purpose` is a code of the closed vocabulary (P32); encrypted fields open only for a purpose their
    model declares (P16).

    Nesting with the same organization joins the open transaction and its purpose; another organization
    raises AnotherTenantActive. An exception rolls everything back, including the audit events.
    The transaction is always the outermost one, so that the organization cannot outlive the block.
    `pipelined` sends statements without waiting for each other's answers (BEGIN and SET LOCAL travel with
    the first query, COMMIT with the last).
    """
    already = _current.get()
    if already is not None:
        if already.organization_id != organization_id:
            raise AnotherTenantActive(f"{already.organization_id} is active, {organization_id} was asked for")
        yield already
        return
    tenancy = Tenancy(organization_id, purpose)
    with transaction.atomic(durable=True), _pipelined() if pipelined else nullcontext():
        name_organization(organization_id)
        token = _current.set(tenancy)
        try:
            yield tenancy
            tenancy.run_before_commit()
        finally:
            _current.reset(token)


@contextmanager
def swift(organization_id: uuid.UUID, purpose: str = SERVICE_OPERATE) -> Iterator[Any]:
    """A tenant's transaction of a few statements, on the one bare cursor it yields.

    Without Django's bookkeeping of transactions and cursors, which costs more than the statements. No ORM
    writes, savepoints, `on_commit` or `before_commit` inside: whoever comes this way counts and audits in
    statements of their own. Raises AnotherTenantActive when a transaction is open already.
    """
    if _current.get() is not None or connection.in_atomic_block:
        raise AnotherTenantActive("a swift transaction is always the outermost one")
    connection.ensure_connection()
    raw: Any = connection.connection
    token = _current.set(Tenancy(organization_id, purpose))
    try:
        with connection.wrap_database_errors, _committed(raw):
            cursor = raw.cursor(binary=True)
            # Without parameters, and as text, both statements travel as one.
            cursor.execute(f"BEGIN; {set_local(organization_id)}", prepare=False, binary=False)
            yield cursor
    finally:
        _current.reset(token)


@contextmanager
def _committed(raw: Any) -> Iterator[None]:
    try:
        yield
        raw.commit()
    except BaseException:
        if not raw.closed:
            raw.rollback()
        raise


@contextmanager
def _pipelined() -> Iterator[None]:
    """Send COMMIT together with the last statements; `atomic` then finds the transaction ended.

    A statement that fails makes PostgreSQL skip what was sent after it, the COMMIT too.
    """
    with connection.wrap_database_errors, connection.connection.pipeline(), connection.cursor() as cursor:
        yield
        cursor.execute("COMMIT")


def name_organization(organization_id: uuid.UUID) -> None:
    """`SET LOCAL iva.organization_id`: PostgreSQL forgets it with the transaction.

    SET and not `set_config()`, because only SET is carried to the shards of a distributed database
    (DESIGN 3). SET takes no bound parameters; the text of a UUID needs no quoting.
    """
    with connection.cursor() as cursor:
        cursor.execute(set_local(organization_id))


def set_local(organization_id: uuid.UUID) -> str:
    """The statement that names the organization. Raises TypeError for anything that is not a UUID."""
    if not isinstance(organization_id, uuid.UUID):
        raise TypeError("an organization is named by its UUID")
    return f"SET LOCAL iva.organization_id = '{organization_id}'"
