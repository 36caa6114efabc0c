"""The rows of the table: each does something cruel many times and counts what went wrong."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bakeoff.errors import BakeoffError

from ..mutate_files import tallies
from .faults import CHANGES
from .runs import Ended, Server, broken_trials, fingerprint, remains, write_study

STOPS_WITHIN = 2.0
"""Seconds, and one training step, which is a hundredth of one here."""


@dataclass
class Row:
    """One line of the table."""

    what: str
    bar: str
    tried: int = 0
    faults: list[str] = field(default_factory=list)
    """One line for each time that the bar was missed."""
    remark: str = ""

    def markdown(self) -> str:
        """Return it as a line of a table."""
        result = "held" if not self.faults else f"missed {len(self.faults)} times"
        return f"| {self.what} | {self.bar} | {self.tried:,} | {result}{self.remark} |"


class Bench:
    """A study, what it comes to undisturbed in one process, and a place for the disturbed runs.

    These train in `jobs` processes.
    """

    def __init__(
        self, server: Server, place: Path, *, seeds: int = 1, epochs: int = 2, jobs: int = 1
    ) -> None:
        self.server = server
        self.place = place
        place.mkdir(parents=True, exist_ok=True)
        self.study = write_study(place, seeds=seeds, epochs=epochs)
        self._number = 0
        for self.jobs in sorted({1, jobs}):
            started = time.perf_counter()
            with self.folder() as whole:
                ended = server.run(self.arguments(whole), whole)
                self.seconds = time.perf_counter() - started
                assert ended.code == 0, ended.said
                if self.jobs == 1:
                    self.operations = ended.operations
                    self.expected = fingerprint(whole)

    @property
    def within(self) -> str:
        """Where its runs train, as rows say it."""
        return "" if self.jobs == 1 else f", {self.jobs} workers"

    @property
    def changes(self) -> list[int]:
        """The operations after which something is on the disk that was not before, from 1."""
        kinds = ("write ", "flush ", "open for writing ", *(f"{name} " for name in CHANGES))
        return [at for at, what in enumerate(self.operations, 1) if what.startswith(kinds)]

    def folder(self) -> _Folder:
        """Return a run folder that does not exist yet, and is removed after use."""
        self._number += 1
        return _Folder(self.place / f"run-{self._number}")

    def arguments(self, folder: Path) -> list[str]:
        """Return the command line that runs the study in `folder`."""
        # Of what workers do nothing is counted, and no fault is put there.
        return ["run", str(self.study), "--out", str(folder), "--jobs", str(self.jobs)]

    def disturbed(self, folder: Path) -> Iterator[str]:
        """Yield what is wrong with a folder after a disturbance, and after the same command."""
        for line in broken_trials(folder):
            yield f"not whole after the disturbance: {line}"
        ended = self.server.run(self.arguments(folder), folder)
        if ended.code != 0:
            yield f"the same command did not go on: {ended.said}"
            return
        try:
            if fingerprint(folder) != self.expected:
                yield "the resumed result is another one"
        except BakeoffError as error:
            yield f"the resumed result is damaged: {error}"
        yield from (f"left behind: {name}" for name in remains(folder))


class _Folder:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> Path:
        return self.path

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def kills_at_operations(bench: Bench, places: Iterable[int]) -> Row:
    """End a run by SIGKILL at the given operations on its files, counted from 1."""
    row = Row(
        "SIGKILL at a write, flush or rename", "the old or the new state; resumed result identical"
    )
    for at in places:
        with bench.folder() as folder:
            ended = bench.server.run(bench.arguments(folder), folder, at=at)
            row.tried += 1
            where = f"operation {at}"
            if ended.code != -signal.SIGKILL:
                row.faults.append(f"{where}: was not killed, but ended with {ended.code}")
            row.faults += [f"{where}: {line}" for line in bench.disturbed(folder)]
    return row


def kills_at_instants(bench: Bench, times: int, dice: random.Random) -> Row:
    """End runs by SIGKILL at random instants."""
    row = Row(
        f"SIGKILL at a random instant{bench.within}",
        "the old or the new state; resumed result identical",
    )
    while row.tried < times:
        with bench.folder() as folder:
            ended, _ = _signalled(bench, folder, signal.SIGKILL, dice)
            if ended.code == 0:
                continue
            row.tried += 1
            row.faults += [f"kill {row.tried}: {line}" for line in bench.disturbed(folder)]
    return row


def signals_at_instants(
    bench: Bench, number: signal.Signals, times: int, dice: random.Random
) -> Row:
    """Interrupt runs at random instants."""
    row = Row(
        f"{number.name} at a random instant{bench.within}",
        f"stops within {STOPS_WITHIN:g} s and one step, exit code {128 + number}, one line, "
        "resumable",
    )
    longest = 0.0
    while row.tried < times:
        with bench.folder() as folder:
            ended, seconds = _signalled(bench, folder, number, dice)
            if ended.code == 0:
                continue
            row.tried += 1
            longest = max(longest, seconds)
            again = " ".join(["bakeoff", *bench.arguments(folder)])
            line = f"bakeoff: interrupted; to go on where it stopped: {again}"
            if ended.code != 128 + number:
                row.faults.append(f"exit code {ended.code}: {ended.said}")
            if ended.error_lines != [line]:
                row.faults.append(f"said: {ended.said}")
            if seconds > STOPS_WITHIN:
                row.faults.append(f"took {seconds:.1f} s")
            row.faults += bench.disturbed(folder)
    row.remark = f"; the slowest took {longest:.2f} s"
    return row


def _signalled(
    bench: Bench, folder: Path, number: signal.Signals, dice: random.Random
) -> tuple[Ended, float]:
    """Start a run and send it a signal at a random instant; return how long it then took."""
    pid = bench.server.start(bench.arguments(folder), folder)
    delay = dice.uniform(0, bench.seconds)
    time.sleep(delay)
    os.kill(pid, number)
    sent = time.perf_counter()
    ended = bench.server.wait(pid)
    if ended.code == 0:  # It was done before: the undisturbed run had met a slow moment.
        bench.seconds = min(bench.seconds, delay)
    return ended, time.perf_counter() - sent


def refusals(bench: Bench, places: Sequence[int]) -> Row:
    """Refuse operations on files: no space, an input/output error, no permission."""
    row = Row(
        "ENOSPC, EIO or EACCES at a file operation",
        "one line that names a file, exit code 1, resumable",
    )
    for at in places:
        for number in (errno.ENOSPC, errno.EIO, errno.EACCES):
            with bench.folder() as folder:
                ended = bench.server.run(bench.arguments(folder), folder, at=at, error=number)
                row.tried += 1
                where = f"{errno.errorcode[number]} at {at} ({bench.operations[at - 1]})"
                lines = ended.error_lines
                # What only tidies up may fail without a word: then the run is simply done.
                quiet = ended.code == 0 and not lines
                named = len(lines) == 1 and str(folder) in lines[0]
                if not quiet and not (ended.code == 1 and named):
                    row.faults.append(f"{where}: exit code {ended.code}: {ended.said}")
                row.faults += [f"{where}: {line}" for line in bench.disturbed(folder)]
    return row


def rivals(bench: Bench, rounds: int, processes: int, dice: random.Random) -> Row:
    """Run several processes on one folder, kill one or two of them, and count the trials."""
    row = Row(
        f"{processes} processes on one folder, one or two killed",
        "every trial once in the result, the result that of one process",
    )
    for _ in range(rounds):
        with bench.folder() as folder:
            row.tried += 1
            crowd = [bench.server.start(bench.arguments(folder), folder) for _ in range(processes)]
            time.sleep(dice.uniform(0, bench.seconds * processes / 2))
            doomed = dice.sample(crowd, dice.choice((1, 2)))
            for pid in doomed:
                os.kill(pid, signal.SIGKILL)
            ends = {pid: bench.server.wait(pid) for pid in crowd}
            row.faults += [
                f"a survivor ended with {ended.code}: {ended.said}"
                for pid, ended in ends.items()
                if ended.code != 0 and pid not in doomed
            ]
            if (folder / "set-aside").exists():
                row.faults.append("a trial was set aside")
            row.faults += bench.disturbed(folder)
    return row


def bad_trainings(bench: Bench, steps: Iterable[int]) -> Row:
    """Let a step of each entrant go wrong: the loss not finite, or no memory left."""
    row = Row(
        "non-finite loss or out of memory at a step of an entrant",
        "that trial marked, the others complete",
    )
    names = {"nan": "diverged", "memory": "out_of_memory"}
    for step in steps:
        for entrant, other in (("plain", "drop"), ("drop", "plain")):
            for kind, status in names.items():
                with bench.folder() as folder:
                    ended = bench.server.run(
                        bench.arguments(folder), folder, trouble=(entrant, step, kind)
                    )
                    row.tried += 1
                    line = f"bakeoff: 1 of 2 trials did not complete: {entrant} seed 0 {status}: "
                    page = (folder / "report.html").read_text()
                    right = (
                        ended.code == 1
                        and len(ended.error_lines) == 1
                        and ended.error_lines[0].startswith(line)
                        and f"{other} stands first" in ended.said
                        and f"{entrant} seed 0 {status}" in page
                    )
                    if not right:
                        row.faults.append(f"{entrant} step {step} {kind}: {ended.said}")
                    again = bench.server.run([*bench.arguments(folder), "--retry-failed"], folder)
                    if again.code != 0 or fingerprint(folder) != bench.expected:
                        row.faults.append(f"{entrant} step {step} {kind} again: {again.said}")
    return row


def repeats(bench: Bench, times: int) -> Row:
    """Run the same study again and again."""
    row = Row("the same trials again", "one hash on CPU")
    for _ in range(times):
        with bench.folder() as folder:
            bench.server.run(bench.arguments(folder), folder)
            row.tried += 1
            if fingerprint(folder) != bench.expected:
                row.faults.append(f"repeat {row.tried} is another result")
    return row


def mutations(place: Path, count: int, seed: int) -> Row:
    """Damage files of every kind and read them."""
    row = Row(
        "mutated records, weights, manifests, checkpoints, data files",
        "every one refused by name; no wrong byte read, no traceback",
    )
    for tally in tallies(place, count, seed):
        row.tried += tally.mutations
        row.faults += [*tally.wrong, *tally.tracebacks]
        if tally.same:
            row.faults.append(f"{tally.kind}: {tally.same} read as written, not refused")
    return row


Proof = Callable[[], Row]
