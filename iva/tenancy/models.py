"""The base of every organization's rows, and the manager that names the organization in each query."""

from typing import Any, Self, TypeVar

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models.constants import LOOKUP_SEP

from iva.tenancy import context
from iva.tenancy.ids import new_id


class SealedFieldUsed(TypeError):
    """A query tried to read, sort or compare an encrypted column in the database."""


class ActiveOrganization(models.Func):
    """`iva.organization_id` of the transaction, as the database itself knows it."""

    template = "NULLIF(current_setting('iva.organization_id', true), '')::uuid"
    output_field = models.UUIDField()
    arity = 0


def active_organization_id() -> Any:
    """Default of `organization_id`. Raises NoTenantActive outside `tenant()`."""
    return context.active().organization_id


Row = TypeVar("Row", bound=models.Model, covariant=True)


class TenantQuerySet(models.QuerySet[Row]):
    """Queries that refuse to look into encrypted columns: the database cannot, and must not pretend."""

    def _values(self, *fields: Any, **expressions: Any) -> Self:
        names = [name for name in fields if isinstance(name, str)]
        self._refuse_sealed(names or [field.name for field in self.model._meta.concrete_fields])
        return super()._values(*fields, **expressions)  # type: ignore[misc]

    def order_by(self, *fields: Any) -> Self:
        self._refuse_sealed([name.lstrip("-") for name in fields if isinstance(name, str)])
        return super().order_by(*fields)

    def distinct(self, *fields: Any) -> Self:
        self._refuse_sealed(list(fields))
        return super().distinct(*fields)

    def _annotate(self, args: Any, kwargs: Any, select: bool = True) -> Self:
        for expression in (*args, *kwargs.values()):
            self._refuse_sealed(_names_in(expression))
        return super()._annotate(args, kwargs, select=select)  # type: ignore[misc]

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        for expression in (*args, *kwargs.values()):
            self._refuse_sealed(_names_in(expression))
        return super().aggregate(*args, **kwargs)

    def _refuse_sealed(self, names: list[str]) -> None:
        for name in names:
            if _is_sealed(self.model, name):
                raise SealedFieldUsed(
                    f"{self.model._meta.label}.{name} is encrypted: read it from an instance"
                )


def _names_in(expression: Any) -> list[str]:
    if isinstance(expression, models.F):
        return [str(vars(expression)["name"])]
    sources: list[Any] = getattr(expression, "get_source_expressions", list)()
    return [name for source in sources if source is not None for name in _names_in(source)]


def _is_sealed(model: type[models.Model], path: str) -> bool:
    for part in path.split(LOOKUP_SEP):
        try:
            field = model._meta.get_field(part)
        except FieldDoesNotExist:
            return False
        if getattr(field, "sealed", False):
            return True
        if field.related_model is None:
            return False
        model = field.related_model
    return False


class TenantManager(models.Manager.from_queryset(TenantQuerySet)[Row]):  # type: ignore[misc]
    """Names the organization in every query: the wall is PostgreSQL's, this lets it prune partitions.

    Raises NoTenantActive when a query is begun outside `tenant()`.
    """

    use_in_migrations = False

    def get_queryset(self) -> TenantQuerySet[Row]:
        organization_id = context.active().organization_id
        return super().get_queryset().filter(organization_id=organization_id)


class TenantModel(models.Model):
    """A row that belongs to one organization.

    In the database its primary key starts with `organization_id` (written by `TenantTable` in the
    migration); in Django's eyes `id` is the key, because the admin and foreign keys cannot use a
    composite one.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization_id = models.UUIDField(
        default=active_organization_id, db_default=ActiveOrganization(), editable=False
    )

    objects = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"
        default_manager_name = "objects"
