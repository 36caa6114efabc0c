"""Workers on a folder that another machine began, as far as one machine can play two."""

from __future__ import annotations

import json
import platform
import shutil
from pathlib import Path

import numpy as np
import pytest

import bakeoff
from bakeoff.commands.run import run_study
from bakeoff.commands.work import Worked, work_on
from bakeoff.errors import BakeoffError
from bakeoff.files import locks
from bakeoff.networks import known
from bakeoff.records.folder import RunFolder
from bakeoff.runners.listener import Listener, PlannedTrial
from bakeoff.study.recipe import Recipe
from bakeoff.study.study import Entrant

from ..data.readers.saved import save_npz
from ..factories import entrant, study, whole
from ..networks.drawn import SOUND, drawn
from ..runners.heard import Heard

ASKED = study(entrant("a", epochs=2), entrant("b", epochs=1), seeds=2)
HERE = platform.node()


class Away(Listener):
    """Goes away as the first trial begins."""

    def trial_started(self, trial: PlannedTrial) -> None:
        raise KeyboardInterrupt


@pytest.fixture
def begun(tmp_path: Path) -> RunFolder:
    """Return the folder of a run of which no trial is finished."""
    with pytest.raises(KeyboardInterrupt):
        run_study(ASKED, tmp_path / "run", listener=Away())
    return RunFolder.open(tmp_path / "run")


def weights(folder: RunFolder) -> list[bytes]:
    return [folder.read_weights(*key) for key in folder.finished()]


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_worker_trains_all_that_is_free_and_leaves_what_one_process_leaves(
    jobs: int, begun: RunFolder, tmp_path: Path
) -> None:
    heard = Heard()
    worked = work_on(begun.path, jobs=jobs, listener=heard)
    assert worked == Worked(str(begun.path), HERE, finished=4, planned=4)
    assert worked.to_text() == (
        f"{HERE}: trials finished: 4 of 4; bakeoff run {begun.path}/study.toml --out {begun.path} "
        "compares them"
    )
    assert sum(line.endswith("ended") for line in heard.lines) == 4
    assert {each.provenance.machine for each in begun.read_records()} == {HERE}
    assert not (begun.path / "report.html").exists()
    assert weights(begun) == weights(run_study(ASKED, tmp_path / "alone").folder)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_worker_leaves_to_others_what_they_are_at(jobs: int, begun: RunFolder) -> None:
    heard = Heard()
    with locks.held(begun.lock("a", 0)):
        begun.write_trial(*whole(ASKED, "b", 1))
        worked = work_on(begun.path, jobs=jobs, listener=heard)
    assert (worked.finished, worked.planned) == (3, 4)
    assert worked.to_text() == (
        f"{HERE}: trials finished: 3 of 4; others are at the rest, and bakeoff status "
        f"{begun.path} tells how far"
    )
    assert begun.finished() == [("a", 1), ("b", 0), ("b", 1)]


def test_a_trial_that_its_holder_gives_up_meanwhile_is_trained_after_all(begun: RunFolder) -> None:
    held = locks.held(begun.lock("a", 0))
    held.__enter__()

    class Freeing(Heard):
        def trial_ended(self, *_: object) -> None:
            held.__exit__(None, None, None)
            self.trial_ended = lambda *_: None  # type: ignore[method-assign]

    assert work_on(begun.path, jobs=1, listener=Freeing()).finished == 4


def refusal(folder: Path, *, trust_code: bool = False) -> str:
    with pytest.raises(BakeoffError) as caught:
        work_on(folder, jobs=1, trust_code=trust_code)
    return str(caught.value)


def test_what_is_no_run_or_was_never_begun_is_refused_by_the_machines_name(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nothing") == (
        f"{HERE}: {tmp_path}/nothing: no run folder (it has no study.toml); give the --out of one"
    )
    folder = RunFolder.create(tmp_path / "run", ASKED)
    assert refusal(folder.path) == (
        f"{HERE}: {folder.path}: no trial of it was ever begun; bakeoff run with --out "
        f"{folder.path} does"
    )


def test_a_machine_with_another_torch_or_without_shared_locks_trains_nothing(
    begun: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as sshfs:
        sshfs.setattr("bakeoff.commands.work.why_locks_are_alone", lambda _: "no locks here")
        assert refusal(begun.path) == (
            f"{HERE}: {begun.path}: no locks here; take a folder on another file system"
        )
    origin = begun.read_origin()
    assert origin is not None
    ours = origin.versions["torch"].partition("+")[0]
    begun.write_origin(origin.model_copy(update={"versions": origin.versions | {"torch": "1.0"}}))
    assert refusal(begun.path) == (
        f"{HERE}: {begun.path}: torch {ours}, and the run was begun with 1.0; install that"
    )
    begun.write_origin(origin.model_copy(update={"versions": origin.versions | {"bakeoff": "0"}}))
    assert refusal(begun.path) == (
        f"{HERE}: {begun.path}: bakeoff {bakeoff.__version__}, and the run was begun with 0; "
        "install that"
    )
    begun.write_origin(origin.model_copy(update={"data_hash": "0" * 64}))
    assert refusal(begun.path) == (
        f"{HERE}: {begun.path}: other data than the run was begun with; bring those here"
    )
    assert begun.finished() == []


def test_an_origin_that_was_altered_is_named(begun: RunFolder) -> None:
    file = begun.path / "origin.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"precision": "float64"}))
    assert refusal(begun.path) == (f"{HERE}: {file}: damaged; delete it and run the study again")


@pytest.fixture
def own(tmp_path: Path) -> RunFolder:
    """Return the begun folder of a run whose data and network lie in files beside the study."""
    images = np.random.default_rng(0).integers(255, size=(80, 8, 8), dtype=np.uint8)
    parts = {"train": images[:60], "test": images[60:]}
    labels = {f"y_{part}": np.arange(len(of)) % 10 for part, of in parts.items()}
    save_npz(tmp_path / "data.npz", {f"x_{part}": of for part, of in parts.items()} | labels)
    drawn(tmp_path, {"net.py": SOUND})
    net = Entrant(name="mine", architecture="net.py:Net", recipe=Recipe(epochs=1))
    asked = study(net, dataset="./data.npz", validation=8)
    with pytest.raises(KeyboardInterrupt):
        run_study(
            asked.model_copy(update={"base": str(tmp_path)}), tmp_path / "run", listener=Away()
        )
    return RunFolder.open(tmp_path / "run")


def test_a_machine_without_the_data_trains_nothing(own: RunFolder) -> None:
    (own.path.parent / "data.npz").unlink()
    assert refusal(own.path).startswith(f"{HERE}: {own.path.parent}/data.npz: nothing is there; ")


def test_a_machine_without_the_source_of_a_network_or_trust_in_it_trains_nothing(
    own: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another user's"))
    monkeypatch.setattr(known, "_LOADED", {})
    source = own.study.entrants[0].source
    assert source is not None
    where = own.code(source)
    assert refusal(own.path) == (
        f"{HERE}: mine: net.py:Net is code that you never had run; look at {where}, then say "
        "--trust-code"
    )
    (tmp_path / "net.py").unlink()
    shutil.rmtree(where)
    assert refusal(own.path, trust_code=True) == (
        f"{HERE}: {where}: not the code that net.py was trained with; bring it back, or pictures "
        "and predictions cannot be made anew"
    )
