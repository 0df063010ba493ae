"""python -m iva.local run | manage ARGUMENT... | shell-env | with -- COMMAND... | forget"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys

from iva.local.bringing_up import Servers, described, servers
from iva.local.folder import CHECKOUT, AlreadyRunning, default_data
from iva.local.postgres import AnotherPostgresMadeThis
from iva.local.processes import ServerDidNotStart
from iva.local.serving import MANAGE, WillNotStay
from iva.local.supervising import StepFailed, Supervisor, environment_for, fail
from iva.local.unprivileged import NoUnprivilegedUser
from iva.local.wheels import WheelIsMissing

_SAID_PLAINLY = (
    AlreadyRunning,
    AnotherPostgresMadeThis,
    NoUnprivilegedUser,
    ServerDidNotStart,
    StepFailed,
    WheelIsMissing,
    WillNotStay,
)


class NotRunning(Exception):
    """There is no `make run` to attach to."""


def run() -> int:
    """Everything under one command until Ctrl-C."""
    Supervisor(described(default_data())).run()
    return 0


def manage(*arguments: str) -> int:
    """manage.py beside a running `make run`, as the owner too."""
    environment = _operators_environment()
    return subprocess.run([*MANAGE, *arguments], cwd=CHECKOUT, env=environment, check=False).returncode


def shell_env() -> int:
    """Exports for a shell: eval "$(python -m iva.local shell-env)"."""
    for name, value in _operators_environment().items():
        if name.startswith("IVA_"):
            print(f"export {name}={shlex.quote(value)}")
    return 0


def with_servers(*command: str) -> int:
    """One command beside fresh, empty, temporary servers."""
    with servers(durable=False) as fresh:
        environment = {**os.environ, **fresh.environment()}
        return subprocess.run(command, env=environment, check=False).returncode


def forget() -> int:
    """Remove the database, the queues, the keys and the passwords of this checkout."""
    both = described(default_data())
    with both.folder.held():
        shutil.rmtree(both.home)
        shutil.rmtree(both.data, ignore_errors=True)
    print("Removed the database, the queues, the keys and the passwords of this checkout.")
    return 0


def _operators_environment() -> dict[str, str]:
    """For a person beside a running `make run`: also the superuser, the backup role, the server's tools."""
    running = _running()
    return {
        **environment_for(running),
        "IVA_SUPERUSER_DATABASE_URL": running.superuser_url,
        "IVA_BACKUP_DATABASE_URL": running.backup_url,
        "IVA_POSTGRES_BIN": str(running.postgres_binary("psql").parent),
    }


def _running() -> Servers:
    """The servers of the running `make run`; raises NotRunning."""
    both = described(default_data())
    try:
        with both.folder.held():
            raise NotRunning("nothing runs here; start it with `make run` first")
    except AlreadyRunning:
        return both


def main(arguments: list[str]) -> int:
    match arguments:
        case ["run"]:
            return run()
        case ["manage", *rest]:
            return manage(*rest)
        case ["forget"]:
            return forget()
        case ["shell-env"]:
            return shell_env()
        case ["with", "--", *command] if command:
            return with_servers(*command)
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (*_SAID_PLAINLY, NotRunning) as why:
        sys.exit(fail(why))
