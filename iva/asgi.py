"""The live stream's process. Everything else is WSGI, which serves pages far faster (decision 0021)."""

import os

import django

from iva.crypto.hardening import forbid_core_dumps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iva.settings")
forbid_core_dumps()
django.setup()

from iva.streaming.application import Application  # noqa: E402  settings exist only after the setup

application = Application()
