"""Processor time of the servers: what a request costs, whoever else is using the cores."""

from __future__ import annotations

import os
from pathlib import Path

_PROCESSES = Path("/proc")


def seconds(*roots: int) -> float:
    """Processor time used so far by these processes and all below them; 0 where there is no /proc."""
    found = _all()
    wanted, growing = set(roots), True
    while growing:
        below = {pid for pid, (parent, _) in found.items() if parent in wanted}
        growing = not below <= wanted
        wanted |= below
    return sum(found[pid][1] for pid in wanted if pid in found) / os.sysconf("SC_CLK_TCK")


def _all() -> dict[int, tuple[int, int]]:
    """{process: (its parent, ticks of itself and of its children that have ended)}."""
    found = {}
    for folder in _PROCESSES.glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        found[int(folder.name)] = int(fields[1]), sum(map(int, fields[11:15]))
    return found
