"""A training that is interrupted inside an epoch goes on there, to the last bit."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bakeoff.data.dataset import Dataset
from bakeoff.engine.step import Step
from bakeoff.records.checkpoints import Checkpoint, Checkpoints, decode
from bakeoff.study.augmentation import Augmentation
from bakeoff.study.study import Study
from bakeoff.training import trial as start
from bakeoff.training.clocks import Clocks, Taken
from bakeoff.training.run_trial import run_trial
from bakeoff.training.trial import Trial, TrialSpec

from ..factories import entrant, first_of, study, trial_spec
from .test_moving import KilledError, identical, kept

pytestmark = pytest.mark.usefixtures("checkpoint_each_step")
CPU = torch.device("cpu")
STEPS = 4
"""Of an epoch: 200 examples in batches of 60, the last one smaller."""
DROP = study(entrant("drop", "cnn-2conv-dropout", epochs=2, batch_size=60), validation=60)
PLAIN = study(
    entrant("plain", epochs=2, batch_size=60, optimizer="sgd", schedule="one-cycle"), validation=60
)
EVERYTHING = study(
    entrant(
        "all",
        "cnn-3conv",
        epochs=2,
        batch_size=60,
        optimizer="adamw",
        schedule="cosine",
        warmup=0.2,
        weight_decay=0.1,
        decay_norms_and_biases=False,
        clip=0.5,
        average=0.9,
        class_weights="balanced",
        label_smoothing=0.1,
    ),
    validation=60,
)
EVERYTHING = EVERYTHING.model_copy(
    update={
        "protocol": EVERYTHING.protocol.model_copy(
            update={"augmentation": Augmentation(shift=1.5, rotate=20, cutout=2, flip=True)}
        )
    }
)
MIXED = DROP.model_copy(
    update={
        "protocol": DROP.protocol.model_copy(
            update={"augmentation": Augmentation(mixup=0.4, scale=0.2, contrast=0.3)}
        )
    }
)
HELD = study(
    entrant("held", "cnn-3conv", epochs=2, batch_size=60, weight_decay=0.1).model_copy(
        update={"trainable": ("norm2.*", "conv3.*", "output.weight")}
    ),
    validation=60,
)
"""The first norm stays, the second moves, of the third nothing does."""


class Drawing(nn.Module):
    """Draws from everything that a network might draw from."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(64, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        rows = F.dropout(images.flatten(1), 0.3, self.training)
        if self.training:
            rows = rows * (1 + random.gauss(0, 0.1)) + np.random.randn() / 10  # noqa: NPY002
        found: torch.Tensor = self.layer(rows)
        return found


@pytest.fixture(scope="module")
def few(digits: Dataset) -> Dataset:
    return first_of(digits, train=260, test=90)


def spec(few: Dataset, asked: Study = DROP, precision: str = "float32") -> TrialSpec:
    return trial_spec(asked, asked.entrants[0], 0, few, CPU, precision)


def started(
    of: TrialSpec, path: Path | None, heard: Callable[..., None] = lambda *_: None
) -> Trial:
    return run_trial(of, lambda _: None, None if path is None else kept(path), heard)


@contextmanager
def killed_at(step: int) -> Iterator[None]:
    """Let the step with this number, counted from 1 and in this process, be the last to begin."""
    take, taken = Step.__call__, 0

    def counted(self: Step, *batch: torch.Tensor) -> torch.Tensor:
        nonlocal taken
        taken += 1
        if taken == step:
            raise KilledError
        return take(self, *batch)

    with patch.object(Step, "__call__", counted), pytest.raises(KilledError):
        yield


@pytest.mark.parametrize(
    ("asked", "precision"),
    [
        (DROP, "float32"),
        (DROP, "bfloat16"),
        (PLAIN, "float32"),
        (EVERYTHING, "float32"),
        (MIXED, "float32"),
        (HELD, "float32"),
    ],
)
@pytest.mark.parametrize("step", [2, STEPS + 1, STEPS + 3])
def test_a_trial_killed_at_any_step_ends_as_one_that_was_not(
    step: int, asked: Study, precision: str, few: Dataset, tmp_path: Path
) -> None:
    of = spec(few, asked, precision)
    whole = started(of, None)
    with killed_at(step):
        started(of, tmp_path)
    torch.rand(3)
    heard: list[tuple[int, int]] = []
    assert identical(started(of, tmp_path, lambda *stands: heard.append(stands)), whole)
    assert heard == [divmod(step - 1, STEPS)]


def test_a_trial_killed_at_every_second_step_gets_to_its_end(few: Dataset, tmp_path: Path) -> None:
    whole = started(spec(few), None)
    for _ in range(2 * STEPS - 1):
        with killed_at(2):
            started(spec(few), tmp_path)
    assert identical(started(spec(few), tmp_path), whole)


