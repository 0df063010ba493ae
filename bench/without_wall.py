"""The web process without row-level security: it signs in as a role that bypasses it (`BYPASSRLS`), and
does not name the organization to PostgreSQL. Its statements are the same; they name the organization too.
"""

import uuid

from bench.wsgi import application as application
from iva.tenancy import context


def _not_named(_organization_id: uuid.UUID) -> None:
    """No `SET LOCAL`."""


context.name_organization = _not_named
