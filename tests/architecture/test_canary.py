"""Words that were only ever said and sealed stand nowhere: not on any disk, not on any wire, in no log.

A whole deployment runs on servers of its own, the words go through its API, everything is made to fail while
they are in flight. Then it is stopped and its files are read as a thief would read them. Each place has to
show something that belongs there, so that nothing is found for want of looking.
"""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
import redis

from iva import local
from tests.architecture import canary
from tests.architecture.haunting import Haunting, Monitor, task_arguments
from tests.faults.house import open_house
from tests.faults.running import eventually

pytestmark = pytest.mark.slow

# Each place, and what has to be found there. Beat says nothing as long as all goes well.
PLACES = {
    "heap and indexes": canary.CONTROL,
    "write-ahead log": canary.CONTROL,
    "page images of the write-ahead log": canary.CONTROL,
    "dump": canary.CONTROL,
    "log of PostgreSQL": "terminating connection due to administrator command",
    "files of Valkey": canary.CONTROL,
    "what Valkey was told": "LPUSH",
    "task arguments": "[[], {}, ",
    "log of Valkey": "Ready to accept connections",
    "web.log": "api/v1/messages/",
    "worker.log": "promise failed",
    "beat.log": "",
    "ledger": '"subject"',
    "audit heads": '"digest"',
    "keyring": '"epochs"',
}
# What each kind of failure is answered with.
MET = {
    "host": {400},
    "token": {401},
    "headers": {404},
    "path": {400, 404},
    "shape": {422},
    "malformed": {400, 422},
    "latin": {400, 422},
    "handle": {422},
    "time": {422},
    "reused": {409},
    "NUL": {422},
    "lock_timeout": {503},
    "statement_timeout": {503},
    "hung up": {503},
    "broken seal": {500},
}
PAGE = 8192
NOTHING = re.compile(rb"\0{64,}")
NEEDLES = canary.needles(canary.PLANTED)


@pytest.fixture(scope="module")
def haunted() -> Iterator[dict[str, bytes]]:
    """What is left of the deployment, by place."""
    data, logs = (Path(tempfile.mkdtemp(prefix="iva-local-canary-")) for _ in range(2))
    try:
        with open_house(data, logs) as house:
            servers, monitor = house.servers, Monitor(house.servers.redis_url)
            haunt(Haunting(house, logs))
            heard = monitor.ended()
            dump = dumped(servers)
            keep_the_queue(servers)
        told = {"what Valkey was told": heard, "task arguments": task_arguments(heard), "dump": dump}
        yield told | on_disk(servers) | {log.name: log.read_bytes() for log in logs.glob("*.log")}
    finally:
        for folder in {data, logs, servers.home}:
            shutil.rmtree(folder)


def haunt(haunting: Haunting) -> None:
    with haunting.house.behind_the_wall() as db:
        mark(db)
        haunting.plant()
        haunting.erase_somebody()
        haunting.send_rubbish()
        haunting.meet_in_parallel()
        haunting.fail_statements()
        haunting.run_into(db, "lock_timeout")
        haunting.run_into(db, "statement_timeout")
        haunting.lose_connections(db)
        haunting.break_seals(db)
    heads = haunting.house.servers.data / "audit" / "heads"
    eventually(lambda: any(heads.glob("*.jsonl")), "the audit heads are anchored")
    assert haunting.met == MET


def mark(db: psycopg.Connection) -> None:
    """A plain column that the same search has to find: in a row, and in the image of its page."""
    for statement in ("UPDATE channels_cfg_channel SET name = %s", "CHECKPOINT"):
        db.execute(statement.encode(), [canary.CONTROL] if "%s" in statement else None)
    db.execute("UPDATE channels_cfg_channel SET connected_at = now()")


def keep_the_queue(servers: local.Servers) -> None:
    """Have Valkey write down what it holds, as it stands."""
    client = redis.Redis.from_url(servers.redis_url)
    client.set(canary.CONTROL, 1)
    client.config_set("rdbcompression", "no")
    client.save()
    client.close()


def dumped(servers: local.Servers) -> bytes:
    command = [servers.postgres_binary("pg_dump"), servers.backup_url]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout


def on_disk(servers: local.Servers) -> dict[str, bytes]:
    """The files of the stopped servers, and ours."""
    postgres, logs = servers.home / "postgres", servers.data / "logs"
    return {
        "heap and indexes": content(postgres, without="pg_wal"),
        "write-ahead log": content(postgres / "pg_wal"),
        "page images of the write-ahead log": page_images(servers),
        "files of Valkey": content(servers.home / "valkey"),
        "log of PostgreSQL": (logs / "postgres.log").read_bytes(),
        "log of Valkey": (logs / "valkey.log").read_bytes(),
        "ledger": content(servers.data / "ledger"),
        "audit heads": content(servers.data / "audit"),
        "keyring": content(servers.data / "keys"),
    }


def content(folder: Path, *, without: str = "") -> bytes:
    """All files below, page by page; pages that say the same, and long nothings, only once."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and without not in file.parts]
    pages = dict.fromkeys(page for file in files for page in _pages(file.read_bytes()))
    return NOTHING.sub(b"\0", b"\n".join(pages))


def _pages(raw: bytes) -> Iterator[bytes]:
    """A page and the first bytes of the next one, as the log runs on across them."""
    for start in range(0, len(raw), PAGE):
        yield raw[start : start + PAGE + 512]


def page_images(servers: local.Servers) -> bytes:
    """They are compressed in the log itself."""
    wal = servers.home / "postgres" / "pg_wal"
    segments = sorted(file.name for file in wal.iterdir() if len(file.name) == 24)
    with tempfile.TemporaryDirectory() as folder:
        command = [servers.postgres_binary("pg_waldump"), "--quiet", f"--save-fullpage={folder}/pages"]
        subprocess.run([*command, f"--path={wal}", segments[0]], check=False, stderr=subprocess.DEVNULL)
        return content(Path(folder))


@pytest.mark.parametrize("place", PLACES)
def test_no_planted_word_stands_in(haunted: dict[str, bytes], place: str) -> None:
    assert PLACES[place].encode() in haunted[place], "this is not the place, or nothing happened there"
    assert canary.found(NEEDLES, haunted[place]) == []


def test_no_place_was_left_out(haunted: dict[str, bytes]) -> None:
    assert haunted.keys() == PLACES.keys()


def test_postgresql_does_not_quote_rows_in_its_log(haunted: dict[str, bytes]) -> None:
    """The name stands in the DETAIL of the unique key that was violated."""
    assert canary.CONTROL.encode() not in haunted["log of PostgreSQL"]


@pytest.mark.parametrize("word", canary.PLANTED)
def test_the_search_would_find_it(word: str) -> None:
    for disguised in (
        f"a{word}b".encode(),
        word.upper().encode("utf-16"),
        json.dumps({"said": word}).encode(),
        repr(word.encode()).encode(),
        base64.b64encode(f"{{{word}}}".encode()),
        quote(word).encode(),
        word.encode().hex().encode(),
        hashlib.sha256(word.encode()).digest(),
    ):
        assert canary.found(canary.needles([word]), disguised)
