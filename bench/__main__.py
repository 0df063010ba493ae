"""python -m bench [--full] [--strict] [NAME…]     NAME: ingest batches fields reading erasing background live

JSON lines as figures are found, then a table. `--full`: 20,000 concurrent batches instead of 2,000.
`--strict`: exit with 1 when a goal is missed, for a machine that has nothing else to do.
"""

from __future__ import annotations

import sys
import time
from importlib import import_module

from bench.figures import MISSED, Figure, table
from bench.surroundings import surroundings

BENCHMARKS = ["fields", "ingest", "batches", "background", "reading", "erasing", "live"]


def main(arguments: list[str]) -> int:
    options = {argument for argument in arguments if argument.startswith("--")}
    names = [argument for argument in arguments if argument not in options] or BENCHMARKS
    if options - {"--full", "--strict"} or set(names) - set(BENCHMARKS):
        print(__doc__, file=sys.stderr)
        return 2
    figures = measure(names, full="--full" in options)
    print(table(figures))
    missed = [figure for figure in figures if figure.mark == MISSED]
    return 1 if missed and "--strict" in options else 0


def measure(names: list[str], *, full: bool) -> list[Figure]:
    """Run the benchmarks one after the other on one pair of servers."""
    figures: list[Figure] = []

    def report(figure: Figure) -> None:
        figures.append(figure)
        print(figure.as_json(), flush=True)

    with surroundings() as servers:
        for name in names:
            started = time.monotonic()
            # Only now: the modules import models, and settings want to know where the servers are.
            import_module(f"bench.{name}").run(servers, report, full=full)
            print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return figures


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
