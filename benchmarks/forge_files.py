"""Makes up files whose seals fit, and counts what the command makes of them.

    python -m benchmarks.forge_files --count 1000 --seed 0

A seal finds damage; who can write into a run folder can write a new one. So a value, a shape or a
key of a record, of the timing, of weights or predictions is changed, the manifest is written anew,
and `compare`, `inspect` or `report` is run on it. It must refuse in one line that names a file of
the run, or show what it was told, in characters that steer no terminal; never a traceback. The rows
of a Markdown table go to standard output; the exit code is 1 where anything else happened.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import json
import random
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bakeoff.cli.main import run
from bakeoff.commands.run import run_study
from bakeoff.files.arrays import to_npz
from bakeoff.files.reading import SEAL, sealed
from bakeoff.files.tensors import from_safetensors, to_safetensors
from bakeoff.records.trial_files import MANIFEST, manifest_of

from .damaged_files import SMALL

TRIAL_FILES = ("record.json", "model.safetensors", "predictions.npz")
ENTRANT = "mlp-2x200"

VALUES: Sequence[Any] = (
    None, True, False, -1, 0, 1, 2, 7.5, 1e-320, 1e308, -1e308, 10**30, "", "0", "nan", "x" * 5000,
    "<script>alert(1)</script>", "\x1b[31mred", "two\nlines", "\u202ereversed", "../../escaped",
    [], {}, [[]], [0.5] * 10, {"a": 1},
)  # fmt: skip
"""What a value of a JSON document is replaced by."""


@dataclass
class Tally:
    """What became of the forgeries of one kind of file."""

    kind: str
    refused: int = 0
    shown: int = 0
    faults: list[str] = field(default_factory=list)
    """What was neither refused in one line nor shown."""

    def row(self) -> str:
        """Return the row of the table."""
        tried = self.refused + self.shown + len(self.faults)
        return (
            f"| {self.kind} | {tried:,} | {self.refused:,} | {self.shown:,} | {len(self.faults)} |"
        )


HEAD = (
    "| file | forgeries | refused in one line | shown | anything else |\n|---|---:|---:|---:|---:|"
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every (container, key) below a JSON value."""
    keys: Sequence[Any] = ()
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = range(len(value))
    for key in keys:
        yield value, key
        yield from places(value[key])


def forged_document(document: Any, rng: random.Random) -> Any:
    """Return a copy of a JSON document that differs in one place."""
    changed = copy.deepcopy(document)
    container, key = rng.choice(list(places(changed)))
    change = rng.random()
    if change < 0.1:
        del container[key]
    elif change < 0.2 and isinstance(container, list):
        container.insert(key, copy.deepcopy(container[key]))
    elif change < 0.35 and type(container[key]) in (int, float):
        container[key] = type(container[key])(container[key] * rng.choice((-1, 0.5, 1.001, 3, 1e6)))
    else:
        container[key] = copy.deepcopy(rng.choice(VALUES))
    return changed


def forged_arrays(
    arrays: dict[str, np.ndarray[Any, Any]], rng: random.Random
) -> dict[str, np.ndarray[Any, Any]]:
    """Return the arrays with one of them changed in values, shape or type, or gone."""
    changed = dict(arrays)
    name = rng.choice(sorted(changed))
    array = changed.pop(name)
    filled = array.copy()
    if filled.size:
        filled.flat[rng.randrange(filled.size)] = rng.choice((0, -1, 1, 9, 10, 1e9))
    broken = array.astype(np.float32).copy()
    broken.flat[0] = rng.choice((np.nan, np.inf, -np.inf))
    changes: list[Callable[[], None]] = [
        lambda: None,  # It stays away.
        lambda: changed.update({name: filled}),
        lambda: changed.update({name: broken}),
        lambda: changed.update({name: array[:-1]}),
        lambda: changed.update({name: np.concatenate([array, array[:1]])}),
        lambda: changed.update({name: array[..., np.newaxis]}),
        lambda: changed.update({name: array.reshape(-1)}),
        lambda: changed.update({name: array[:0]}),
        lambda: changed.update({name: array.astype(np.float64)}),
        lambda: changed.update({name: array.astype(np.uint8)}),
        lambda: changed.update({f"{name}.more": array}),
        lambda: changed.update({"a.lot": np.zeros((1000, 1000), np.float32), name: array}),
    ]
    rng.choice(changes)()
    return changed


