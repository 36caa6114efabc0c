from __future__ import annotations

import errno
import json
import math
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset
from bakeoff.data.split import split_of
from bakeoff.errors import StoreError
from bakeoff.files.arrays import to_npz
from bakeoff.files.place import Place
from bakeoff.files.reading import sealed, sealed_toml
from bakeoff.files.tensors import from_safetensors
from bakeoff.records.contradictions import contradiction_in
from bakeoff.records.folder import RunFolder
from bakeoff.records.limits import LARGEST_RECORD, MOST_CLASSES, MOST_CLASSES_OF_A_MATRIX
from bakeoff.records.record import Record, Stopped
from bakeoff.records.timing_file import NOTHING, Timing
from bakeoff.records.trial_files import manifest_of, record_in
from bakeoff.study.recipe import MOST_EPOCHS, Recipe
from bakeoff.study.study import Study
from bakeoff.study.toml import to_toml

from ..factories import diverged, entrant, epoch, record, scored, scores, study

STUDY = study(entrant("a"), entrant("b", "cnn-1conv"), seeds=2)
MEND = "away and run again to train it anew"


def weights() -> dict[str, torch.Tensor]:
    return {"1.weight": torch.arange(6.0).reshape(2, 3), "1.bias": torch.tensor([-0.5, 1e-40])}


def predictions() -> dict[str, NDArray[Any]]:
    return {
        "validation_index": np.array([3, 5]),
        "validation_logits": np.array([[1, 2], [3, 4.5]], np.float32),
        "validation_labels": np.array([0, 1]),
        "test_logits": np.array([[-1, np.pi]], np.float32),
        "test_labels": np.array([1]),
    }


def whole(of: Study, name: str, seed: int = 0, **keys: Any) -> Record:
    """Return the record of a complete trial with these weights and predictions."""
    return scored(record(of, name, seed, parameters=8, **keys), predictions())


def filled(path: Path) -> RunFolder:
    folder = RunFolder.create(path, STUDY)
    folder.write_trial(whole(STUDY, "a"), weights(), predictions())
    return folder


def content(folder: RunFolder) -> dict[str, bytes]:
    files = sorted(path for path in folder.path.rglob("*") if path.is_file())
    return {str(path.relative_to(folder.path)): path.read_bytes() for path in files}


def rewrite(folder: RunFolder, name: str, change: Callable[[bytes], bytes]) -> Path:
    """Change a file of the trial and its manifest alike, as a forger or an older version would."""
    file = folder.trial("a", 0).path / name
    file.write_bytes(change(file.read_bytes()))
    rest = {each.name: each.read_bytes() for each in file.parent.iterdir()}
    del rest["manifest.json"]
    file.with_name("manifest.json").write_bytes(manifest_of(rest))
    return file


# What is written


def test_a_trial_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder = RunFolder.open(filled(tmp_path / "run").path)
    assert folder.study == STUDY
    assert folder.read_record("a", 0) == whole(STUDY, "a")
    read = from_safetensors(folder.read_weights("a", 0), "w")
    assert read.keys() == weights().keys()
    assert all(torch.equal(read[name], value) for name, value in weights().items())
    arrays = folder.read_predictions("a", 0)
    assert list(arrays) == list(predictions())
    for name, array in predictions().items():
        assert arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(arrays[name], array)


def test_a_run_folder_has_the_files_of_the_design(tmp_path: Path) -> None:
    assert list(content(filled(tmp_path))) == [
        "locks/study",
        "study.toml",
        "trials/a/0/manifest.json",
        "trials/a/0/model.safetensors",
        "trials/a/0/predictions.npz",
        "trials/a/0/record.json",
    ]


def test_record_json_has_the_keys_of_the_design(tmp_path: Path) -> None:
    document = json.loads((filled(tmp_path).trial("a", 0).path / "record.json").read_text())
    assert document.keys() >= {
        "format", "entrant", "architecture", "seed", "status", "parameters", "epochs", "stopped",
        "training_seconds", "validation", "test", "provenance",
    }  # fmt: skip
    assert document["epochs"][0].keys() == {
        "epoch", "train_loss", "validation_loss", "validation_accuracy", "seconds",
        "processor_seconds", "others",
    }  # fmt: skip
    assert document["stopped"] == {"epoch": 2, "reason": "budget used", "step": None}
    assert document["test"].keys() == {
        "loss", "accuracy", "balanced_accuracy", "precision", "recall", "f1", "confusion",
    }  # fmt: skip


