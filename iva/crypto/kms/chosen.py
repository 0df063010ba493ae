"""Which key service this process talks to."""

import os
from functools import lru_cache
from typing import cast

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from iva.crypto.kms.promise import KeyService

# Imported by name, so that only the chosen one's client library is loaded.
SERVICES = {
    "local": ("iva.crypto.kms.local.LocalKeyring", ("IVA_KEYRING_PATH",)),
    "vault": (
        "iva.crypto.kms.vault.VaultTransit",
        ("IVA_VAULT_ADDR", "IVA_VAULT_TOKEN_FILE", "IVA_VAULT_MOUNT"),
    ),
    "aws": ("iva.crypto.kms.aws.AwsKms", ("IVA_AWS_REGION", "IVA_AWS_KMS_ENDPOINT")),
}


def service() -> KeyService:
    """The key service named by IVA_KEY_SERVICE. Raises ImproperlyConfigured for an unknown name."""
    name = settings.IVA_KEY_SERVICE
    if name not in SERVICES:
        raise ImproperlyConfigured(f"IVA_KEY_SERVICE is {name!r}; known are {', '.join(SERVICES)}")
    path, knobs = SERVICES[name]
    return _built(path, tuple(getattr(settings, knob) for knob in knobs))


@lru_cache(maxsize=8)
def _built(path: str, knobs: tuple[str, ...]) -> KeyService:
    return cast(KeyService, import_string(path)(*knobs))


# Connections of a parent process are not shared with its children.
os.register_at_fork(after_in_child=_built.cache_clear)
