"""Damages every kind of file that bakeoff reads, and counts what the readers make of it.

    python -m benchmarks.mutate_files --count 10000 --seed 0

A small study is trained; then, `count` times in all, one file is damaged and read. What is read
must be what was written, or be refused in one line that names the file. The rows of a Markdown
table go to standard output; the exit code is 1 where anything was read wrong or ended in a
traceback.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bakeoff.errors import BakeoffError

from .damaged_files import Kind, kinds


@dataclass
class Tally:
    """What became of the mutations of one kind."""

    kind: str
    mutations: int = 0
    refused: int = 0
    same: int = 0
    """Read to the same content: the damage hit bytes that say nothing."""
    wrong: list[str] = field(default_factory=list)
    """Which mutations were read to another content."""
    tracebacks: list[str] = field(default_factory=list)
    """Which mutations ended in anything but one line that names the file."""

    def row(self) -> str:
        """Return the row of the table."""
        figures = (self.mutations, self.refused, self.same, len(self.wrong), len(self.tracebacks))
        return f"| {self.kind} | " + " | ".join(f"{figure:,}" for figure in figures) + " |"


HEAD = (
    "| file | mutations | refused by name | read as written | wrong bytes read | tracebacks |\n"
    "|---|---|---|---|---|---|"
)


# What can happen to a file. Each takes its bytes and returns others.


def _flip_bit(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    changed[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _flip_bits(content: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.randint(2, 30)):
        content = _flip_bit(content, rng)
    return content


def _truncate(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content))]


def _cut_the_beginning(content: bytes, rng: random.Random) -> bytes:
    return content[rng.randint(1, len(content)) :]


def _append(content: bytes, rng: random.Random) -> bytes:
    return content + rng.choice(
        [b"\n", b" ", b"\0", b"}", content, rng.randbytes(rng.randint(1, 300))]
    )


def _swap_bytes(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    one, other = rng.randrange(len(content)), rng.randrange(len(content))
    changed[one], changed[other] = changed[other], changed[one]
    return bytes(changed)


def _range(content: bytes, rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(len(content))
    return start, min(len(content), start + rng.choice([1, 4, 16, 64, 512, 4096]))


def _swap_blocks(content: bytes, rng: random.Random) -> bytes:
    a, b, c = sorted(rng.randint(0, len(content)) for _ in range(3))
    return content[:a] + content[b:c] + content[a:b] + content[c:]


def _zero(content: bytes, rng: random.Random) -> bytes:
    start, end = _range(content, rng)
    return content[:start] + bytes(end - start) + content[end:]


def _drop(content: bytes, rng: random.Random) -> bytes:
    start, end = _range(content, rng)
    return content[:start] + content[end:]


def _repeat(content: bytes, rng: random.Random) -> bytes:
    start, end = _range(content, rng)
    return content[:end] + content[start:]


def _insert(content: bytes, rng: random.Random) -> bytes:
    at = rng.randint(0, len(content))
    return content[:at] + rng.choice([b" ", b"\n", b"0", b"-", rng.randbytes(4)]) + content[at:]


def _next_digit(content: bytes, rng: random.Random) -> bytes:
    """Turn one digit into another: what a text file survives as valid, with another value."""
    places = [at for at, byte in enumerate(content[:100_000]) if 48 <= byte <= 57]
    if not places:
        return content
    at = rng.choice(places)
    return content[:at] + str(rng.randrange(10)).encode() + content[at + 1 :]


def _other_case(content: bytes, rng: random.Random) -> bytes:
    """Turn small letters into capitals or back in a range: digests mean the same in both."""
    start, end = _range(content, rng)
    return content[:start] + content[start:end].swapcase() + content[end:]


def _lose_a_line(content: bytes, rng: random.Random) -> bytes:
    lines = content.splitlines(keepends=True)
    del lines[rng.randrange(len(lines))]
    return b"".join(lines)


MUTATIONS: Sequence[Callable[[bytes, random.Random], bytes]] = (
    _flip_bit, _flip_bits, _truncate, _cut_the_beginning, _append, _swap_bytes, _swap_blocks, _zero,
    _drop, _repeat, _insert, _next_digit, _other_case, _lose_a_line,
)  # fmt: skip


def damaged(content: bytes, rng: random.Random) -> tuple[str, bytes]:
    """Return the name of a mutation and what it makes of `content`: never the same bytes."""
    while True:
        mutation = rng.choice(MUTATIONS)
        changed = mutation(content, rng)
        if changed != content:
            return mutation.__name__.lstrip("_"), changed


def _refused_by_name(error: BakeoffError, file: Path) -> bool:
    message = str(error)
    return message.isprintable() and message.startswith(f"{file}: ")


def mutate(kind: Kind, count: int, seed: int) -> Tally:
    """Damage a file `count` times, read it each time, and leave it as it was."""
    tally = Tally(kind.name)
    content, meant = kind.file.read_bytes(), kind.read()
    rng = random.Random(f"{seed} {kind.name}")  # noqa: S311  # nobody has to guess these
    try:
        for number in range(count):
            name, changed = damaged(content, rng)
            kind.file.write_bytes(changed)
            _read_once(kind, f"{kind.name}, seed {seed}, mutation {number}, {name}", meant, tally)
    finally:
        kind.file.write_bytes(content)
    return tally


def _read_once(kind: Kind, what: str, meant: object, tally: Tally) -> None:
    tally.mutations += 1
    try:
        found = kind.read()
    except BakeoffError as error:
        if _refused_by_name(error, kind.file):
            tally.refused += 1
        else:
            tally.tracebacks.append(f"{what}: refused, but not by name: {error}")
    except Exception:
        tally.tracebacks.append(f"{what}:\n{traceback.format_exc()}")
    else:
        if found == meant:
            tally.same += 1
        else:
            tally.wrong.append(what)


def tallies(folder: Path, count: int, seed: int) -> Iterator[Tally]:
    """Yield the tally of each kind; `count` mutations in all, the first kinds one more."""
    found = kinds(folder)
    each, more = divmod(count, len(found))
    for place, kind in enumerate(found):
        yield mutate(kind, each + (place < more), seed)


def _total(found: Sequence[Tally]) -> Tally:
    return Tally(
        "**all**",
        sum(each.mutations for each in found),
        sum(each.refused for each in found),
        sum(each.same for each in found),
        [line for each in found for line in each.wrong],
        [line for each in found for line in each.tracebacks],
    )


def main() -> int:
    """Print the table; return 1 where a reader failed."""
    parser = argparse.ArgumentParser(description="Damage files and count what is read.")
    parser.add_argument("--count", type=int, default=10_000, help="mutations in all")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print(HEAD)
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for tally in tallies(Path(folder), asked.count, asked.seed):
            print(tally.row(), flush=True)
            found.append(tally)
    total = _total(found)
    print(total.row())
    for line in (*total.wrong, *total.tracebacks):
        print(line, file=sys.stderr)
    return 1 if total.wrong or total.tracebacks else 0


if __name__ == "__main__":
    sys.exit(main())
