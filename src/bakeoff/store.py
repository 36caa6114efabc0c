"""The run folder: each trial appears whole, is never rewritten, and is checked when read."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray
from pydantic import ValidationError

from bakeoff import locks
from bakeoff.atomic import move_folder, remove_folder, remove_leftovers, write_file
from bakeoff.errors import DamagedError, StoreError
from bakeoff.record import FORMAT, Record
from bakeoff.study import Study
from bakeoff.study_file import read_study, to_toml

RECORD = "record.json"
WEIGHTS = "model.safetensors"
PREDICTIONS = "predictions.npz"
MANIFEST = "manifest.json"
TIMING = "timing.json"
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
        file = path / "study.toml"
        if not file.exists() and path.exists() and not _may_become_a_run_folder(path):
            raise StoreError(f"{path}: not a run folder and not empty; give another --out")
        text = to_toml(study).encode()
        with locks.held(path / LOCKS / "study"):
            if file.exists():
                _refuse_other_study(read_study(file), study, path)
            if not file.exists() or file.read_bytes() != text:
                remove_leftovers(file)
                write_file(file, text)
        return cls(path, study)

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Return the folder that an earlier run left; raise StoreError where there is none."""
        file = path / "study.toml"
        if not file.exists():
            raise StoreError(f"{path}: no run folder (it has no study.toml); give the --out of one")
        return cls(path, read_study(file))

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
            WEIGHTS: safetensors.torch.save(dict(weights)),
        }
        if predictions:
            files[PREDICTIONS] = _npz(predictions)
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        files[MANIFEST] = (json.dumps({"sha256": digests}, indent=1) + "\n").encode()

        complete = self.unfinished(record.entrant, record.seed) / "complete"
        remove_folder(complete)
        for name, content in files.items():
            write_file(complete / name, content)
        move_folder(complete, final)
        self.tidy(record.entrant, record.seed)

    def tidy(self, entrant: str, seed: int) -> None:
        """Remove what a finished trial leaves behind of its making: checkpoints, mostly."""
        remove_folder(self.unfinished(entrant, seed))
        # Gone with its last trial, or still in use by another.
        with suppress(OSError):
            self.unfinished(entrant, seed).parent.rmdir()

    def check_trial(self, entrant: str, seed: int) -> Record:
        """Return the record of a finished trial after checking every file of it.

        Raises DamagedError, naming the file, where one is not what was written.
        """
        record = self.read_record(entrant, seed)
        for name in (WEIGHTS, PREDICTIONS) if record.complete else (WEIGHTS,):
            _checked(self.trial(entrant, seed) / name)
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
        content = _checked(file)
        try:
            record = Record.model_validate_json(content)
        except ValidationError as error:
            place = ".".join(str(step) for step in error.errors()[0]["loc"])
            raise StoreError(f"{file}: not a record of this version ({place})") from error
        if record.format != FORMAT:
            raise StoreError(f"{file}: format {record.format}, this bakeoff reads {FORMAT}")
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

    def read_weights(self, entrant: str, seed: int) -> dict[str, torch.Tensor]:
        """Return the weights of a finished trial, checked against its manifest."""
        file = self.trial(entrant, seed) / WEIGHTS
        content = _checked(file)
        try:
            return safetensors.torch.load(content)
        except safetensors.SafetensorError as error:
            raise StoreError(f"{file}: not the weights of a trial") from error

    def read_predictions(self, entrant: str, seed: int) -> dict[str, NDArray[Any]]:
        """Return the arrays of `predictions.npz` of a complete trial, checked."""
        file = self.trial(entrant, seed) / PREDICTIONS
        content = _checked(file)
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                return {name: archive[name] for name in _PREDICTED}
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise StoreError(f"{file}: not the predictions of a trial") from error

    def write_timing(self, seconds_per_example: Mapping[str, Sequence[float]]) -> None:
        """Write the interleaved timing pass: entrant -> seconds per training example [rounds]."""
        document = {"seconds_per_example": {k: list(v) for k, v in seconds_per_example.items()}}
        remove_leftovers(self.path / TIMING)
        write_file(self.path / TIMING, (json.dumps(document, indent=1) + "\n").encode())

    def read_timing(self) -> dict[str, list[float]]:
        """Return what `write_timing` wrote, or nothing where no timing pass was made yet."""
        file = self.path / TIMING
        if not file.exists():
            return {}
        try:
            found = json.loads(file.read_bytes())["seconds_per_example"]
            return {str(name): [float(s) for s in rounds] for name, rounds in found.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError(f"{file}: damaged; delete it and run again to time anew") from error

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


def _may_become_a_run_folder(path: Path) -> bool:
    """Return whether there is nothing in `path` but what another process just begins there."""
    if not path.is_dir():
        return False
    names = {child.name for child in path.iterdir()} - {LOCKS}
    return all(name.startswith(".study.toml.") for name in names)


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


def _checked(file: Path) -> bytes:
    """Return the bytes of a file of a trial, after comparing them with the manifest beside it."""
    manifest = file.with_name(MANIFEST)
    mend = f"move {file.parent} away and run again to train it anew"
    try:
        digest = json.loads(manifest.read_bytes())["sha256"].get(file.name)
        content = file.read_bytes() if digest else b""
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise DamagedError(f"{error.filename}: {error.strerror}", mend) from error
    except OSError as error:
        # The trial may be whole: it is the disk or a permission that is not.
        raise StoreError(f"{error.filename or file}: cannot read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedError(f"{manifest}: damaged", mend) from error
    if digest is None:
        raise DamagedError(f"{manifest}: does not list {file.name}", mend)
    if hashlib.sha256(content).hexdigest() != digest:
        raise DamagedError(f"{file}: damaged, its SHA-256 is not the manifest's", mend)
    return content


def _npz(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the arrays as an uncompressed npz, the same bytes for the same arrays."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, array in arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w") as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
    return stream.getvalue()
