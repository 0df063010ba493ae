"""Whether the lock files fit their requirements: all that is asked for is pinned, hashed and placeless."""

import re
import sys
from pathlib import Path

PAIRS = {"requirements.in": "requirements.lock", "requirements-dev.in": "requirements-dev.lock"}
_NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)")
_PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)(?:\[[^]]*\])?==(\S+)")
_PLACE = re.compile(r"https?://|--(extra-)?index-url|--find-links|--trusted-host|(^|\s)(/|file:)")


def wanted(source: Path) -> set[str]:
    """Normalized names (PEP 503) a requirements file asks for, its `-r` lines followed."""
    names: set[str] = set()
    for line in (each.strip() for each in source.read_text().splitlines()):
        if line.startswith("-r "):
            names |= wanted(source.with_name(line.removeprefix("-r ").strip()))
        elif found := _NAME.match(line):
            names.add(re.sub(r"[-_.]+", "-", found[1]).lower())
    return names


def entries(lock: Path) -> list[str]:
    """One text for each pinned package, its hashes included."""
    return [entry for entry in re.split(r"\n(?=[a-z0-9])", lock.read_text()) if _PIN.match(entry)]


def pins(lock: Path) -> dict[str, str]:
    """Name to version."""
    return {match[1]: match[2] for entry in entries(lock) if (match := _PIN.match(entry))}


def faults(source: Path, lock: Path) -> list[str]:
    missing = [f"{name} is not in it; run make lock" for name in sorted(wanted(source) - pins(lock).keys())]
    unhashed = [f"{entry.split()[0]} has no hash" for entry in entries(lock) if "--hash=sha256:" not in entry]
    lines = lock.read_text().splitlines()
    places = [f"names a place: {line.strip()}" for line in lines if _PLACE.search(line)]
    return [f"{lock}: {fault}" for fault in missing + unhashed + places]


def disagreements(serving: Path, developing: Path) -> list[str]:
    """What is tested must be what is deployed."""
    tested = pins(developing)
    differing = [name for name, version in pins(serving).items() if tested.get(name) != version]
    return [f"{serving} and {developing} pin different versions of {name}" for name in differing]


if __name__ == "__main__":
    found = [fault for source, lock in PAIRS.items() for fault in faults(Path(source), Path(lock))]
    found += disagreements(*(Path(lock) for lock in PAIRS.values()))
    sys.exit("\n".join(found) if found else 0)