class Forger:
    """A finished run, and one file of it at a time that is not what was measured."""

    def __init__(self, folder: Path) -> None:
        self.run = run_study(SMALL, folder, device="cpu").folder
        self.trial = self.run.trial(ENTRANT, 0).path
        self.whole = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        self._record = json.loads((self.trial / "record.json").read_text())
        self._timing = json.loads((folder / "timing.json").read_text())
        del self._timing[SEAL]
        weights = from_safetensors(self.run.read_weights(ENTRANT, 0), "weights")
        self._weights = {name: tensor.numpy() for name, tensor in weights.items()}
        self._predictions = self.run.read_predictions(ENTRANT, 0)

    def forge(self, kind: str, rng: random.Random) -> None:
        """Put a made-up file of this kind in its place, with a seal that fits."""
        if kind == "timing.json":
            content = sealed(forged_document(self._timing, rng))
            (self.run.path / kind).write_bytes(content)
            return
        if kind == "record.json":
            content = json.dumps(forged_document(self._record, rng)).encode()
        elif kind == "predictions.npz":
            content = to_npz(forged_arrays(self._predictions, rng))
        else:
            arrays = forged_arrays(self._weights, rng)
            tensors = {name: torch.tensor(array) for name, array in arrays.items()}
            content = to_safetensors(tensors)
        (self.trial / kind).write_bytes(content)
        files = {name: (self.trial / name).read_bytes() for name in TRIAL_FILES}
        (self.trial / MANIFEST).write_bytes(manifest_of(files))

    def restore(self) -> None:
        """Put every file back."""
        for path, content in self.whole.items():
            path.write_bytes(content)

    def command(self, kind: str, rng: random.Random) -> list[str]:
        """Return a command line that reads files of this kind. Reports take longest: a few."""
        folder = str(self.run.path)
        view = ["inspect", folder, "--entrant", ENTRANT, "--index", "3"]
        if rng.random() < 0.05:
            return ["report", folder]
        if kind == "model.safetensors":
            return view
        return rng.choice([["compare", folder], ["compare", folder, "--json"], view])


def judge(arguments: list[str], folder: Path) -> str:
    """Return "refused" or "shown", or what was wrong with what the command did."""
    out, err = io.StringIO(), io.StringIO()
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(arguments)
    except BaseException:
        return traceback.format_exc()
    said = [line for line in err.getvalue().splitlines() if line.startswith("bakeoff: ")]
    everything = (out.getvalue() + err.getvalue()).replace("\n", "")
    if not everything.isprintable():
        return f"said what steers a terminal: {everything!r}"
    if code == 0:
        return "shown"
    if code in (1, 2) and len(said) == 1 and str(folder) in said[0]:
        return "refused"
    return f"exit code {code}: {err.getvalue()}"


KINDS = ("record.json", "timing.json", "model.safetensors", "predictions.npz")


def tallies(folder: Path, count: int, seed: int) -> Iterator[Tally]:
    """Yield the tally of each kind; `count` forgeries in all, half of them records."""
    forger = Forger(folder)
    for kind in KINDS:
        tally = Tally(kind)
        rng = random.Random(f"{seed} {kind}")  # noqa: S311 - nobody has to guess these
        for number in range(count // 2 if kind == "record.json" else count // 6):
            forger.forge(kind, rng)
            arguments = forger.command(kind, rng)
            found = judge(arguments, forger.run.path)
            if found == "refused":
                tally.refused += 1
            elif found == "shown":
                tally.shown += 1
            else:
                tally.faults.append(f"{kind}, forgery {number}, {arguments[0]}: {found}")
            forger.restore()
        yield tally


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; return 1 where anything was neither refused nor shown."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.forge_files")
    parser.add_argument("--count", type=int, default=1000, help="forgeries in all")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    print(HEAD)
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        for tally in tallies(Path(folder) / "run", asked.count, asked.seed):
            print(tally.row(), flush=True)
            faults += tally.faults
    for line in faults:
        print(line, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
