"""Runs of a tiny study in child processes, and what they left."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeoff.findings.standings import standings
from bakeoff.records.folder import RunFolder

from .warm import COUNT

STUDY = """
name = "tiny"
seeds = {seeds}

[protocol]
dataset = "digits"
validation_examples = 97
train_examples = 100

[protocol.augmentation]
shift = 1
rotate = 10
mixup = 0.3

[recipe]
epochs = {epochs}
average = 0.9

[[entrants]]
name = "plain"
architecture = "logistic-regression"

[[entrants]]
name = "drop"
architecture = "cnn-2conv-dropout"
"""
_TIMES = {"seconds", "processor_seconds", "others", "training_seconds", "started"}


@dataclass(frozen=True)
class Ended:
    """How a run ended: its exit code (negative for a signal), and what it said."""

    code: int
    said: str
    operations: tuple[str, ...]
    """The file operations of a run that came to its end."""

    @property
    def error_lines(self) -> list[str]:
        """The lines that the command says errors in, and those of a traceback."""
        lines = self.said.splitlines()
        return [line for line in lines if line.startswith(("bakeoff: ", "Traceback"))]


class Server:
    """The warm process, from the side of who asks."""

    def __init__(self, process: subprocess.Popen[str], place: Path) -> None:
        self._process = process
        self._place = place
        self._logs: dict[int, Path] = {}

    def start(
        self,
        arguments: Sequence[str],
        folder: Path,
        *,
        at: int = 0,
        error: int | None = None,
        trouble: tuple[str, int, str] | None = None,
    ) -> int:
        """Start `bakeoff` with these arguments; return its process once it listens to signals."""
        log = self._place / f"log-{len(self._logs)}"
        request = {
            "run": [*arguments], "folder": str(folder), "log": str(log), "at": at, "error": error,
            "trouble": trouble,
        }  # fmt: skip
        pid = int(self._ask(request)["pid"])
        self._logs[pid] = log
        return pid

    def wait(self, pid: int) -> Ended:
        """Return how the run ended."""
        code = int(self._ask({"wait": pid})["code"])
        log = self._logs[pid]
        count = Path(f"{log}.{COUNT}")
        seen = json.loads(count.read_text()) if count.exists() else []
        count.unlink(missing_ok=True)
        return Ended(code, log.read_text(), tuple(seen))

    def run(self, arguments: Sequence[str], folder: Path, **faults: Any) -> Ended:
        """Run `bakeoff` to its end."""
        return self.wait(self.start(arguments, folder, **faults))

    def draw_once(self, place: Path) -> None:
        """Run the study undisturbed in `place`; its figures are those of all later runs."""
        place.mkdir()
        folder = place / "run"
        ended = self.run(["run", str(write_study(place)), "--out", str(folder)], folder)
        assert ended.code == 0, ended.said
        self._ask({"figures": str(folder)})

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def serving(place: Path) -> Iterator[Server]:
    """Start the warm process; its logs go to `place`."""
    command = [sys.executable, "-m", "benchmarks.torture.warm"]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        try:
            server = Server(process, place)
            server.draw_once(place / "drawn")
            yield server
        finally:
            assert process.stdin is not None
            process.stdin.close()


def write_study(place: Path, *, seeds: int = 1, epochs: int = 2) -> Path:
    """Write the study and return its file."""
    file = place / "tiny.toml"
    file.write_text(STUDY.format(seeds=seeds, epochs=epochs))
    return file


def fingerprint(folder: Path) -> str:
    """Return a hash of all that the trials of a run are, but for times and the machine's load.

    Every file of every trial is checked against its manifest on the way. Raises BakeoffError.
    """
    run = RunFolder.open(folder)
    digest = hashlib.sha256()
    for entrant in run.study.entrants:
        for seed in run.study.trial_seeds:
            record = run.check_trial(entrant.name, seed)
            digest.update(json.dumps(_timeless(record.model_dump(mode="json"))).encode())
            files = ("model.safetensors", "predictions.npz") if record.complete else ()
            for name in files:
                digest.update((run.trial(entrant.name, seed).path / name).read_bytes())
    for row in standings(run.study, run.read_records()):
        timeless = (row.entrant, row.trials, row.validation_accuracy, row.test_accuracy)
        digest.update(json.dumps(timeless).encode())
    return digest.hexdigest()


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _timeless(part)
            for key, part in value.items()
            if key not in _TIMES and not key.startswith("milliseconds")
        }
    return [_timeless(part) for part in value] if isinstance(value, list) else value


def broken_trials(folder: Path) -> list[str]:
    """Return one line for each trial that is there and is not whole."""
    if not (folder / "study.toml").exists():
        return []
    run, lines = RunFolder.open(folder), []
    for path in sorted((folder / "trials").glob("*/*")):
        try:
            run.check_trial(path.parent.name, int(path.name))
        except Exception as error:
            lines.append(f"{path}: {error}")
    return lines


def remains(folder: Path) -> list[str]:
    """Return what a finished run should not leave: temporaries and unfinished trials."""
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.name.endswith(".tmp") or path.name == "unfinished"
    ]