def test_the_same_trial_is_the_same_bytes_in_another_folder(tmp_path: Path) -> None:
    assert content(filled(tmp_path / "one")) == content(filled(tmp_path / "two"))


def test_predictions_are_an_npz_that_numpy_reads(tmp_path: Path) -> None:
    with np.load(  # noqa: TID251  # numpy is the witness
        filled(tmp_path).trial("a", 0).path / "predictions.npz"
    ) as archive:
        assert archive["test_logits"].tolist() == predictions()["test_logits"].tolist()


def test_predictions_do_not_hold_the_time_of_writing(tmp_path: Path) -> None:
    with zipfile.ZipFile(filled(tmp_path).trial("a", 0).path / "predictions.npz") as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_diverged_trial_is_kept_without_predictions(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, STUDY)
    folder.write_trial(diverged(STUDY, "a"), weights(), {})
    assert folder.read_record("a", 0) == diverged(STUDY, "a")
    assert not (folder.trial("a", 0).path / "predictions.npz").exists()
    with pytest.raises(StoreError, match=r"does not list predictions\.npz"):
        folder.read_predictions("a", 0)


def test_records_come_entrant_by_entrant_and_only_those_of_the_study(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, STUDY)
    for name, seed in (("b", 0), ("a", 1), ("a", 0), ("a", 2)):
        folder.write_trial(whole(STUDY, name, seed), weights(), predictions())
    assert [(r.entrant, r.seed) for r in folder.read_records()] == [("a", 0), ("a", 1), ("b", 0)]
    assert folder.has_trial("b", 0)
    assert not folder.has_trial("b", 1)


def test_finished_trials_are_found_by_one_listing_for_each_entrant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder.create(tmp_path, STUDY)
    listed, names = list[str](), Place.names

    def counted(place: Place) -> list[str]:
        listed.append(str(place.path.relative_to(tmp_path)))
        return names(place)

    for name in ("1", "0", "00", ".0.tmp", "2", "-1", "x"):
        folder.place("trials", "b", name, "file").write(b"")
    monkeypatch.setattr(Place, "names", counted)
    monkeypatch.setattr(RunFolder, "has_trial", lambda *_: pytest.fail("asked for one trial"))
    assert folder.finished() == [("b", 0), ("b", 1)]
    assert listed == ["trials/a", "trials/b"]
    assert folder.seeds_beyond("b") == (2,)


# Whole or not at all


