"""An embedded PostgreSQL and Valkey, for `make run` and the tests; never for a deployment.

Stands alone: the standard library, the wheels that carry the servers, psycopg and redis. No Django here.

    with local.servers(durable=False) as servers:   # a fresh temporary folder, gone afterwards
        servers.app_url, servers.redis_url
"""

from iva.local.bringing_up import Servers, servers
from iva.local.folder import AlreadyRunning
from iva.local.postgres import AnotherPostgresMadeThis
from iva.local.processes import ServerDidNotStart
from iva.local.wheels import WheelIsMissing

__all__ = [
    "AlreadyRunning",
    "AnotherPostgresMadeThis",
    "ServerDidNotStart",
    "Servers",
    "WheelIsMissing",
    "servers",
]
