"""The moving average of weights, by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bakeoff.engine.average import Average


def moved(model: nn.Linear, to: float) -> None:
    with torch.no_grad():
        model.weight.fill_(to)


def test_the_average_by_hand() -> None:
    model = nn.Linear(1, 1, bias=False)
    moved(model, 1.0)
    average = Average(model, 0.25)
    moved(model, 2.0)
    average.follow()  # Keeps 2 / 11.
    first = 1.0 * 2 / 11 + 2.0 * 9 / 11
    assert average.state()["weight"].item() == pytest.approx(first)
    moved(model, 5.0)
    average.follow()  # 3 / 12 is no less than what it may keep.
    assert average.state()["weight"].item() == pytest.approx(0.25 * first + 0.75 * 5.0)


def test_the_network_has_the_average_inside_and_its_own_weights_afterwards() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    average = Average(model, 0.9)
    start = {name: value.clone() for name, value in model.state_dict().items()}
    model(torch.randn(8, 2)).sum().backward()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(1.0)
    own = {name: value.clone() for name, value in model.state_dict().items()}
    with average.in_place():
        for name, value in model.state_dict().items():
            # What counts is not averaged.
            assert torch.equal(value, own[name] if "num_batches" in name else start[name]), name
    assert all(torch.equal(value, own[name]) for name, value in model.state_dict().items())
    average.take_over()
    assert torch.equal(model.state_dict()["0.weight"], start["0.weight"])


def test_an_average_goes_on_from_what_it_was() -> None:
    model = nn.Linear(3, 1)
    whole = Average(model, 0.7)
    for to in (1.0, 2.0):
        moved(model, to)
        whole.follow()
    again = Average(model, 0.7)
    again.restore({name: value.clone() for name, value in whole.state().items()}, 2)
    moved(model, 3.0)
    whole.follow()
    again.follow()
    assert torch.equal(again.state()["weight"], whole.state()["weight"])
