"""Run as a program on other servers than this run's own: found an organization of the cast there.

python -m tests.faults.founding Acme      prints {"id": …, "token": …}
"""

import json
import sys

import django

django.setup()

from tests import cast  # noqa: E402  models exist only after the setup

if __name__ == "__main__":
    party = cast.found(sys.argv[1])
    print(json.dumps({"id": str(party.id), "token": party.token}))
