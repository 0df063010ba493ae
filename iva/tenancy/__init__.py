"""Tenancy: the organization is named at the door and enforced by PostgreSQL (DESIGN 3, P50)."""

from iva.tenancy.context import (
    SERVICE_OPERATE,
    AnotherTenantActive,
    NoTenantActive,
    Tenancy,
    active,
    current,
    name_organization,
    set_local,
    swift,
    tenant,
)
from iva.tenancy.ids import new_id
from iva.tenancy.models import SealedFieldUsed, TenantManager, TenantModel, TenantQuerySet

__all__ = [
    "SERVICE_OPERATE",
    "AnotherTenantActive",
    "NoTenantActive",
    "SealedFieldUsed",
    "Tenancy",
    "TenantManager",
    "TenantModel",
    "TenantQuerySet",
    "active",
    "current",
    "name_organization",
    "new_id",
    "set_local",
    "swift",
    "tenant",
]
