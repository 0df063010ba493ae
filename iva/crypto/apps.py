from django.apps import AppConfig
from django.core.checks import register

from iva.crypto import checks


class CryptoConfig(AppConfig):
    name = "iva.crypto"
    label = "iva_crypto"
    verbose_name = "Keys"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        register(checks.registry_is_whole)
        register(checks.encrypted_fields_are_registered)