@pytest.mark.parametrize("asked", [DROP, EVERYTHING, MIXED], ids=["plain", "changed", "mixed"])
def test_a_trial_killed_while_it_is_validated_takes_no_step_twice(
    asked: Study, few: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KilledError

    whole = started(spec(few, asked), None)
    with monkeypatch.context() as killer:
        killer.setattr("bakeoff.training.fit.predict_logits", killed)
        with pytest.raises(KilledError):
            started(spec(few, asked), tmp_path)
    heard: list[tuple[int, int]] = []
    resumed = started(spec(few, asked), tmp_path, lambda *stands: heard.append(stands))
    assert identical(resumed, whole)
    assert heard == [(0, STEPS)]


@pytest.fixture
def drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the network of every trial be one that draws, the same each time."""

    def made(*_: Any, **__: Any) -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(1)
            return Drawing()

    monkeypatch.setattr(start, "start", made)


@pytest.mark.usefixtures("drawing")
def test_whatever_a_network_draws_from_goes_on_where_it_stood(few: Dataset, tmp_path: Path) -> None:
    whole = started(spec(few), None)
    with killed_at(3):
        started(spec(few), tmp_path)
    assert identical(started(spec(few), tmp_path), whole)


@pytest.mark.usefixtures("drawing")
def test_what_the_file_system_draws_moves_no_training(
    few: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn(*_: Any) -> None:
        random.random()  # noqa: S311
        np.random.rand()  # noqa: NPY002

    whole = started(spec(few), None)
    monkeypatch.setattr(Checkpoints, "write", drawn)
    assert identical(started(spec(few), tmp_path), whole)


def test_seconds_of_both_parts_of_an_epoch_count(
    few: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Clocks, "taken", lambda _: Taken(3.0, 2.0, 0.5))
    with killed_at(3):
        started(spec(few), tmp_path)
    monkeypatch.setattr(Clocks, "taken", lambda _: Taken(1.0, 1.0, 0.1))
    first, second = started(spec(few), tmp_path).record.epochs
    assert (first.seconds, first.processor_seconds, first.others) == (4.0, 3.0, 0.4)
    assert (second.seconds, second.others) == (1.0, 0.1)


def test_a_training_that_diverges_leaves_nothing_to_go_on_with(
    few: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exploding = study(entrant("plain", epochs=1, batch_size=60, learning_rate=1e30), validation=60)
    said: list[str] = []
    store = Checkpoints(kept(tmp_path).folder, said.append)
    assert run_trial(spec(few, exploding), lambda _: None, store).record.stopped.diverged
    assert said == []


Spoil = Callable[[dict[str, torch.Tensor]], Mapping[str, torch.Tensor]]
STANDS = "not of this network and optimizer: random numbers from dropout 0"


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda s: {"losses": s["losses"][:1]}, "its losses are not those of 2 steps of 4"),
        (lambda s: {"losses": s["losses"] * torch.inf}, "its losses are not those of 2 steps of 4"),
        (lambda s: {"losses": s["losses"].int()}, "its losses are not those of 2 steps of 4"),
        (lambda s: {"draws.dropout 0": torch.ones(4)}, f"{STANDS} are missing"),
        (lambda s: {"draws.dropout 0": torch.ones(5).long()}, f"{STANDS} are missing"),
        (
            lambda s: {"draws.torch": torch.ones(4)},
            "not of this network and optimizer: random numbers from torch, of which this network "
            "draws none",
        ),
    ],
)
def test_a_part_that_this_training_never_left_is_named(
    spoil: Spoil, complaint: str, few: Dataset, tmp_path: Path
) -> None:
    whole = started(spec(few), None)
    with killed_at(3):
        started(spec(few), tmp_path)
    before, newest = sorted(tmp_path.iterdir())
    found = decode(newest.read_bytes(), "it")
    newest.unlink()
    forged = dataclasses.replace(found, state={**found.state, **spoil(dict(found.state))})
    kept(tmp_path).write(forged)
    newest = next(file for file in tmp_path.iterdir() if file != before)
    said: list[str] = []
    heard: list[tuple[int, int]] = []
    store = Checkpoints(kept(tmp_path).folder, said.append)
    resumed = run_trial(spec(few), lambda _: None, store, lambda *stands: heard.append(stands))
    assert said == [f"{newest}: {complaint}; going back to the checkpoint before it"]
    assert heard == [(0, 1)]
    assert identical(resumed, whole)


@pytest.mark.parametrize("change", [{"steps": 0}, {"seconds": -1.0}, {"others": 1.5}])
def test_a_part_that_no_training_leaves_is_no_checkpoint(
    change: dict[str, Any], few: Dataset, tmp_path: Path
) -> None:
    with killed_at(3):
        started(spec(few), tmp_path)
    newest = sorted(tmp_path.iterdir())[-1]
    found = decode(newest.read_bytes(), "it")
    assert found.begun is not None
    forged = dataclasses.replace(found, begun=found.begun.model_copy(update=change))
    said: list[str] = []
    Checkpoints(kept(tmp_path).folder, said.append).write(forged)
    assert len(said) == 1
    assert "not a checkpoint of this version; no checkpoint is left of epoch" in said[0]


def test_the_name_of_a_checkpoint_tells_the_steps(few: Dataset, tmp_path: Path) -> None:
    with killed_at(STEPS + 2):
        started(spec(few), tmp_path)
    names = sorted(file.name.rpartition("-")[0] for file in tmp_path.iterdir())
    assert names == ["epoch-0001", "epoch-0001-step-000001"]
    found = kept(tmp_path).newest()
    assert found is not None
    assert found[1].stands == (1, 1)
    assert isinstance(found[1], Checkpoint)
