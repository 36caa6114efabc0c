from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import against_other_trainers
from benchmarks.against_other_trainers import LIBRARIES, epoch_seconds, installed, main, missing
from benchmarks.interleaved import Turns
from benchmarks.task import Task, assignment

from .results import figures_of

STUDY = assignment()
REQUIREMENTS = Path(against_other_trainers.__file__).with_name("requirements")


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(against_other_trainers, "find_spec", lambda _: None)


@pytest.mark.usefixtures("nothing_installed")
def test_a_missing_library_is_one_line_that_says_how_to_add_it() -> None:
    assert missing("lightning") == (
        "lightning is not installed and left out; to add it: pip install "
        "-r benchmarks/requirements/lightning.txt -c constraints/pinned.txt"
    )


def test_each_trainer_has_its_own_requirements_with_pinned_versions() -> None:
    assert {file.stem for file in REQUIREMENTS.glob("*.txt")} == LIBRARIES.keys()
    for trainer, libraries in LIBRARIES.items():
        lines = (REQUIREMENTS / f"{trainer}.txt").read_text().splitlines()
        pins = dict(line.split("==") for line in lines if not line.startswith("#"))
        assert {name.partition("[")[0] for name in pins} == {"torch", *libraries}
        assert pins["torch"] == "2.13.0"


def test_an_epoch_is_what_a_fit_takes_beyond_one_on_a_single_batch() -> None:
    task = Task(STUDY, STUDY.entrants[0], 590, 60, 10, "float32")
    # 10 x 590 - 50 = 5,850 examples in 10 s and 13 s.
    turns = Turns(("a", "a, one batch"), np.array([[11.0, 15.0], [1.0, 2.0]]))
    expected = [10 / 5850 * 54_000, 13 / 5850 * 54_000]
    np.testing.assert_allclose(epoch_seconds(turns, "a", task), expected)


@pytest.mark.usefixtures("nothing_installed")
def test_without_the_others_the_benchmark_says_so_and_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    counts = "--rounds 1 --examples 100 --only logistic-regression --precision float32"
    main([*counts.split(), "--results", str(tmp_path)])
    told = capsys.readouterr().err.splitlines()
    assert told[:3] == [missing(trainer) for trainer in LIBRARIES]
    (race,) = figures_of(tmp_path, "against_other_trainers")["races"]
    assert race["seconds"].keys() == {"bakeoff", "bakeoff, one batch"}
    assert 0 < race["test accuracy"]["bakeoff"] < 1


# Keras reads its own variables in a way that numpy will drop.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("architecture", ["mlp-2x200", "cnn-2conv"])
@pytest.mark.parametrize("trainer", LIBRARIES)
def test_every_trainer_that_is_installed_trains_the_same_network_alike(
    trainer: str, architecture: str
) -> None:
    if line := missing(trainer):
        pytest.skip(line)
    # Divided once, pixels give gradients beside which Adam's epsilon, placed elsewhere in Keras, is
    # of no account; in one batch the order of the examples is of none.
    protocol = STUDY.protocol.model_copy(update={"pixels": "scaled-once"})
    study = STUDY.model_copy(update={"protocol": protocol})
    task = Task(study, study.entrant(architecture), 50, 10, 5, "float32")
    makers = installed("float32", [trainer])
    images = task.test().images[:100]
    reached = {}
    for name, make in makers.items():
        one = make(task)
        for _ in range(2):
            # Made ready anew, it starts from the first weights again.
            one.fresh()
            start = one.logits(images)
            one.fit()
        reached[name] = one.logits(images)
    moved = (reached["bakeoff"] - start).abs().max()
    torch.testing.assert_close(
        reached[trainer], reached["bakeoff"], rtol=0, atol=0.03 * float(moved)
    )
