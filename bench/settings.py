"""The product's settings, the baselines' app and doors beside the product's own."""

from iva.settings import *  # noqa: F403
from iva.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "bench.naive.apps.NaiveConfig"]
ROOT_URLCONF = "bench.urls"

# Our hot door skips the look at the connection that Django takes before a request; the baselines shall too.
for _database in DATABASES.values():
    _database["CONN_HEALTH_CHECKS"] = False
