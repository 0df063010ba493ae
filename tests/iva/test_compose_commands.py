"""Every service of ours in docker-compose.yml starts, becomes healthy by its own check, and stops."""

import os
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from urllib import request
from urllib.error import HTTPError

import pytest

from iva import local
from iva.local import processes
from iva.local.folder import CHECKOUT, free_port
from tests.iva import compose_file
from tests.iva.compose_file import SERVICES, filled_in


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compose_file.make_secrets(tmp_path_factory.mktemp("deployment") / "secrets")


class Deployment:
    """Every service of ours as Compose would start it, but for paths and ports."""

    def __init__(self, folder: Path, servers: local.Servers, secrets: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.secrets = shutil.copytree(secrets, folder / "secrets")
        self._replace("database_url", servers.app_url)
        self._replace("owner_database_url", servers.owner_url)
        self._replace("superuser_database_url", servers.superuser_url)
        self._replace("redis_url", servers.redis_url)
        for each in ("keys", "ledger", "audit", "beat"):
            (folder / "records" / each).mkdir(parents=True)

    def _replace(self, secret: str, url: str) -> None:
        (self.secrets / secret).unlink()
        (self.secrets / secret).write_text(url)

    def here(self, text: str) -> str:
        text = filled_in(text).replace("/run/secrets", str(self.secrets)).replace(":8443", f":{self.port}")
        return text.replace("/var/lib/iva", str(self.folder / "records"))

    def environment(self, name: str) -> dict[str, str]:
        given = {variable: self.here(value) for variable, value in SERVICES[name]["environment"].items()}
        tools = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        ours = {"IVA_WEB_PORT": str(self.port), "IVA_WEB_SECRETS": str(self.secrets)}
        beat = {"IVA_BEAT_FOLDER": str(self.folder / "records" / "beat")}
        return {"PATH": tools, **ours, **beat, **given}

    def run(self, name: str, command: list[str]) -> subprocess.CompletedProcess[str]:
        words = [self.here(word) for word in command]
        environment = self.environment(name)
        return subprocess.run(
            words, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False
        )

    @contextmanager
    def up(self, name: str) -> Iterator[subprocess.Popen[bytes]]:
        command = [self.here(word) for word in SERVICES[name]["command"]]
        with (self.folder / f"{name}.log").open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=CHECKOUT,
                env=self.environment(name),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            processes.stop(process, signal.SIGTERM, patience=60)
            processes.kill_group(process)

    def becomes_healthy(self, name: str, process: subprocess.Popen[bytes]) -> bool:
        """Its own health check, as often as it takes, until it passes or the process has ended."""
        processes.wait_until(lambda: process.poll() is not None or self.is_healthy(name), patience=120)
        return process.poll() is None and self.is_healthy(name)

    def is_healthy(self, name: str) -> bool:
        kind, *words = SERVICES[name]["healthcheck"]["test"]
        return self.run(name, ["sh", "-c", *words] if kind == "CMD-SHELL" else words).returncode == 0

    def migrate(self) -> subprocess.CompletedProcess[str]:
        return self.run("migrate", SERVICES["migrate"]["command"])

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text()


@pytest.fixture(scope="module")
def deployment(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with local.servers(durable=False) as servers:
        yield Deployment(tmp_path_factory.mktemp("compose"), servers, secrets)


@pytest.fixture(scope="module")
def migrated(deployment: Deployment) -> Deployment:
    done = deployment.migrate()
    assert done.returncode == 0, done.stdout + done.stderr
    return deployment


@pytest.mark.slow
class TestTheCommands:
    def test_migrate_may_be_repeated(self, migrated: Deployment) -> None:
        again = migrated.migrate()
        assert again.returncode == 0, again.stderr
        assert "No migrations to apply" in again.stdout

    def test_web_answers_over_tls_and_over_nothing_else(self, migrated: Deployment) -> None:
        with migrated.up("web") as web:
            assert migrated.becomes_healthy("web", web), migrated.log("web")
            trust = ssl.create_default_context(cafile=str(migrated.secrets / "ca.crt"))
            with request.urlopen(f"https://localhost:{migrated.port}/healthz", context=trust) as answer:
                assert answer.status == 200
            with pytest.raises(HTTPException):
                request.urlopen(f"http://localhost:{migrated.port}/healthz")

    def test_live_answers_over_tls_and_lets_nobody_in(self, migrated: Deployment) -> None:
        with migrated.up("live") as live:
            assert migrated.becomes_healthy("live", live), migrated.log("live")
            trust = ssl.create_default_context(cafile=str(migrated.secrets / "ca.crt"))
            with pytest.raises(HTTPError, match="401"):
                request.urlopen(f"https://localhost:{migrated.port}/live/", context=trust)

    def test_worker_answers_its_health_check(self, migrated: Deployment) -> None:
        assert not migrated.is_healthy("worker")
        with migrated.up("worker") as worker:
            assert migrated.becomes_healthy("worker", worker), migrated.log("worker")

    def test_beat_writes_its_schedule(self, migrated: Deployment) -> None:
        assert not migrated.is_healthy("beat")
        with migrated.up("beat") as beat:
            assert migrated.becomes_healthy("beat", beat), migrated.log("beat")
