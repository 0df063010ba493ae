"""The web process."""

import os

from django.core.wsgi import get_wsgi_application

from iva.crypto.hardening import forbid_core_dumps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iva.settings")
forbid_core_dumps()
application = get_wsgi_application()