@pytest.mark.parametrize(
    "file", ["record.json", "model.safetensors", "predictions.npz", "manifest.json"]
)
def test_a_trial_that_could_not_be_written_is_not_there(
    file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = RunFolder.create(tmp_path, STUDY)
    replace = os.replace

    def refuse(source: str, target: str, **folders: int) -> None:
        assert not folder.has_trial("a", 0)
        if target == file:
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(source, target, **folders)

    with monkeypatch.context() as broken:
        broken.setattr(os, "replace", refuse)
        with pytest.raises(StoreError, match=rf"{file}: cannot write: No space left on device$"):
            folder.write_trial(whole(STUDY, "a"), weights(), predictions())
    assert not folder.has_trial("a", 0)
    assert folder.read_records() == ()
    folder.write_trial(whole(STUDY, "a"), weights(), predictions())
    assert folder.read_record("a", 0) == whole(STUDY, "a")


def test_a_finished_trial_is_never_overwritten(tmp_path: Path) -> None:
    folder = filled(tmp_path)
    before = content(folder)
    with pytest.raises(StoreError) as caught:
        folder.write_trial(whole(STUDY, "a", training_seconds=1.0), weights(), predictions())
    file = folder.trial("a", 0).path
    assert str(caught.value) == f"{file}: already there; a finished trial is never overwritten"
    assert content(folder) == before


# Damage


FILES: dict[str, Callable[[RunFolder], object]] = {
    "record.json": lambda folder: folder.read_record("a", 0),
    "model.safetensors": lambda folder: folder.read_weights("a", 0),
    "predictions.npz": lambda folder: folder.read_predictions("a", 0),
}


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "change", [flipped, lambda c: c[:-1], lambda c: b""], ids=["flipped", "truncated", "empty"]
)  # fmt: skip
def test_an_altered_file_is_named(
    name: str, change: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    folder = filled(tmp_path)
    file = folder.trial("a", 0).path / name
    file.write_bytes(change(file.read_bytes()))
    with pytest.raises(StoreError) as caught:
        FILES[name](folder)
    mend = f"move {file.parent} {MEND}"
    assert str(caught.value) == f"{file}: damaged, its SHA-256 is not the manifest's; {mend}"


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_longer_than_its_manifest_says_is_not_read(
    name: str, tmp_path: Path
) -> None:
    folder = filled(tmp_path)
    file = folder.trial("a", 0).path / name
    size = file.stat().st_size
    with file.open("ab") as stream:
        stream.truncate(10_000_000_000)
    with pytest.raises(StoreError) as caught:
        FILES[name](folder)
    assert str(caught.value) == (
        f"{file}: 10,000,000,000 bytes, at most {size:,} are read; move {file.parent} {MEND}"
    )


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    folder = filled(tmp_path)
    file = folder.trial("a", 0).path / name
    file.unlink()
    with pytest.raises(StoreError) as caught:
        FILES[name](folder)
    assert str(caught.value) == f"{file}: No such file or directory; move {file.parent} {MEND}"


@pytest.mark.parametrize("name", FILES)
def test_a_missing_manifest_is_named(name: str, tmp_path: Path) -> None:
    folder = filled(tmp_path)
    manifest = folder.trial("a", 0).path / "manifest.json"
    manifest.unlink()
    with pytest.raises(StoreError) as caught:
        FILES[name](folder)
    mend = f"move {manifest.parent} {MEND}"
    assert str(caught.value) == f"{manifest}: No such file or directory; {mend}"


NO_SEAL = "its seal is not that of its content"
WHOLE = manifest_of({"record.json": b"{}"})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "damaged, not valid JSON"),
        (b"{", "damaged, not valid JSON"),
        (b"\xff", "damaged, not valid JSON"),
        (b"[]", "damaged, not a JSON object"),
        (b"null", "damaged, not a JSON object"),
        (b"{}", f"damaged, {NO_SEAL}"),
        (WHOLE + b"\n", f"damaged, {NO_SEAL}"),
        (WHOLE.replace(b'"bytes"', b'"Bytes"'), f"damaged, {NO_SEAL}"),
        (WHOLE.upper(), f"damaged, {NO_SEAL}"),
        (json.dumps(json.loads(WHOLE)).encode(), f"damaged, {NO_SEAL}"),
        (sealed({}), "damaged, not a manifest"),
        (sealed({"bytes": {}, "sha256": 3}), "damaged, not a manifest"),
        (
            sealed({"bytes": {"record.json": -1}, "sha256": {"record.json": ""}}),
            "damaged, not a manifest",
        ),
        (manifest_of({}), "does not list record.json"),
        (b" " * 70_000, "70,000 bytes, at most 64,000 are read"),
    ],
)
def test_a_damaged_manifest_is_named(content: bytes, reason: str, tmp_path: Path) -> None:
    folder = filled(tmp_path)
    manifest = folder.trial("a", 0).path / "manifest.json"
    manifest.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        folder.read_record("a", 0)
    assert str(caught.value) == f"{manifest}: {reason}; move {manifest.parent} {MEND}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"{", "damaged, not valid JSON"),
        (b'{"format": 1}', "study"),
        (b"[]", "not a JSON object"),
        (b"[" + b"0," * 200_000 + b"0]", "damaged, more than 200,000 values"),
    ],
)
def test_a_record_that_is_none_is_named(text: bytes, reason: str, tmp_path: Path) -> None:
    folder = filled(tmp_path)
    file = rewrite(folder, "record.json", lambda _: text)
    with pytest.raises(StoreError) as caught:
        folder.read_record("a", 0)
    assert str(caught.value) == f"{file}: not a record of this version ({reason})"


def test_a_record_of_another_format_is_refused(tmp_path: Path) -> None:
    folder = filled(tmp_path)
    file = rewrite(folder, "record.json", lambda c: c.replace(b'"format": 1', b'"format": 2'))
    with pytest.raises(StoreError) as caught:
        folder.read_record("a", 0)
    assert str(caught.value) == f"{file}: format 2, this bakeoff reads 1"


def test_a_record_may_have_keys_that_a_later_version_added(tmp_path: Path) -> None:
    folder = filled(tmp_path)
    rewrite(folder, "record.json", lambda c: c.replace(b"{", b'{"later": 1,', 1))
    assert folder.read_record("a", 0) == whole(STUDY, "a")


