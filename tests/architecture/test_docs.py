"""What the documents say is so: their tour runs, their lists are whole, and what they name exists."""

import ast
import hashlib
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command, get_commands
from django.test import Client
from rest_framework import exceptions

from accounts import api_keys
from accounts.models import Organization
from accounts.scopes import Scope
from iva import checks, personal_data
from iva.audit.events import Event
from iva.local.folder import CHECKOUT, free_port
from iva.tenancy import catalogue
from tests.agreements import documents
from tests.cast import Party
from tests.iva import reaching
from tests.iva.test_make_run import Run

APPS = ["accounts", "agent", "billing", "channels_cfg", "conversations", "iva", "privacy", "retention"]
OURS = [*APPS, "bench", "deploy", "docs", "tests", ".ci"]
DOCUMENTS = [
    *(CHECKOUT / name for name in ("README.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted((CHECKOUT / "docs").rglob("*.md")),
]
NAMES = [str(path.relative_to(CHECKOUT)) for path in DOCUMENTS]
FOLDERS = tuple(f"{name}/" for name in OURS)


def text(name: str) -> str:
    return (CHECKOUT / name).read_text(encoding="utf-8")


def blocks(name: str, language: str) -> list[str]:
    """The fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", text(name), re.M | re.S)


def coded(name: str) -> set[str]:
    """Everything a document sets in code type, outside its fenced blocks."""
    return set(re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text(name), flags=re.M | re.S)))


def sources(*folders: str) -> Iterator[tuple[Path, str]]:
    """Every file of ours that is text: those beside the Makefile, and those in the folders."""
    below = [path for name in folders for path in sorted((CHECKOUT / name).rglob("*"))]
    for path in [*sorted(CHECKOUT.iterdir()), *below]:
        private = path.name == ".env" or not {"__pycache__", "secrets"}.isdisjoint(path.parts)
        if path.is_file() and not private and path.suffix != ".mo":
            yield path, path.read_text(encoding="utf-8")


class TestTheTour:
    @pytest.fixture
    def shown(self) -> Iterator[str]:
        """What the README's lines print beside a first `make run`, all of them in one shell."""
        port = str(free_port())
        with reaching.open_folder() as folder:
            where = {"IVA_LOCAL_DATA": str(folder), "IVA_PORT": port}
            run = Run(**where)
            try:
                assert run.says("iva", "is ready at"), run.said
                yield toured(where)
            finally:
                assert run.stop() == 0, run.said

    @pytest.mark.slow
    def test_works_line_by_line(self, shown: str) -> None:
        told = [
            '"is_new": true',
            "Эх сурвалж: Картын үйлчилгээний нөхцөл",
            '"is_new": false',
            '"value": "+97661000001"',
            '"next": "',
            '"resolution": "answered"',
            '"code": "handle_invalid"',
            '"code": "conversation_not_found"',
            "end_user | ",
            " | fe010001",
            '"unreadable_at": "2',
            '"sealed_at": null',
            '"results": []',
            '"sealed_at": "2',
            '"event": "epoch.rolled"',
            "3 chains verified, all whole",
            "privacy.EndUserIdentity",
        ]
        position = 0
        for words in told:
            assert words in shown[position:], shown
            position = shown.index(words, position)
        assert re.search(r"count\s*\n-+\n\s+0\n", shown), "the serving role sees nothing"


def toured(where: dict[str, str]) -> str:
    script = "set -eu\n" + "\n".join(blocks("README.md", "bash"))
    not_ours = {name: value for name, value in os.environ.items() if not name.startswith(("IVA_", "M"))}
    command = ["bash", "-c", script]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=not_ours | where, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", NAMES)
class TestEveryDocument:
    def test_links_to_files_that_exist(self, name: str) -> None:
        links = re.findall(r"\]\((?!https?://)([^)#]+)", text(name))
        assert [link for link in links if not (CHECKOUT / name).parent.joinpath(link).exists()] == []

    def test_names_files_that_exist(self, name: str) -> None:
        """`iva/crypto/aead.py`; in the threat model `crypto/test_keys.py` is meant below tests/."""
        named = {word for word in coded(name) if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/([\w-]+\.\w+)?", word)}
        named = {word for word in named if word.startswith(FOLDERS) or "/test_" in word}
        places = [CHECKOUT, CHECKOUT / "tests"]
        named = {word for word in named if not word.startswith("deploy/secrets/")}
        assert [word for word in named if not any((place / word).exists() for place in places)] == []

    def test_names_make_targets_and_commands_that_exist(self, name: str) -> None:
        targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.M))
        fenced = "\n".join(re.findall(r"^```(?:bash|sh)?\n(.*?)^```", text(name), re.M | re.S))
        said = "\n".join([*coded(name), fenced])
        asked = set(re.findall(r"(?:^|[(`])make (?:-s )?([a-z][a-z-]+)", said, re.M))
        assert asked - targets == set()
        commands = re.findall(r"""(?:manage\.py |manage ARGS="?)([a-z][a-z_]+)(?=["`\s]|$)""", said, re.M)
        assert set(commands) - get_commands().keys() == set()


class TestThePolicy:
    def rows(self) -> list[str]:
        return re.findall(r"^\| ([PM]\d+) \|", text("docs/policy.md"), re.M)

    def test_has_a_row_for_every_number_and_one_only(self) -> None:
        numbers = [f"P{number}" for number in range(1, 101)] + [f"M{number}" for number in range(1, 16)]
        assert sorted(self.rows()) == sorted(numbers)

    def test_knows_every_number_that_is_cited(self) -> None:
        cited = {
            number
            for path, content in sources(*OURS)
            if path.suffix in (".py", ".md", ".html", ".toml")
            for number in re.findall(r"\b[PM]\d{1,3}\b(?![-.])", content)
        }
        assert cited - set(self.rows()) == set()

    def test_names_evidence_for_everything_it_calls_met(self) -> None:
        met = text("docs/policy.md").split("## The others")[0]
        rows = [line for line in met.splitlines() if re.match(r"\| P\d", line)]
        assert len(rows) == 10
        assert [line for line in rows if "tests/" not in line.split(" | ")[3]] == []


class TestTheLists:
    def test_each_package_has_one_line_of_reason(self) -> None:
        asked = [
            re.split(r"[\[<>=~! ]", line)[0]
            for name in ("requirements.in", "requirements-dev.in")
            for line in text(name).splitlines()
            if line and not line.startswith(("#", "-r "))
        ]
        reasons = re.findall(r"^- `([a-z0-9-]+)`: \S", text("docs/dependencies.md"), re.M)
        assert sorted(reasons) == sorted(asked)

    def test_each_knob_of_the_settings_is_described(self) -> None:
        knobs = set(re.findall(r'\b(?:knob|switch|listed)\(\s*"([A-Z_]+)"', text("iva/settings.py")))
        knobs |= set(re.findall(r'environ\.get\("IVA_([A-Z_]+?)(?:_FILE)?"\)', text("iva/settings.py")))
        assert {f"IVA_{knob}" for knob in knobs} - coded("docs/architecture.md") == set()

    def test_each_event_is_explained(self) -> None:
        assert set(Event) - coded("docs/api.md") == set()

    def test_each_scope_and_door_is_listed(self) -> None:
        listed = re.findall(r"^\| ([A-Z]+) \| `(\S+)` \| `(\S+)` \|$", text("docs/api.md"), re.M)
        doors = {
            (method, re.sub(r"<uuid:(\w+)>", r"{\1}", route), str(view.scopes[method]))  # type: ignore[attr-defined]
            for route, view in checks.api_views()
            for method in checks.answered_methods(view)
        }
        assert set(listed) == doors
        assert {scope for _, _, scope in listed} == set(Scope)

    def test_each_code_of_a_problem_is_explained(self) -> None:
        rows = re.findall(r"^\| ((?:`\w+` ?)+)\| \d{3} \|", text("docs/api.md"), re.M)
        assert set(re.findall(r"`(\w+)`", "".join(rows))) == problem_codes()

    def test_each_table_outside_the_wall_is_described(self) -> None:
        assert catalogue.OUTSIDE - coded("docs/architecture.md") == set()

    def test_each_model_with_personal_data_is_described(self) -> None:
        held = {entry.model._meta.label for entry in personal_data.inventory()}
        assert held == set(re.findall(r"^\| `(\w+\.\w+)` \|", text("docs/architecture.md"), re.M))

    def test_each_decision_is_numbered_and_listed(self) -> None:
        decisions = sorted(path.name for path in (CHECKOUT / "docs/decisions").glob("0*.md"))
        assert [int(name[:4]) for name in decisions] == list(range(1, len(decisions) + 1))
        assert re.findall(r"\((0\d{3}-\S+\.md)\)", text("docs/decisions/README.md")) == decisions


def problem_codes() -> set[str]:
    """Every code a problem can carry: ours, the REST framework's that we raise, and the proxy's."""
    trees = [ast.parse(content) for path, content in sources(*APPS) if path.suffix == ".py"]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    theirs = set(re.findall(r'"code": "(\w+)"', text("deploy/nginx.conf")))
    return theirs | {code for call in calls for code in _codes_of(call)}


POSITIONS = {"Problem": 0, "document": 1, "respond": 1, "_page_or_problem": 2, "PermissionDenied": 1}


def _codes_of(call: ast.Call) -> Iterator[str]:
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    known = getattr(exceptions, name, None) if name != "ValidationError" else None
    raised = isinstance(known, type) and issubclass(known, exceptions.APIException)
    if not raised and name not in POSITIONS:
        return
    given = [word.value for word in call.keywords if word.arg == "code"]
    given += call.args[POSITIONS[name] :][:1] if name in POSITIONS else []
    if raised and not given:
        yield str(known.default_code)  # type: ignore[union-attr]
    yield from (str(node.value) for node in given if isinstance(node, ast.Constant))


def test_the_recipe_for_checking_the_chain_works(acme: Party) -> None:
    acme.says("Сайн байна уу")
    recipe: dict[str, Any] = {"hashlib": hashlib, "datetime": datetime}
    exec(blocks("docs/api.md", "python")[0], recipe)
    organization = acme.call("GET", "organization/").body["id"]
    events = acme.call("GET", "audit-events/").body["results"]
    assert len(events) > 3
    assert recipe["broken_links"](organization, events) == []
    events[1] |= {"actor": "system:forged"}
    assert recipe["broken_links"](organization, events) == [events[1]["sequence"]]


def test_an_organization_is_founded_as_described(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    block = next(block for block in blocks("docs/operations.md", "") if "found_organization" in block)
    for line in block.splitlines():
        command = shlex.split(line.partition("manage.py ")[2])
        call_command(*command)
    said = capsys.readouterr().out.split()
    tokens = [word for word in said if word.startswith("iva_")]
    assert len(tokens) == 2
    assert [_status(token) for token in tokens] == [403, 403], "nobody has accepted anything yet"
    documents.first()
    founded = Organization.objects.get(slug="our-first")
    documents.accepted(founded.pk, documents.NOBODY)
    api_keys._recognized.clear()
    assert [_status(token) for token in tokens] == [200, 200]


def _status(token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return Client().get("/api/v1/conversations/", headers=headers).status_code


def test_no_file_names_a_machine_or_a_registry() -> None:
    places = "|".join(["/" + "work/", "/" + "root/", "/" + "home/", "\\.py" + "env"])
    hosts = "https?://[^\\s\"')>]*(" + "|".join(["py" + "pi", "python" + "hosted", "artifact", "nexus"]) + ")"
    found = [
        f"{path.relative_to(CHECKOUT)}: {line.strip()}"
        for path, content in sources(*OURS)
        for line in content.splitlines()
        if re.search(places, line) or re.search(hosts, line)
    ]
    assert found == []
