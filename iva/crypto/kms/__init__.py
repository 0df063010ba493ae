"""The key service: the only place where an epoch's key exists, never PostgreSQL (DESIGN 4).

An organization key is wrapped under the current *epoch*. Destroying an epoch makes every older backup
of wrapped keys worthless. Which service is used says IVA_KEY_SERVICE: `local`, `vault` or `aws`.
"""

from iva.crypto.kms.chosen import service
from iva.crypto.kms.promise import EpochDestroyed, KeyService, KeyServiceUnavailable, WrapBroken

__all__ = ["EpochDestroyed", "KeyService", "KeyServiceUnavailable", "WrapBroken", "service"]
