"""The run folder: each trial appears whole, is never rewritten, and is checked when read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import ValidationError

from bakeoff import locks
from bakeoff.arrays import from_npz, from_safetensors, to_npz, to_safetensors
from bakeoff.atomic import move_folder, remove_folder, remove_leftovers, write_file
from bakeoff.contradictions import contradiction_in
from bakeoff.data.dataset import Dataset
from bakeoff.errors import StoreError, StudyError, UnreadableError
from bakeoff.manifest import MANIFEST, manifest_of, read_listed
from bakeoff.reading import parse_json, read_file, sealed, sealed_toml, unsealed, unsealed_toml
from bakeoff.record import FORMAT, Record
from bakeoff.study import Study
from bakeoff.study_file import LARGEST_FILE, parse_study, to_toml

RECORD = "record.json"
WEIGHTS = "model.safetensors"
PREDICTIONS = "predictions.npz"
TIMING = "timing.json"
STUDY = "study.toml"
_LARGEST_RECORD = 4_000_000  # Bytes: one of ten thousand epochs has half of it.
_LARGEST_ARRAYS = 2**30
_LARGEST_TIMING = 1_000_000
LOCKS = "locks"
_PREDICTED = (
    "validation_index", "validation_logits", "validation_labels", "test_logits", "test_labels",
)  # fmt: skip


class RunFolder:
    """The folder that a run leaves. `create` and `open` are the ways to get one."""

    def __init__(self, path: Path, study: Study) -> None:
        self.path = path
        self.study = study

    @classmethod
    def create(cls, path: Path, study: Study) -> RunFolder:
        """Return the folder for `study`, made where it does not exist yet.

        A folder of the same study is taken up again, also with another number of seeds. Raises
        StoreError where the folder belongs to another study or cannot be written.
        """
        file = path / STUDY
        if not _is_there(file) and not _may_become_run_folder(path):
            raise StoreError(f"{path}: not a run folder and not empty; give another --out")
        with locks.held(path / LOCKS / "study"):
            found = _read_own_study(file) if _is_there(file) else None
            if found is not None:
                _refuse_other_study(found, study, path)
            if found != study:
                remove_leftovers(file)
                write_file(file, sealed_toml(to_toml(study)))
        return cls(path, study)

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Return the folder that an earlier run left; raise StoreError where there is none."""
        file = path / STUDY
        if not _is_there(file):
            raise StoreError(f"{path}: no run folder (it has no study.toml); give the --out of one")
        return cls(path, _read_own_study(file))

    def trial(self, entrant: str, seed: int) -> Path:
        """Return the folder of one trial."""
        return self.path / "trials" / entrant / str(seed)

    def unfinished(self, entrant: str, seed: int) -> Path:
        """Return the folder where a trial is in the making: the lock's holder's own."""
        # Seeds are numbers, so the last dot parts the two, whatever dots are in the name.
        return self.path / "unfinished" / f"{entrant}.{seed}"

    def lock(self, entrant: str, seed: int) -> Path:
        """Return the file whose lock belongs to who trains the trial, or moves it away."""
        return self.path / LOCKS / f"trial.{entrant}.{seed}"

    def trial_locks(self) -> list[Path]:
        """Return the lock files of all trials that anybody ever began here."""
        return list((self.path / LOCKS).glob("trial.*"))

    @property
    def conclusion_lock(self) -> Path:
        """The file whose lock belongs to who measures or writes what all trials come to."""
        return self.path / LOCKS / "conclusion"

    def has_trial(self, entrant: str, seed: int) -> bool:
        """Return whether the trial is finished, whatever its outcome."""
        return self.trial(entrant, seed).exists()

    def write_trial(
        self,
        record: Record,
        weights: Mapping[str, torch.Tensor],
        predictions: Mapping[str, NDArray[Any]],
    ) -> None:
        """Write a finished trial. Its folder appears under its name only when all is in it."""
        final = self.trial(record.entrant, record.seed)
        if final.exists():
            raise StoreError(f"{final}: already there; a finished trial is never overwritten")
        files = {
            RECORD: (record.model_dump_json(indent=1) + "\n").encode(),
            WEIGHTS: to_safetensors(weights),
        }
        if predictions:
            files[PREDICTIONS] = to_npz(predictions)
        files[MANIFEST] = manifest_of(files)

        complete = self.unfinished(record.entrant, record.seed) / "complete"
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
            (self.path / "unfinished").rmdir()

    def check_trial(self, entrant: str, seed: int) -> Record:
        """Return the record of a finished trial after checking every file of it.

        Raises DamagedError, naming the file, where one is not what was written.
        """
        record = self.read_record(entrant, seed)
        for name in (WEIGHTS, PREDICTIONS) if record.complete else (WEIGHTS,):
            read_listed(self.trial(entrant, seed) / name, _LARGEST_ARRAYS)
        return record

    def set_aside(self, entrant: str, seed: int) -> Path:
        """Move a finished trial, whatever its state, to a name where nothing reads it; return it.

        Only for the holder of its lock. Nothing that is set aside is ever removed.
        """
        number = 1
        while (target := self.path / "set-aside" / entrant / f"{seed}-{number}").exists():
            number += 1
        move_folder(self.trial(entrant, seed), target)
        return target

    def read_record(self, entrant: str, seed: int) -> Record:
        """Return the record of a finished trial; raise StoreError, naming the file, if damaged."""
        file = self.trial(entrant, seed) / RECORD
        content = read_listed(file, _LARGEST_RECORD)
        try:
            parse_json(content, str(file))
            record = Record.model_validate_json(content)
        except (ValidationError, UnreadableError) as error:
            raise StoreError(f"{file}: not a record of this version ({_place(error)})") from error
        if record.format != FORMAT:
            raise StoreError(f"{file}: format {record.format}, this bakeoff reads {FORMAT}")
        self._refuse_foreign(record, entrant, seed, file)
        contradiction = contradiction_in(record, self.study.entrant(entrant))
        if contradiction:
            raise StoreError(f"{file}: not a record of this version ({contradiction})")
        return record

    def read_records(self) -> tuple[Record, ...]:
        """Return the records of all finished trials of the study, entrant by entrant."""
        return tuple(
            self.read_record(entrant.name, seed)
            for entrant in self.study.entrants
            for seed in self.study.trial_seeds
            if self.has_trial(entrant.name, seed)
        )

    def read_weights(self, entrant: str, seed: int) -> dict[str, torch.Tensor]:
        """Return the weights of a finished trial, checked against its manifest."""
        file = self.trial(entrant, seed) / WEIGHTS
        content = read_listed(file, _LARGEST_ARRAYS)
        try:
            return from_safetensors(content, str(file))
        except UnreadableError as error:
            raise StoreError(f"{file}: not the weights of a trial") from error

    def read_predictions(self, entrant: str, seed: int) -> dict[str, NDArray[Any]]:
        """Return the arrays of `predictions.npz` of a complete trial, checked."""
        file = self.trial(entrant, seed) / PREDICTIONS
        content = read_listed(file, _LARGEST_ARRAYS)
        try:
            found = from_npz(content, _PREDICTED, str(file))
        except UnreadableError as error:
            raise StoreError(f"{file}: not the predictions of a trial") from error
        if not _fit_each_other(found):
            raise StoreError(f"{file}: not the predictions of a trial")
        return found

    def read_tested(self, entrant: str, seed: int, dataset: Dataset) -> dict[str, NDArray[Any]]:
        """Return what `read_predictions` does of a trial that was tested on `dataset`.

        Raises StoreError where it was tested on other images or classes.
        """
        found = self.read_predictions(entrant, seed)
        same_labels = np.array_equal(found["test_labels"], dataset.test_labels)
        if not same_labels or found["test_logits"].shape[1] != len(dataset.classes):
            where = self.trial(entrant, seed)
            raise StoreError(f"{where}: predictions are of another test set than {dataset.name}'s")
        return found

    def write_timing(self, seconds_per_example: Mapping[str, Sequence[float]]) -> None:
        """Write the interleaved timing pass: entrant -> seconds per training example [rounds]."""
        document = {"seconds_per_example": {k: list(v) for k, v in seconds_per_example.items()}}
        remove_leftovers(self.path / TIMING)
        write_file(self.path / TIMING, sealed(document))

    def read_timing(self) -> dict[str, list[float]]:
        """Return what `write_timing` wrote, or nothing where no timing pass was made yet."""
        file = self.path / TIMING
        if not _is_there(file):
            return {}
        try:
            document = unsealed(read_file(file, _LARGEST_TIMING), str(file))
            found = document["seconds_per_example"]
            timed = {str(name): [float(s) for s in rounds] for name, rounds in found.items()}
            _refuse_odd_times(timed)
        except (UnreadableError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(f"{file}: damaged; delete it and run again to time anew") from error
        return timed

    def _refuse_foreign(self, record: Record, entrant: str, seed: int, file: Path) -> None:
        if (record.entrant, record.seed) != (entrant, seed):
            raise StoreError(
                f"{file}: speaks of {record.entrant} seed {record.seed}, not of {entrant} "
                f"seed {seed}; move it away"
            )
        if record.provenance.study_hash != self.study.hash:
            raise StoreError(
                f"{file}: belongs to another study ({record.study}, "
                f"{record.provenance.study_hash[:12]}); move it away"
            )


def _is_there(file: Path) -> bool:
    """Return whether there is anything under this name, also a link that leads nowhere."""
    try:
        file.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise StoreError(f"{file}: {error.strerror}") from error
    except ValueError as error:
        raise StoreError(f"{file}: not the name of a file") from error
    return True


def _may_become_run_folder(path: Path) -> bool:
    """Return whether a run may begin in `path`: it is new, empty, or has lost its study.toml."""
    if not _is_there(path):
        return True
    if not path.is_dir():
        return False
    # Each record names the study that it belongs to, so trials cannot be taken for another's. What
    # else may be there is what another process just begins.
    begun = {child.name for child in path.iterdir()} - {LOCKS}
    return "trials" in begun or all(name.startswith(f".{STUDY}.") for name in begun)


def _read_own_study(file: Path) -> Study:
    """Return the study of a run folder, checked against the digest in its first line."""
    try:
        return parse_study(unsealed_toml(read_file(file, LARGEST_FILE), str(file)), str(file))
    except (UnreadableError, StudyError) as error:
        raise StoreError(f"{error}; delete it and run the study again: trials are kept") from error


def _place(error: ValidationError | UnreadableError) -> str:
    """Return the key of a record that is not what it must be."""
    if isinstance(error, UnreadableError):
        return ""
    return ".".join(str(step) for step in error.errors()[0]["loc"])


def _refuse_odd_times(timed: Mapping[str, Sequence[float]]) -> None:
    """Raise ValueError where the entrants did not all take turns, or a turn took no time."""
    if len({len(rounds) for rounds in timed.values()}) > 1:
        raise ValueError("the entrants were not timed equally often")
    if not all(rounds and min(rounds) > 1e-12 and max(rounds) < 1e6 for rounds in timed.values()):
        raise ValueError("not a time")


def _fit_each_other(found: Mapping[str, NDArray[Any]]) -> bool:
    """Return whether predictions are finite logits with an index and a label for each row."""
    shapes = {name: array.shape for name, array in found.items()}
    parts = [(found[f"{part}_logits"], found[f"{part}_labels"]) for part in ("validation", "test")]
    return shapes["validation_index"] == shapes["validation_labels"] and all(
        logits.dtype == np.float32
        and logits.ndim == 2
        and labels.dtype == np.int64
        and labels.shape == logits.shape[:1]
        and bool(np.isfinite(logits).all())
        for logits, labels in parts
    )


def _refuse_other_study(found: Study, asked: Study, path: Path) -> None:
    if found.hash == asked.hash:
        return
    difference = _first_difference(found.asked(), asked.asked())
    raise StoreError(f"{path}: belongs to another study ({difference}); give another --out")


def _first_difference(found: Any, asked: Any, place: str = "") -> str:
    """Return the first key in which two values of JSON differ, with both values."""
    if isinstance(found, dict) and isinstance(asked, dict) and found.keys() == asked.keys():
        for key in found:
            if found[key] != asked[key]:
                return _first_difference(found[key], asked[key], f"{place}.{key}".lstrip("."))
    if isinstance(found, list) and isinstance(asked, list) and len(found) == len(asked):
        for number, (left, right) in enumerate(zip(found, asked, strict=True)):
            if left != right:
                return _first_difference(left, right, f"{place}[{number}]")
    if isinstance(found, dict | list):
        return f"other {place or 'keys'}"
    return f"{place} is {found!r} there and {asked!r} here"
