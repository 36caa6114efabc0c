"""A trial without the run folder: what is sent, what comes back, what a strange machine says."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest
import torch

from bakeoff.commands.run import run_study
from bakeoff.data.dataset import Dataset
from bakeoff.records.folder import RunFolder
from bakeoff.runners import errand as far
from bakeoff.runners.errand import Begun, Errand, train_far_away
from bakeoff.runners.events import Event
from bakeoff.runners.setting import Setting
from bakeoff.training.trial import Trial

from ..factories import entrant, study

ASKED = study(entrant("a", "mlp-2x200", epochs=3))


@pytest.fixture
def errand(digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Errand:
    monkeypatch.setattr(far, "_READY", {})
    folder = RunFolder.create(tmp_path / "run", ASKED)
    setting = Setting(folder, digits, torch.device("cpu"), "float32")
    return Errand(
        origin=setting.origin.model_dump_json(),
        study=ASKED.model_dump_json(),
        kept=folder.kept_code(),
        device="cpu",
        threads=1,
    )


def test_what_comes_back_is_what_is_trained_here_also_from_a_checkpoint_on(
    errand: Errand, tmp_path: Path, checkpoint_each_epoch: None
) -> None:
    answers = list(train_far_away(errand, "a", 0, {}))
    assert isinstance(answers[0], Begun)
    assert answers[0].machine == platform.node()
    events = [each for each in answers if isinstance(each, Event)]
    assert [each.event for each in events] == ["epoch_ended"] * 3
    files = [each for each in answers if isinstance(each, dict)]
    assert [next(iter(each))[:10] for each in files[:2]] == ["epoch-0001", "epoch-0002"]

    again = list(train_far_away(errand, "a", 0, files[1]))
    resumed = [each for each in again if isinstance(each, Event)]
    assert resumed[0] == Event(event="trial_resumed", trial=("a", 0), detail=(2, 0))
    assert [each.event for each in resumed[1:]] == ["epoch_ended"]

    here = run_study(ASKED, tmp_path / "here").folder
    weights = here.read_weights("a", 0)
    for number, last in enumerate((answers[-1], again[-1])):
        assert isinstance(last, Trial)
        there = RunFolder.create(tmp_path / f"there-{number}", ASKED)
        there.write_trial(last.record, last.weights, last.predictions)
        assert there.read_weights("a", 0) == weights
        assert last.record.provenance.resumed == ()


def failure(errand: Errand) -> str:
    *_, last = train_far_away(errand, "a", 0, {})
    assert isinstance(last, Event)
    assert last.event == "failed"
    return str(last.detail)


def test_a_machine_that_is_not_fit_says_so_by_its_name(
    errand: Errand, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = errand.origin.replace(f'"torch":"{torch.__version__}"', '"torch":"1.0"')
    assert failure(Errand(older, "{}", {}, "cpu", 1)) == (
        f"{platform.node()}: torch {torch.__version__.partition('+')[0]}, and the run was begun "
        "with 1.0; install that"
    )
    other = errand.origin.replace('"data_hash":"', '"data_hash":"f')
    assert failure(Errand(other, errand.study, {}, "cpu", 1)) == (
        f"{platform.node()}: other data than the run was begun with; bring those here"
    )
    gone = errand.study.replace('"dataset":"digits"', '"dataset":"./gone"')
    assert failure(Errand(errand.origin, gone, {}, "cpu", 1)).startswith(f"{platform.node()}: ")


def test_what_is_no_error_of_the_users_comes_back_as_a_line_too(errand: Errand) -> None:
    assert failure(Errand("", errand.study, {}, "cpu", 1)).startswith(
        f"{platform.node()}: ValidationError: "
    )