@pytest.mark.parametrize("classes", [MOST_CLASSES_OF_A_MATRIX, MOST_CLASSES])
def test_the_record_of_the_longest_training_on_the_most_classes_can_be_read(
    classes: int, tmp_path: Path
) -> None:
    epochs = tuple(
        epoch(number, train_loss=1 / number, validation_loss=math.pi / number, seconds=1 / 3)
        for number in range(1, MOST_EPOCHS + 1)
    )
    recipe = Recipe(epochs=MOST_EPOCHS)
    asked = study(entrant("a", epochs=MOST_EPOCHS))
    stopped = Stopped(epoch=MOST_EPOCHS, reason="budget used")
    matrix = ((10**9,) * classes,) * classes if classes <= MOST_CLASSES_OF_A_MATRIX else ()
    long = scores(1 / 3, classes).model_copy(update={"confusion": matrix})
    written = record(
        asked, "a", epochs=epochs, recipe=recipe, stopped=stopped, validation=long, test=long
    )
    content = written.model_dump_json(indent=1).encode()
    assert len(content) < LARGEST_RECORD
    assert record_in(content, Place(tmp_path) / "record.json") == written
    assert contradiction_in(written, asked.entrants[0]) is None


@pytest.mark.parametrize(
    ("kept", "arrays", "complaint"),
    [
        ({"training_seconds": -1.0}, {}, "record.json: not a record of this version (-1.0 was not"),
        ({"format": 2}, {}, "record.json: format 2, this bakeoff reads 1"),
        ({"trouble": "a" * 8_000_000}, {}, "bytes, at most 8,000,000 are read"),
        (
            {"test": scores(0.5).model_copy(update={"precision": (0.5,) * 200_000})},
            {},
            "record.json: not a record of this version (impossible scores)",
        ),
        (
            {"trouble": "," * 200_000},
            {},
            "record.json: not a record of this version (damaged, more than 200,000 values)",
        ),
        (
            {},
            {"test_logits": np.array([[np.nan, 1]], np.float32)},
            "predictions.npz: not the predictions of a trial",
        ),
        ({}, {"test_labels": np.array([1, 2])}, "predictions.npz: not the predictions of a trial"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(
    kept: dict[str, Any], arrays: dict[str, NDArray[Any]], complaint: str, tmp_path: Path
) -> None:
    folder = RunFolder.create(tmp_path, STUDY)
    unreadable = whole(STUDY, "a").model_copy(update=kept)
    with pytest.raises(StoreError) as caught:
        folder.write_trial(unreadable, weights(), predictions() | arrays)
    assert str(folder.trial("a", 0).path) in str(caught.value)
    assert complaint in str(caught.value)
    assert not folder.has_trial("a", 0)
    assert not folder.unfinished("a", 0).path.exists()


@pytest.mark.parametrize(
    ("kept", "found", "complaint"),
    [
        ({}, predictions(), "model.safetensors: not written: 0 weights of 8"),
        (
            {"1.weight": torch.zeros(7)},
            predictions(),
            "model.safetensors: not written: 7 weights of 8",
        ),
        (weights(), {}, "predictions.npz: not written: missing, and the record is complete"),
        (
            weights(),
            predictions() | {"test_labels": np.array([0])},
            "predictions.npz: not written: test accuracy is 1, by the predictions 0",
        ),
    ],
)
def test_a_complete_trial_is_not_written_without_what_its_record_speaks_of(
    kept: dict[str, torch.Tensor], found: dict[str, NDArray[Any]], complaint: str, tmp_path: Path
) -> None:
    folder = RunFolder.create(tmp_path, STUDY)
    with pytest.raises(StoreError) as caught:
        folder.write_trial(whole(STUDY, "a"), kept, found)
    assert str(caught.value) == f"{folder.trial('a', 0)}/{complaint}"
    assert not folder.has_trial("a", 0)
    assert not folder.unfinished("a", 0).is_there()


def test_a_record_moved_from_another_trial_is_refused(tmp_path: Path) -> None:
    folder = filled(tmp_path)
    shutil.copytree(folder.trial("a", 0).path, folder.trial("b", 1).path)
    with pytest.raises(StoreError) as caught:
        folder.read_record("b", 1)
    file = folder.trial("b", 1).path / "record.json"
    assert str(caught.value) == f"{file}: speaks of a seed 0, not of b seed 1; move it away"


def test_a_record_of_another_study_is_refused(tmp_path: Path) -> None:
    other = Study(**(dict(STUDY) | {"name": "other"}))
    RunFolder.create(tmp_path, other).write_trial(whole(other, "a"), weights(), predictions())
    folder = RunFolder(tmp_path, STUDY)
    with pytest.raises(StoreError) as caught:
        folder.read_record("a", 0)
    file = folder.trial("a", 0).path / "record.json"
    found = other.hash[:12]
    assert str(caught.value) == f"{file}: belongs to another study ({found}); move it away"


@pytest.mark.parametrize("change", [lambda _: b"PK none", lambda _: b""])
def test_predictions_that_are_none_are_named(
    change: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    folder = filled(tmp_path)
    file = rewrite(folder, "predictions.npz", change)
    with pytest.raises(StoreError) as caught:
        folder.read_predictions("a", 0)
    assert str(caught.value) == f"{file}: not the predictions of a trial"


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("test_logits", np.array([[1, 2]])),
        ("test_logits", np.array([1, 2], np.float32)),
        ("test_logits", np.array([[1, np.nan]], np.float32)),
        ("test_logits", np.zeros((3, 2), np.float32)),
        ("test_labels", np.array([1.0])),
        ("test_labels", np.array([[1]])),
        ("validation_labels", np.array([1])),
        ("validation_index", np.array([1])),
    ],
)
def test_predictions_that_do_not_fit_each_other_are_named(
    name: str, array: NDArray[Any], tmp_path: Path
) -> None:
    folder = filled(tmp_path)
    file = rewrite(folder, "predictions.npz", lambda _: to_npz(predictions() | {name: array}))
    with pytest.raises(StoreError) as caught:
        folder.read_predictions("a", 0)
    assert str(caught.value) == f"{file}: not the predictions of a trial"


def test_predictions_of_a_trial_are_read_and_those_of_other_images_refused(
    tmp_path: Path, digits: Dataset
) -> None:
    folder = filled(tmp_path)
    index = split_of(STUDY, 0, digits).validation
    sound: dict[str, NDArray[Any]] = {
        "validation_index": index,
        "validation_logits": np.zeros((len(index), 10), np.float32),
        "validation_labels": digits.train_labels[index],
        "test_logits": np.zeros((len(digits.test_labels), 10), np.float32),
        "test_labels": digits.test_labels,
    }
    rewrite(folder, "predictions.npz", lambda _: to_npz(sound))
    assert folder.read_tested("a", 0, digits)["test_logits"].shape == (500, 10)
    rewrite(
        folder,
        "predictions.npz",
        lambda _: to_npz(sound | {"test_labels": sound["test_labels"][::-1]}),
    )
    with pytest.raises(StoreError) as caught:
        folder.read_tested("a", 0, digits)
    where = folder.trial("a", 0).path
    assert str(caught.value) == f"{where}: predictions are of another test set than digits's"


# Whose folder it is


def test_raising_the_seeds_keeps_the_folder_and_its_trials(tmp_path: Path) -> None:
    before = content(filled(tmp_path))
    more = Study(**(dict(STUDY) | {"seeds": 5, "title": "More"}))
    folder = RunFolder.create(tmp_path, more)
    assert RunFolder.open(tmp_path).study == more
    assert folder.has_trial("a", 0)
    assert content(folder) == before | {"study.toml": content(folder)["study.toml"]}


def test_taking_up_the_same_study_rewrites_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(tmp_path)
    monkeypatch.setattr(Place, "write", lambda *_: pytest.fail("written"))
    assert RunFolder.create(tmp_path, STUDY).study == STUDY


@pytest.mark.parametrize(
    ("keys", "difference"),
    [
        ({"name": "other"}, "name is 'tiny' there and 'other' here"),
        ({"study_seed": 3}, "study_seed is 0 there and 3 here"),
        (
            {"protocol": STUDY.protocol.model_copy(update={"dataset": "mnist"})},
            "protocol.dataset is 'digits' there and 'mnist' here",
        ),
        (
            {"entrants": (entrant("a"), entrant("b", "cnn-1conv", epochs=3, batch_size=4))},
            "entrants[1].recipe.batch_size is 50 there and 4 here",
        ),
        ({"entrants": (entrant("a"),)}, "other entrants"),
    ],
)
def test_the_folder_of_another_study_is_refused_with_the_first_difference(
    keys: dict[str, Any], difference: str, tmp_path: Path
) -> None:
    before = content(filled(tmp_path))
    with pytest.raises(StoreError) as caught:
        RunFolder.create(tmp_path, Study(**(dict(STUDY) | keys)))
    expected = f"{tmp_path}: belongs to another study ({difference}); give another --out"
    assert str(caught.value) == expected
    assert content(RunFolder.open(tmp_path)) == before


def test_a_folder_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(StoreError) as caught:
        RunFolder.create(tmp_path, STUDY)
    assert str(caught.value) == f"{tmp_path}: not a run folder and not empty; give another --out"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_no_run_folder(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("text")
    with pytest.raises(StoreError) as caught:
        RunFolder.create(file, STUDY)
    assert str(caught.value) == f"{file}: not a run folder and not empty; give another --out"
    with pytest.raises(StoreError, match="no run folder"):
        RunFolder.open(file)


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    assert RunFolder.create(tmp_path, STUDY).read_records() == ()


def test_opening_a_folder_that_no_run_left_is_one_line(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(StoreError) as caught:
            RunFolder.open(path)
        expected = f"{path}: no run folder (it has no study.toml); give the --out of one"
        assert str(caught.value) == expected


def test_a_folder_that_is_not_writable_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Simulated, since root may write anywhere.
    def refuse(self: Path, *_: Any, **__: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    out = tmp_path / "run"
    with pytest.raises(StoreError) as caught:
        RunFolder.create(out, STUDY)
    assert str(caught.value) == (
        f"{out / 'locks' / 'study'}: cannot lock: Permission denied; "
        "give a folder that can be written"
    )


def test_a_study_that_could_not_be_read_back_makes_no_folder(tmp_path: Path) -> None:
    # Short as a file, since entrants share a recipe there; every default written out, it is not.
    crowd = study(*(entrant(f"entrant-{number}") for number in range(1000)))
    with pytest.raises(StoreError) as caught:
        RunFolder.create(tmp_path / "run", crowd)
    size = len(sealed_toml(to_toml(crowd)))
    assert str(caught.value) == (
        f"{tmp_path / 'run' / 'study.toml'}: with every default written out the study has "
        f"{size:,} bytes, at most 250,000 are read; take fewer entrants or shorter texts"
    )
    assert not (tmp_path / "run").exists()


# The timing pass


def test_the_timing_pass_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, STUDY)
    assert folder.read_timing() == NOTHING
    timing = Timing({"a": [0.5, 0.25], "b": [1.0, 2.0]}, {"a": [3.0]}, {"a": [4.0]})
    folder.write_timing(timing)
    assert folder.read_timing() == timing


def test_a_timing_pass_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, STUDY)
    (tmp_path / "timing.json").write_bytes(sealed({"seconds_per_example": {"a": [0.5]}}))
    assert folder.read_timing() == Timing({"a": [0.5]}, {}, {})


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        (
            {"a": [0.5], "b": [0.5, 1.0]},
            "seconds_per_example: Value error, the entrants were not timed equally often",
        ),
        ({"a": [0.0]}, "seconds_per_example.a.0: Input should be greater than 0.000000000001"),
        (
            {"a": []},
            "seconds_per_example.a: List should have at least 1 item after validation, not 0",
        ),
        ({"a": [math.nan]}, "Out of range float values are not JSON compliant: nan"),
    ],
)
def test_times_that_could_not_be_read_back_are_not_written(
    times: dict[str, list[float]], reason: str, tmp_path: Path
) -> None:
    folder = RunFolder.create(tmp_path, STUDY)
    with pytest.raises(StoreError) as caught:
        folder.write_timing(Timing(times, {}, {}))
    file = tmp_path / "timing.json"
    assert str(caught.value) == f"{file}: not written: {reason}"
    assert folder.read_timing() == NOTHING


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"seconds_per_example": {"a": [null]}}'])
def test_a_damaged_timing_pass_is_named(text: str, tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, STUDY)
    file = tmp_path / "timing.json"
    file.write_text(text)
    with pytest.raises(StoreError) as caught:
        folder.read_timing()
    assert str(caught.value) == f"{file}: damaged; delete it and run again to time anew"


def test_a_record_is_frozen_and_knows_whether_it_is_complete() -> None:
    assert whole(STUDY, "a").complete
    assert not diverged(STUDY, "a").complete
    assert Record.model_validate_json(whole(STUDY, "a").model_dump_json()) == whole(STUDY, "a")
