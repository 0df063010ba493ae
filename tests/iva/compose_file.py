"""docker-compose.yml as the tests around it see it."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from iva.local.folder import CHECKOUT

COMPOSE: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ["migrate", "web", "live", "worker", "beat"]
ANSWERS = {"IVA_HOST": "iva.test", "IVA_VERSION": "test"}


def filled_in(value: str) -> str:
    """Compose's interpolation, with the answers a person would put in .env."""
    for name, default in re.findall(r"\$\{(\w+)(?::[-?]([^}]*))?\}", value):
        value = re.sub(r"\$\{" + name + r"(:[^}]*)?\}", ANSWERS.get(name, default), value)
    return value.replace("$$", "$")


def make_secrets(folder: Path) -> Path:
    """What the two scripts make for a deployment."""
    if shutil.which("openssl") is None:
        pytest.skip("this machine has no openssl, which the two scripts call")
    subprocess.run(["sh", "deploy/make-passwords", folder], cwd=CHECKOUT, check=True)
    subprocess.run(["sh", "deploy/make-certificates", folder, "iva.test"], cwd=CHECKOUT, check=True)
    return folder
