"""The deployment in docker-compose.yml: closed where it must be, and every command of it starts.

There is no container engine here. The file is held against a closed description of the parts of the Compose
specification it uses, and each service of ours is started as Compose would start it, paths apart.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from iva.local.folder import CHECKOUT
from tests.iva import compose_file
from tests.iva.compose_file import ANSWERS, COMPOSE, OURS, SERVICES

LASTING = sorted(SERVICES.keys() - {"migrate"})

TEXT = {"type": "string"}
TEXTS = {"type": "array", "items": TEXT, "minItems": 1, "uniqueItems": True}
DURATION = {"type": "string", "pattern": r"^\d+(s|m)$"}
SIZE = {"type": "string", "pattern": r"^(\$\{\w+:-)?\d+[mg]\}?$"}
CONDITION = {"enum": ["service_healthy", "service_completed_successfully"]}


def closed(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def named(each: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": each}


SERVICE = closed(
    [
        *("image", "user", "read_only", "cap_drop", "security_opt", "restart", "pids_limit", "mem_limit"),
        *("healthcheck", "networks", "tmpfs", "logging"),
    ],
    image=TEXT,
    build=TEXT,
    user={"type": "string", "pattern": r"^[1-9]\d*:[1-9]\d*$"},
    read_only={"const": True},
    cap_drop={"const": ["ALL"]},
    security_opt={"const": ["no-new-privileges:true"]},
    restart={"enum": ["no", "unless-stopped"]},
    pids_limit={"type": "integer"},
    mem_limit=SIZE,
    shm_size=SIZE,
    init={"type": "boolean"},
    entrypoint=TEXTS,
    command=TEXTS,
    environment=named(TEXT),
    secrets=TEXTS,
    configs={"type": "array", "items": closed(["source", "target"], source=TEXT, target=TEXT)},
    volumes=TEXTS,
    tmpfs=TEXTS,
    networks={"anyOf": [TEXTS, named(closed([], ipv4_address={"type": "string", "format": "ipv4"}))]},
    ports=TEXTS,
    depends_on=named(closed(["condition"], condition=CONDITION)),
    stop_signal={"enum": ["SIGINT", "SIGQUIT"]},
    stop_grace_period=DURATION,
    logging=closed(["driver", "options"], driver=TEXT, options=named(TEXT)),
    healthcheck={
        "oneOf": [
            closed(["disable"], disable={"const": True}),
            closed(
                ["test", "interval", "timeout", "start_period", "retries"],
                test={"type": "array", "items": TEXT, "minItems": 2},
                interval=DURATION,
                timeout=DURATION,
                start_period=DURATION,
                retries={"type": "integer"},
            ),
        ]
    },
)
FILES = named(closed(["file"], file=TEXT))
NETWORK = closed([], internal={"type": "boolean"}, ipam=named({"type": "array", "items": named(TEXT)}))
DOCUMENT = {
    **closed(
        ["name", "services", "networks", "volumes", "secrets", "configs"],
        name={"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
        services=named(SERVICE),
        networks=named(NETWORK),
        volumes=named(closed([])),
        secrets=FILES,
        configs=FILES,
    ),
    "patternProperties": {"^x-": {"type": "object"}},
}


def names(of: Any) -> set[str]:
    return set(of)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compose_file.make_secrets(tmp_path_factory.mktemp("deployment") / "secrets")


ADDRESSES = {"IVA_VAULT_ADDR", "IVA_SITE_URL"}


class TestTheFile:
    def test_keeps_to_the_compose_specification(self) -> None:
        jsonschema.Draft202012Validator(DOCUMENT).validate(COMPOSE)

    def test_is_accepted_by_the_compose_client(self, secrets: Path) -> None:
        if subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode != 0:
            pytest.skip("this machine has no docker compose client")
        environment = {**os.environ, **ANSWERS, "IVA_SECRETS": str(secrets)}
        subprocess.run(["docker", "compose", "config", "--quiet"], cwd=CHECKOUT, env=environment, check=True)

    @pytest.mark.parametrize("name", SERVICES)
    def test_names_only_what_it_declares(self, name: str) -> None:
        service = SERVICES[name]
        assert names(service.get("secrets", [])) <= names(COMPOSE["secrets"])
        assert {config["source"] for config in service.get("configs", [])} <= names(COMPOSE["configs"])
        assert {volume.split(":")[0] for volume in service.get("volumes", [])} <= names(COMPOSE["volumes"])
        assert names(service["networks"]) <= names(COMPOSE["networks"])
        assert names(service.get("depends_on", {})) <= names(SERVICES)

    def test_mounts_files_that_exist(self) -> None:
        assert all((CHECKOUT / config["file"]).is_file() for config in COMPOSE["configs"].values())

    def test_declares_exactly_the_secrets_the_scripts_make(self, secrets: Path) -> None:
        declared = {Path(secret["file"].rpartition("}")[2]).name for secret in COMPOSE["secrets"].values()}
        made = {file.name for file in secrets.iterdir()}
        kept_for_the_operator = {"owner_password", "app_password", "ca.key", "ca.srl", ".gitignore"}
        assert declared == made - kept_for_the_operator


class TestClosedDoors:
    def test_only_the_proxy_is_published_and_only_with_tls(self) -> None:
        published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
        assert published == {"proxy": ["${IVA_PORT:-443}:8443"]}
        listens = re.findall(r"^\s*listen (.+);", (CHECKOUT / "deploy/nginx.conf").read_text(), re.M)
        assert listens == ["8443 ssl http2 default_server"]

    def test_the_proxy_reaches_nothing_but_web_and_live(self) -> None:
        others = {name for name in SERVICES if names(SERVICES[name]["networks"]) & {"front", "door"}}
        assert others == {"proxy", "web", "live"}
        assert names(SERVICES["proxy"]["networks"]) == {"front", "door"}
        assert not any("door" in SERVICES[name]["networks"] for name in ("web", "live"))

    def test_the_databases_have_no_way_out(self) -> None:
        for name in ("postgres", "valkey"):
            assert all(COMPOSE["networks"][network]["internal"] for network in SERVICES[name]["networks"])

    def test_every_connection_inside_is_tls(self, secrets: Path) -> None:
        for url in ("database_url", "owner_database_url", "superuser_database_url"):
            assert "sslmode=verify-full" in (secrets / url).read_text()
        assert (secrets / "redis_url").read_text().startswith("rediss://")
        hba = [line.split() for line in (CHECKOUT / "deploy/pg_hba.conf").read_text().splitlines()]
        assert [words[0] for words in hba if words and words[0] != "#"] == ["local", "hostssl"]
        valkey = (CHECKOUT / "deploy/start-valkey").read_text()
        assert "\nport 0\n" in valkey
        assert "\ntls-port 6379\n" in valkey
        assert "proxy_ssl_verify on;" in (CHECKOUT / "deploy/nginx.conf").read_text()
        for each in ("start-web", "start-live"):
            assert "--ssl-protocol-min tls1.2" in (CHECKOUT / "deploy" / each).read_text()

    def test_the_web_server_believes_the_proxy_alone(self) -> None:
        for name in ("web", "live"):
            believed = SERVICES[name]["environment"]["IVA_TRUSTED_PROXIES"]
            assert believed == SERVICES["proxy"]["networks"]["front"]["ipv4_address"]
            address = SERVICES[name]["networks"]["front"]["ipv4_address"]
            assert f"server {address}:8443;" in (CHECKOUT / "deploy/nginx.conf").read_text()

    def test_the_live_process_holds_no_key_and_no_way_out(self) -> None:
        live = SERVICES["live"]
        assert "volumes" not in live
        assert all(COMPOSE["networks"][network]["internal"] for network in live["networks"])

    @pytest.mark.parametrize("name", ["web", "live", "worker", "beat"])
    def test_a_serving_process_cannot_migrate(self, name: str) -> None:
        service = SERVICES[name]
        assert not [
            variable for variable in service["environment"] if "OWNER" in variable or "SUPER" in variable
        ]
        assert not [secret for secret in service["secrets"] if "owner" in secret or "super" in secret]

    @pytest.mark.parametrize("name", SERVICES)
    def test_a_secret_comes_by_file(self, name: str) -> None:
        for variable, value in SERVICES[name].get("environment", {}).items():
            if re.search("PASSWORD|SECRET|TOKEN|_URL", variable) and variable not in ADDRESSES:
                assert variable.endswith("_FILE")
                assert value.removeprefix("/run/secrets/") in SERVICES[name]["secrets"]

    @pytest.mark.parametrize("name", LASTING)
    def test_every_lasting_service_is_checked(self, name: str) -> None:
        assert SERVICES[name]["restart"] == "unless-stopped"
        assert "test" in SERVICES[name]["healthcheck"]

    def test_nothing_serves_before_the_migrations_are_done(self) -> None:
        for name in ("web", "live", "worker", "beat"):
            assert SERVICES[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


class TestTheImage:
    def test_installs_hashed_wheels_only_and_does_not_run_as_root(self) -> None:
        dockerfile = (CHECKOUT / "Dockerfile").read_text()
        assert "--require-hashes --only-binary :all: -r requirements.lock" in re.sub(
            r"\\\n\s*", "", dockerfile
        )
        assert re.findall(r"^USER (.+)$", dockerfile, re.M) == ["10001:10001"]
        assert "HEALTHCHECK" in dockerfile

    def test_holds_no_secret_and_no_development_server(self) -> None:
        ignored = (CHECKOUT / ".dockerignore").read_text().splitlines()
        assert ignored[0] == "*"
        assert {"deploy/secrets", "iva/local"} <= set(ignored)

    def test_every_knob_is_explained(self) -> None:
        settings = (CHECKOUT / "iva" / "settings.py").read_text()
        knobs = set(re.findall(r'\b(?:knob|switch|listed)\("([A-Z_]+)"', settings))
        explained = set(re.findall(r"^#?IVA_([A-Z_]+)=", (CHECKOUT / ".env.example").read_text(), re.M))
        assert knobs - explained == set()
        assert {"DATABASE_URL", "REDIS_URL", "SECRET_KEY"} <= knobs

    def test_every_variable_is_one_that_something_reads(self) -> None:
        readers = [
            *(CHECKOUT / "deploy").glob("*"),
            CHECKOUT / "iva/settings.py",
            CHECKOUT / "iva/metrics.py",
            CHECKOUT / ".env.example",
        ]
        read = "\n".join(file.read_text() for file in readers if file.is_file())
        given = {variable for name in OURS for variable in SERVICES[name]["environment"]}
        assert {
            name for name in given if name.removesuffix("_FILE").removeprefix("IVA_") not in read
        } == set()


class TestTheCertificates:
    @pytest.mark.parametrize("name", ["web", "live", "postgres", "valkey"])
    def test_are_signed_by_our_authority_for_that_name(self, secrets: Path, name: str) -> None:
        for host in (name, "localhost"):
            command = ["openssl", "verify", "-x509_strict", "-CAfile", "ca.crt", "-verify_hostname", host]
            subprocess.run([*command, f"{name}.crt"], cwd=secrets, capture_output=True, check=True)

    def test_and_for_no_other(self, secrets: Path) -> None:
        command = ["openssl", "verify", "-CAfile", "ca.crt", "-verify_hostname", "valkey", "web.crt"]
        assert subprocess.run(command, cwd=secrets, capture_output=True, check=False).returncode != 0

    def test_are_renewed_under_the_same_authority_and_passwords_stay(self, secrets: Path) -> None:
        kept = ["ca.crt", "ca.key", "database_url", "secret_key"]
        before = {name: (secrets / name).read_bytes() for name in [*kept, "web.crt"]}
        subprocess.run(["sh", "deploy/make-passwords", secrets], cwd=CHECKOUT, check=True)
        subprocess.run(["sh", "deploy/make-certificates", secrets, "iva.test"], cwd=CHECKOUT, check=True)
        assert all((secrets / name).read_bytes() == before[name] for name in kept)
        assert (secrets / "web.crt").read_bytes() != before["web.crt"]

    def test_nobody_else_on_the_machine_gets_at_them(self, secrets: Path) -> None:
        assert secrets.stat().st_mode & 0o777 == 0o700


class TestTheProxy:
    def test_overwrites_what_a_client_claims_about_itself(self) -> None:
        headers = dict(
            re.findall(r"proxy_set_header (\S+) (\S+);", (CHECKOUT / "deploy/nginx.conf").read_text())
        )
        assert headers["X-Forwarded-For"] == "$remote_addr"
        assert headers["X-Forwarded-Proto"] == "https"
        emptied = ("Forwarded", "X-Real-IP", "X-Forwarded-Host", "X-Forwarded-Port")
        assert all(headers[name] == '""' for name in emptied)

    def test_logs_no_query(self) -> None:
        (log_format,) = re.findall(r"log_format .*", (CHECKOUT / "deploy/nginx.conf").read_text())
        assert "$logged" in log_format, "the path, without the secrets of invitations"
        assert not re.search(r"\$(request|args|query_string|request_uri|http_referer)\b", log_format)

    def test_is_a_configuration_nginx_accepts(self, secrets: Path, tmp_path: Path) -> None:
        nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        if nginx is None:
            pytest.skip("this machine has no nginx")
        text = (CHECKOUT / "deploy/nginx.conf").read_text()
        text = text.replace(" /tmp/", f" {tmp_path}/").replace("/run/secrets/", f"{secrets}/")
        configuration = tmp_path / "nginx.conf"
        configuration.write_text(text)
        subprocess.run([nginx, "-t", "-q", "-c", configuration], check=True)
