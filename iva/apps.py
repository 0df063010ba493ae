"""The front gate and the operators' admin as Django apps."""

from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class GateConfig(AppConfig):
    name = "iva"
    verbose_name = "IVA"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("iva.checks")
        import_module("iva.celery")  # tasks are sent through this application, whoever sends them
        import_module("iva.rounds")  # listens to tasks as they end
        import_module("conversations.tasks")  # names what a nudge sends, also in a web process


class OperatorAdminConfig(AdminConfig):
    default_site = "iva.operators.site.OperatorSite"
