"""Run all proofs and print the table: `python -m benchmarks.torture`, an hour on one core."""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
from pathlib import Path

from .outside import births, explosions, links
from .proofs import (
    Bench,
    Proof,
    Row,
    bad_trainings,
    kills_at_instants,
    kills_at_operations,
    mutations,
    refusals,
    repeats,
    rivals,
    signals_at_instants,
)
from .runs import serving


def main() -> int:
    """Print the table row by row, and every miss; return 1 if there is any."""
    asked = _arguments()
    dice = random.Random(asked.seed)  # noqa: S311 - nothing here is secret
    with tempfile.TemporaryDirectory() as name, serving(Path(name)) as server:
        alone = Bench(server, Path(name) / "alone")
        crowd = Bench(server, Path(name) / "crowd", seeds=3)
        long = Bench(server, Path(name) / "long", epochs=10)
        working = Bench(server, Path(name) / "working", seeds=2, epochs=10, jobs=2)
        every = range(1, len(alone.operations) + 1, asked.stride)
        proofs: dict[str, Proof] = {
            "operations": lambda: kills_at_operations(alone, alone.changes[:: asked.stride]),
            "instants": lambda: kills_at_instants(long, asked.kills, dice),
            "sigint": lambda: signals_at_instants(long, signal.SIGINT, asked.signals, dice),
            "sigterm": lambda: signals_at_instants(long, signal.SIGTERM, asked.signals, dice),
            "working-instants": lambda: kills_at_instants(working, asked.kills, dice),
            "working-sigint": lambda: signals_at_instants(
                working, signal.SIGINT, asked.signals, dice
            ),
            "working-sigterm": lambda: signals_at_instants(
                working, signal.SIGTERM, asked.signals, dice
            ),
            "refusals": lambda: refusals(alone, every),
            "mutations": lambda: mutations(Path(name) / "files", asked.mutations, asked.seed),
            "rivals": lambda: rivals(crowd, asked.rounds, 4, dice),
            "trainings": lambda: bad_trainings(alone, range(1, 5)),
            "links": lambda: links(alone),
            "explosions": lambda: explosions(alone),
            "births": lambda: births(alone, asked.rounds, 4),
            "repeats": lambda: repeats(alone, asked.repeats),
        }
        print("| what | bar | times | result |\n|---|---|---:|---|", flush=True)
        missed = 0
        for which, proof in proofs.items():
            if not asked.only or which in asked.only:
                missed += _shown(proof())
    return 1 if missed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torture", description=__doc__)
    parser.add_argument("--stride", type=int, default=1, help="take every n-th file operation")
    parser.add_argument("--kills", type=int, default=200, help="SIGKILLs at random instants")
    parser.add_argument("--signals", type=int, default=50, help="SIGINTs, and as many SIGTERMs")
    parser.add_argument("--mutations", type=int, default=10_000, help="damaged files")
    parser.add_argument("--rounds", type=int, default=20, help="rounds of four rivals")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0, help="of the random instants")
    parser.add_argument("--only", nargs="*", help="names of proofs; without it all")
    return parser.parse_args()


def _shown(row: Row) -> int:
    """Print a row, and what was missed beside the table; return how often."""
    print(row.markdown(), flush=True)
    for line in row.faults:
        print(f"{row.what}: {line}", file=sys.stderr, flush=True)
    return len(row.faults)


if __name__ == "__main__":
    sys.exit(main())
