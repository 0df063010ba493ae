"""Making the baselines' tables in the product's database."""

from django.apps import apps
from django.db import connections
from django.db.models import Model

from iva import roles, tenancy
from iva.tenancy.rls import TenantTable


def make() -> None:
    """Every table of the app, as the owner, with what lets the serving role in."""
    models = [*apps.get_app_config("bench_naive").get_models()]
    with connections["owner"].schema_editor() as editor:
        for model in models:
            editor.create_model(model)
        for model in models:
            for statement in _opening(model):
                editor.execute(statement)


def _opening(model: type[Model]) -> list[str]:
    """A privilege; for a tenant's table the product's own wall."""
    if issubclass(model, tenancy.TenantModel):
        key = ("organization_id", "conversation_id", "id")
        return TenantTable(model.__name__, primary_key=key).statements(model, apps)
    return [f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{model._meta.db_table}" TO {roles.APP}']
