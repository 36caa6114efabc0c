"""The run folder: each trial appears whole, is never rewritten, and is checked when read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset
from bakeoff.errors import StoreError
from bakeoff.files.atomic import below, is_there, move_folder, remove_folder, write_file
from bakeoff.files.locks import Say
from bakeoff.records import looks, timing_file, trial_files
from bakeoff.records.conditions import foreign_predictions, foreign_record
from bakeoff.records.contradictions import contradiction_in
from bakeoff.records.own_study import LOCKS, study_of, take_up
from bakeoff.records.record import Record
from bakeoff.study.study import Study

if TYPE_CHECKING:
    import torch


_SEED = re.compile("0|[1-9][0-9]{0,8}")
"""The name of a trial's folder."""


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

    def place(self, *steps: str) -> Path:
        """Return a path in the folder; raise StoreError where a link would lead out of it."""
        return below(self.path, *steps)

    def trial(self, entrant: str, seed: int) -> Path:
        """Return the folder of one trial."""
        return self.place("trials", entrant, str(seed))

    def unfinished(self, entrant: str, seed: int) -> Path:
        """Return the folder where a trial is in the making: the lock's holder's own."""
        # Seeds are numbers, so the last dot parts the two, whatever dots are in the name.
        return self.place("unfinished", f"{entrant}.{seed}")

    def lock(self, entrant: str, seed: int) -> Path:
        """Return the file whose lock belongs to who trains the trial, or moves it away."""
        return self.place(LOCKS, f"trial.{entrant}.{seed}")

    def trial_locks(self) -> list[Path]:
        """Return the lock files of all trials that anybody ever began here."""
        return list(self.place(LOCKS).glob("trial.*"))

    @property
    def conclusion_lock(self) -> Path:
        """The file whose lock belongs to who measures or writes what all trials come to."""
        return self.place(LOCKS, "conclusion")

    def has_trial(self, entrant: str, seed: int) -> bool:
        """Return whether the trial is finished, whatever its outcome."""
        return self.trial(entrant, seed).exists()

    def write_trial(
        self,
        record: Record,
        weights: Mapping[str, torch.Tensor],
        predictions: Mapping[str, NDArray[Any]],
    ) -> None:
        """Write a finished trial. Its folder appears under its name only when all is in it.

        Raises StoreError, and writes nothing, where the trial could not be read back.
        """
        final = self.trial(record.entrant, record.seed)
        if final.exists():
            raise StoreError(f"{final}: already there; a finished trial is never overwritten")
        self._refuse_foreign(record, record.entrant, record.seed, final / trial_files.RECORD)
        files = trial_files.files_of(record, weights, predictions, final)
        complete = self.place("unfinished", f"{record.entrant}.{record.seed}", "complete")
        remove_folder(complete)
        for name, content in files.items():
            write_file(complete / name, content)
        move_folder(complete, final)
        if record.resumable:
            with suppress(OSError):  # There are checkpoints in it.
                complete.parent.rmdir()
            self.drop_empty()
        else:
            self.tidy(record.entrant, record.seed)

    def tidy(self, entrant: str, seed: int) -> None:
        """Remove what a finished trial leaves behind of its making: checkpoints, mostly."""
        remove_folder(self.unfinished(entrant, seed))
        self.drop_empty()

    def drop_empty(self) -> None:
        """Remove the folder of unfinished trials with the last of them."""
        with suppress(OSError):  # Another process has one in it, or there is no such folder.
            self.place("unfinished").rmdir()

    def check_trial(self, entrant: str, seed: int) -> Record:
        """Return the record of a finished trial after checking every file of it.

        Raises DamagedError, naming the file, where one is not what was written.
        """
        record = self.read_record(entrant, seed)
        trial_files.check_arrays(self.trial(entrant, seed), record)
        return record

    def set_aside(self, entrant: str, seed: int) -> Path:
        """Move a finished trial, whatever its state, to a name where nothing reads it; return it.

        Only for the holder of its lock. Nothing that is set aside is ever removed.
        """
        number = 1
        while is_there(target := self.place("set-aside", entrant, f"{seed}-{number}")):
            number += 1
        move_folder(self.trial(entrant, seed), target)
        return target

    def read_record(self, entrant: str, seed: int) -> Record:
        """Return the record of a finished trial; raise StoreError, naming the file, if damaged."""
        file = self.trial(entrant, seed) / trial_files.RECORD
        record = trial_files.read_record(file.parent)
        self._refuse_foreign(record, entrant, seed, file)
        return record

    def read_records(self) -> tuple[Record, ...]:
        """Return the records of all finished trials of the study, entrant by entrant."""
        return tuple(
            self.read_record(entrant.name, seed)
            for entrant in self.study.entrants
            for seed in self.study.trial_seeds
            if self.has_trial(entrant.name, seed)
        )

    def seeds_beyond(self, entrant: str) -> tuple[int, ...]:
        """Return the seeds of trials that lie here but that the study, with fewer, leaves out."""
        folder = self.place("trials", entrant)
        names = [each.name for each in folder.iterdir()] if folder.is_dir() else []
        seeds = sorted(int(name) for name in names if _SEED.fullmatch(name))
        return tuple(seed for seed in seeds if seed >= self.study.seeds)

    def read_weights(self, entrant: str, seed: int) -> bytes:
        """Return the bytes of `model.safetensors` of a finished trial, checked by its manifest."""
        return trial_files.read_weights(self.trial(entrant, seed))

    def read_predictions(self, entrant: str, seed: int) -> dict[str, NDArray[Any]]:
        """Return the arrays of `predictions.npz` of a complete trial, checked."""
        return trial_files.read_predictions(self.trial(entrant, seed))

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

    def write_timing(self, timing: timing_file.Timing) -> None:
        """Write what the timing pass measured."""
        timing_file.write_timing(self.path, timing)

    def read_timing(self) -> timing_file.Timing:
        """Return what `write_timing` wrote, or nothing where no timing pass was made yet."""
        return timing_file.read_timing(self.path)

    def read_looks(self) -> tuple[looks.Look, ...]:
        """Return the looks that were taken at verdicts of this run, oldest first."""
        return looks.read_looks(self.path)

    def keep_look(self, look: looks.Look) -> str | None:
        """Add a look to the list if it is a new one; return why it could not be kept, or None."""
        return looks.keep_look(self.path, look, self.conclusion_lock)

    def _refuse_foreign(self, record: Record, entrant: str, seed: int, file: Path) -> None:
        complaint = foreign_record(record, entrant, seed, self.study)
        if complaint:
            raise StoreError(f"{file}: {complaint}")
        contradiction = contradiction_in(record, self.study.entrant(entrant))
        if contradiction:
            raise StoreError(f"{file}: not a record of this version ({contradiction})")
