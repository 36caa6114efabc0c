"""A link in a run folder leads nowhere: what is outside is neither written nor removed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bakeoff.errors import StoreError
from bakeoff.files import locks
from bakeoff.files.place import Place
from bakeoff.records.folder import RunFolder

from ..factories import entrant, study
from .test_folder import predictions, weights, whole

ENTRANT = entrant("photos")
STUDY = study(ENTRANT)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Return somebody's folder, with what must not be lost."""
    folder = tmp_path / "somebody"
    (folder / "photos.0").mkdir(parents=True)
    (folder / "photos.0" / "one.jpg").write_bytes(b"dear")
    return folder


def everything(folder: Path) -> set[str]:
    return {str(each.relative_to(folder)) for each in folder.rglob("*")}


@pytest.mark.parametrize("step", ["trials", "unfinished", "set-aside", "locks"])
def test_a_folder_that_is_a_link_is_named_and_nothing_is_done_behind_it(
    step: str, tmp_path: Path, outside: Path
) -> None:
    run = RunFolder.create(tmp_path / "run", STUDY)
    finished = whole(STUDY, "photos")
    if step == "set-aside":
        run.write_trial(finished, weights(), predictions())
    if (run.path / step).exists():
        for each in (run.path / step).iterdir():
            each.unlink()
        (run.path / step).rmdir()
    (run.path / step).symlink_to(outside, target_is_directory=True)
    before = everything(outside)

    writing: dict[str, Callable[[], object]] = {
        "set-aside": lambda: run.set_aside("photos", 0),
        "locks": lambda: RunFolder.create(run.path, STUDY),
        "unfinished": lambda: run.tidy(finished),
        "trials": lambda: run.write_trial(finished, weights(), predictions()),
    }
    with pytest.raises(StoreError) as caught:
        writing[step]()

    where = run.path / step
    assert str(caught.value) == f"{where}: a link, and a run folder has none; remove it"
    assert everything(outside) == before


def test_deeper_links_are_found_too(tmp_path: Path, outside: Path) -> None:
    run = RunFolder.create(tmp_path / "run", STUDY)
    (run.path / "unfinished").mkdir()
    (run.path / "unfinished" / "photos.0").symlink_to(outside / "photos.0")
    with pytest.raises(StoreError, match="a link"):
        run.tidy(whole(STUDY, "photos"))
    assert (outside / "photos.0" / "one.jpg").read_bytes() == b"dear"


@pytest.mark.parametrize("name", ["record.json", "model.safetensors", "manifest.json"])
def test_a_file_of_a_trial_that_is_a_link_is_damage(name: str, tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", STUDY)
    run.write_trial(whole(STUDY, "photos"), weights(), predictions())
    file = run.trial("photos", 0).path / name
    file.rename(tmp_path / name)
    file.symlink_to(tmp_path / name)
    with pytest.raises(StoreError, match="a link"):
        run.check_trial("photos", 0)


def test_the_run_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "large-disk").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "large-disk")
    run = RunFolder.create(tmp_path / "run", STUDY)
    run.write_trial(whole(STUDY, "photos"), weights(), predictions())
    assert run.check_trial("photos", 0).entrant == "photos"


def test_a_lock_is_no_way_out_either(tmp_path: Path, outside: Path) -> None:
    lock = Place(tmp_path) / "lock"
    lock.path.symlink_to(outside / "made-by-locking")
    with pytest.raises(StoreError) as caught, locks.held(lock):
        pass
    assert str(caught.value) == (
        f"{lock}: cannot lock: it is a link; give a folder that can be written"
    )
    assert not (outside / "made-by-locking").exists()


def test_a_pipe_in_the_place_of_a_lock_makes_nobody_wait(tmp_path: Path) -> None:
    lock = Place(tmp_path) / "lock"
    os.mkfifo(lock.path)
    with pytest.raises(StoreError) as caught, locks.held(lock):
        pass
    assert str(caught.value) == f"{lock}: cannot lock: not a regular file; remove it"
