"""The run folder: each trial appears whole, is never rewritten, and is checked when read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset
from bakeoff.errors import StoreError
from bakeoff.files import locks
from bakeoff.files.locks import Say
from bakeoff.files.place import Place
from bakeoff.records import looks
from bakeoff.records.conditions import foreign_predictions, foreign_record
from bakeoff.records.contradictions import contradiction_in
from bakeoff.records.limits import LARGEST_ARRAYS
from bakeoff.records.origin_file import ORIGIN
from bakeoff.records.own_study import LOCKS, SOURCES, study_of, take_up
from bakeoff.records.record import Provenance, Record
from bakeoff.records.timing_file import TIMING, Timing
from bakeoff.records.trial_files import (
    PREDICTIONS,
    RECORD,
    WEIGHTS,
    files_of,
    predictions_in,
    read_listed,
    record_in,
)
from bakeoff.study.study import Study

if TYPE_CHECKING:
    import torch


_SEED = re.compile("0|[1-9][0-9]{0,8}")
"""The name of a trial's folder."""


def _code(sha256: str) -> tuple[str, str]:
    return SOURCES, sha256[:16]


class RunFolder:
    """The folder that a run leaves. `create` and `open` are the ways to get one."""

    def __init__(self, path: Path, study: Study) -> None:
        self.path = path
        self.study = study

    @classmethod
    def create(
        cls, path: Path, study: Study, say: Say = lambda text: None, *, reopen: bool = False
    ) -> RunFolder:
        """Return the folder for `study`, made where it does not exist yet.

        A folder of the same study is taken up again, also with another number of seeds, and with
        `reopen` with another rule of decision than verdicts were seen by. Raises StoreError where
        the folder belongs to another study or cannot be written.
        """
        take_up(path, study, say, reopen=reopen)
        return cls(path, study)

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Return the folder that an earlier run left; raise StoreError where there is none."""
        return cls(path, study_of(path))

    def place(self, *steps: str) -> Place:
        """Return a place in the folder."""
        return Place(self.path, steps)

    def trial(self, entrant: str, seed: int) -> Place:
        """Return the folder of one trial."""
        return self.place("trials", entrant, str(seed))

    def unfinished(self, entrant: str, seed: int) -> Place:
        """Return the folder where a trial is in the making: the lock's holder's own."""
        # Seeds are numbers, so the last dot parts the two, whatever dots are in the name.
        return self.place("unfinished", f"{entrant}.{seed}")

    def lock(self, entrant: str, seed: int) -> Place:
        """Return the file whose lock belongs to who trains the trial, or moves it away."""
        return self.place(LOCKS, f"trial.{entrant}.{seed}")

    def is_at_work(self, entrant: str, seed: int) -> bool:
        """Return whether somebody trains the trial now, or moves it away. Raises StoreError."""
        return locks.is_held(self.lock(entrant, seed))

    @property
    def conclusion_lock(self) -> Place:
        """The file whose lock belongs to who measures or writes what all trials come to."""
        return self.place(LOCKS, "conclusion")

    def refuse_without_locks(self) -> None:
        """Raise StoreError where locks in the folder exclude nobody."""
        locks.refuse_without_locks(self.place(LOCKS, "proof"))

    def code(self, sha256: str) -> Path:
        """Return the folder of the code, or given weights, of this hash, by its beginning."""
        return self.place(*_code(sha256)).path

    def keep_code(self, kept: Mapping[str, Mapping[str, bytes]]) -> None:
        """Write code and given weights: SHA-256 -> files by their path. Raises StoreError."""
        for sha256, files in kept.items():
            for path, content in files.items():
                file = self.place(*_code(sha256), *path.split("/"))
                if not file.is_there():
                    file.write(content)

    def kept_code(self) -> dict[str, dict[str, bytes]]:
        """Return the code and the given weights of the study's networks, as `keep_code` takes them.

        Raises BakeoffError.
        """
        named = [(each.source, each.weights_sha256) for each in self.study.entrants]
        wanted = {sha256 for pair in named for sha256 in pair if sha256 is not None}
        found = {}
        for sha256 in wanted:
            root = self.code(sha256)
            files = [path for path in root.rglob("*") if path.is_file()]
            steps = [path.relative_to(root).parts for path in files]
            found[sha256] = {
                "/".join(each): self.place(*_code(sha256), *each).read(LARGEST_ARRAYS)
                for each in steps
            }
        return found

    def has_trial(self, entrant: str, seed: int) -> bool:
        """Return whether the trial is finished, whatever its outcome."""
        return self.trial(entrant, seed).is_there()

    def write_trial(
        self,
        record: Record,
        weights: Mapping[str, torch.Tensor],
        predictions: Mapping[str, NDArray[Any]],
    ) -> None:
        """Write a finished trial. Its folder appears under its name only when all is in it.

        Raises StoreError, and writes nothing, where the trial could not be read back, or where a
        complete one has no predictions or weights, or not those that its record speaks of.
        """
        key = record.entrant, record.seed
        final = self.trial(*key)
        if final.is_there():
            raise StoreError(f"{final}: already there; a finished trial is never overwritten")
        self._refuse_foreign(record, *key)
        files = files_of(record, weights, predictions, final)
        complete = self.unfinished(*key) / "complete"
        complete.remove()
        for name, content in files.items():
            (complete / name).write(content)
        complete.move(final)
        self.tidy(record)

    def tidy(self, record: Record) -> None:
        """Remove what a finished trial leaves behind of its making: checkpoints, mostly.

        Those of a trial that can go on from them stay.
        """
        making = self.unfinished(record.entrant, record.seed)
        if record.resumable:
            making.remove_if_empty()
        else:
            making.remove()
        self.drop_empty()

    def drop_empty(self) -> None:
        """Remove the folder of unfinished trials with the last of them."""
        self.place("unfinished").remove_if_empty()

    def check_trial(self, entrant: str, seed: int) -> Record:
        """Return the record of a finished trial after checking every file of it.

        Raises DamagedError, naming the file, where one is not what was written.
        """
        record = self.read_record(entrant, seed)
        for name in (WEIGHTS, PREDICTIONS) if record.complete else (WEIGHTS,):
            read_listed(self.trial(entrant, seed) / name)
        return record

    def set_aside(self, entrant: str, seed: int) -> Place:
        """Move a finished trial, whatever its state, to a name where nothing reads it; return it.

        Only for the holder of its lock. Nothing that is set aside is ever removed.
        """
        number = 1
        while (target := self.place("set-aside", entrant, f"{seed}-{number}")).is_there():
            number += 1
        self.trial(entrant, seed).move(target)
        return target

    def read_record(self, entrant: str, seed: int) -> Record:
        """Return the record of a finished trial; raise StoreError, naming the file, if damaged."""
        file = self.trial(entrant, seed) / RECORD
        record = record_in(read_listed(file), file)
        self._refuse_foreign(record, entrant, seed)
        return record

    def read_records(self) -> tuple[Record, ...]:
        """Return the records of all finished trials of the study, entrant by entrant."""
        return tuple(self.read_record(*key) for key in self.finished())

    def finished(self) -> list[tuple[str, int]]:
        """Return entrant and seed of all finished trials of the study, entrant by entrant."""
        return [
            (entrant.name, seed)
            for entrant in self.study.entrants
            for seed in self._seeds_there(entrant.name)
            if seed < self.study.seeds
        ]

    def begun(self, trials: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
        """Return those of the trials of whose making something lies here."""
        names = set(self.place("unfinished").names())
        return [trial for trial in trials if self.unfinished(*trial).name in names]

    def seeds_beyond(self, entrant: str) -> tuple[int, ...]:
        """Return the seeds of trials that lie here but that the study, with fewer, leaves out."""
        return tuple(seed for seed in self._seeds_there(entrant) if seed >= self.study.seeds)

    def _seeds_there(self, entrant: str) -> list[int]:
        # One listing: a thousand trials, each asked for, take a server of files a thousand answers.
        names = self.place("trials", entrant).names()
        return sorted(int(name) for name in names if _SEED.fullmatch(name))

    def read_weights(self, entrant: str, seed: int) -> bytes:
        """Return the bytes of `model.safetensors` of a finished trial, checked by its manifest."""
        return read_listed(self.trial(entrant, seed) / WEIGHTS)

    def read_predictions(self, entrant: str, seed: int) -> dict[str, NDArray[Any]]:
        """Return the arrays of `predictions.npz` of a complete trial, checked."""
        file = self.trial(entrant, seed) / PREDICTIONS
        return predictions_in(read_listed(file), file)

    def read_tested(self, entrant: str, seed: int, dataset: Dataset) -> dict[str, NDArray[Any]]:
        """Return what `read_predictions` does of a trial on the images that its seed has here.

        Raises StoreError where it was tested on other images or classes, or trained on another
        split.
        """
        found = self.read_predictions(entrant, seed)
        complaint = foreign_predictions(found, self.study, seed, dataset)
        if complaint:
            raise StoreError(f"{self.trial(entrant, seed)}: {complaint}")
        return found

    def write_timing(self, timing: Timing) -> None:
        """Write what the timing pass measured; only for the holder of `conclusion_lock`.

        Raises StoreError, and writes nothing, where it could not be read back.
        """
        TIMING.write(self.place(), timing)

    def read_timing(self) -> Timing:
        """Return what `write_timing` wrote, or nothing where no timing pass was made yet."""
        return TIMING.read(self.place())

    def write_origin(self, origin: Provenance) -> None:
        """Write where, and as what, the run is begun or goes on. Raises StoreError."""
        with locks.held(self.place(LOCKS, "study")):
            ORIGIN.write(self.place(), origin)

    def read_origin(self) -> Provenance | None:
        """Return what `write_origin` wrote, or None where earlier versions began the run."""
        return ORIGIN.read(self.place())

    def read_looks(self) -> tuple[looks.Look, ...]:
        """Return the looks that were taken at verdicts of this run, oldest first."""
        return looks.LOOKS.read(self.place()).looks

    def keep_look(self, look: looks.Look) -> str | None:
        """Add a look to the list if it is a new one; return why it could not be kept, or None."""
        return looks.keep_look(self.place(), look, self.conclusion_lock)

    def _refuse_foreign(self, record: Record, entrant: str, seed: int) -> None:
        file = self.trial(entrant, seed) / RECORD
        complaint = foreign_record(record, entrant, seed, self.study)
        if complaint:
            raise StoreError(f"{file}: {complaint}")
        contradiction = contradiction_in(record, self.study.entrant(entrant))
        if contradiction:
            raise StoreError(f"{file}: not a record of this version ({contradiction})")
