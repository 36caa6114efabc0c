"""What a trial takes: memory counted by hand, time for the whole epoch."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bakeoff.data.dataset import Dataset
from bakeoff.study.recipe import Recipe
from bakeoff.training.trying import _bytes_of_memory, tried

from ..factories import entrant, study

CPU = torch.device("cpu")
BATCH = torch.zeros(5, 1, 2, 2)
WEIGHTS = (4 * 3 + 3) + (3 * 2 + 2)


def net() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))


@pytest.mark.parametrize(("optimizer", "copies"), [("sgd", 3), ("adam", 4), ("adamw", 4)])
def test_memory_is_that_of_weights_batch_and_what_the_way_back_needs(
    optimizer: str, copies: int
) -> None:
    # The first layer keeps its input, which is the batch itself; the second what came through the
    # activation, once though both keep it; the loss its logarithms and the labels, 8 bytes each.
    kept = 5 * 4 * 4 + 5 * 3 * 4 + 5 * 2 * 4 + 5 * 8
    found = _bytes_of_memory(net(), Recipe.model_validate({"optimizer": optimizer}), BATCH)
    beside = found - copies * 4 * WEIGHTS - BATCH.nbytes
    assert kept <= beside <= kept + 8  # What a loss keeps beside them is a number.


def test_a_larger_batch_needs_more_and_weights_no_more() -> None:
    recipe = Recipe()
    one, two, four = (
        _bytes_of_memory(net(), recipe, torch.zeros(count, 1, 2, 2)) for count in (100, 200, 400)
    )
    assert four - two == 2 * (two - one)


def test_no_number_of_anybodys_is_drawn(digits: Dataset) -> None:
    asked = study(entrant("drop", "cnn-2conv-dropout", batch_size=20))
    before = torch.get_rng_state()
    tried(asked, asked.entrants[0], digits, CPU, "float32")
    assert torch.equal(torch.get_rng_state(), before)


def test_seconds_are_those_of_all_training_images(
    digits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = study(entrant(batch_size=100))
    clock = iter([10.0, 12.0])
    monkeypatch.setattr("bakeoff.training.trying.time.perf_counter", lambda: next(clock))
    # 300 of 1,000 images in two seconds.
    found = tried(asked, asked.entrants[0], digits, CPU, "float32")
    assert found.seconds_per_epoch == pytest.approx(2 * 1000 / 300)
