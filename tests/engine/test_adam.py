from __future__ import annotations

import copy
from typing import Any, Literal

import pytest
import torch
from torch import nn
from torch.optim import Optimizer

from bakeoff.engine import LeanAdam, lean
from bakeoff.engine.optimizers import SGD, Adam, AdamW
from bakeoff.study.recipe import Recipe
from bakeoff.training.optimizers import make_optimizer


def network() -> nn.Sequential:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2))


def train(model: nn.Module, steps: Optimizer | LeanAdam, batches: int) -> None:
    generator = torch.Generator().manual_seed(1)
    for _ in range(batches):
        steps.zero_grad()
        model(torch.randn(6, 4, generator=generator)).square().sum().backward()
        steps.step()


@pytest.mark.parametrize("name", ["adam", "adamw"])
def test_every_bit_is_that_of_the_optimizers_own_step(name: Literal["adam", "adamw"]) -> None:
    recipe = Recipe(optimizer=name, learning_rate=0.01, weight_decay=0.1)
    ours, plain = network(), network()
    optimizer, other = make_optimizer(ours, recipe), make_optimizer(plain, recipe)
    steps = lean(optimizer, ours)
    assert isinstance(steps, LeanAdam)
    for batches in (1, 4):
        train(ours, steps, batches)
        train(plain, other, batches)
        for left, right in zip(ours.parameters(), plain.parameters(), strict=True):
            assert torch.equal(left, right)
    for left, right in zip(
        optimizer.state_dict()["state"].values(), other.state_dict()["state"].values(), strict=True
    ):
        assert all(torch.equal(left[key], right[key]) for key in ("step", "exp_avg", "exp_avg_sq"))


def test_it_goes_on_from_a_state_that_was_restored() -> None:
    recipe = Recipe(learning_rate=0.01)
    whole, first = network(), network()
    train(whole, lean(make_optimizer(whole, recipe), whole), 3)

    before = make_optimizer(first, recipe)
    train(first, lean(before, first), 2)
    kept = copy.deepcopy(before.state_dict())
    after = make_optimizer(first, recipe)
    steps = lean(after, first)
    after.load_state_dict(kept)
    generator = torch.Generator().manual_seed(1)
    *_, third = (torch.randn(6, 4, generator=generator) for _ in range(3))
    steps.zero_grad()
    first(third).square().sum().backward()
    steps.step()
    for left, right in zip(first.parameters(), whole.parameters(), strict=True):
        assert torch.equal(left, right)


def test_it_takes_the_rate_that_a_schedule_has_written() -> None:
    weight = nn.Parameter(torch.zeros(1))
    optimizer = Adam([weight], lr=0.5, fused=True)
    steps = lean(optimizer, nn.Identity())
    # With one gradient all along, each step of Adam is as long as its rate.
    for rate, reached in ((0.5, -0.5), (0.25, -0.75), (0.125, -0.875)):
        optimizer.param_groups[0]["lr"] = rate
        weight.grad = torch.ones(1)
        steps.step()
        assert weight.item() == pytest.approx(reached, rel=1e-5)


def test_weights_without_a_gradient_stay_and_may_get_one_later() -> None:
    first, second = (nn.Parameter(torch.zeros(1)) for _ in range(2))
    steps = lean(Adam([first, second], lr=0.5, fused=True), nn.Identity())
    first.grad = torch.ones(1)
    steps.step()
    assert second.item() == 0.0
    steps.zero_grad()
    assert first.grad is None
    second.grad = torch.ones(1)
    steps.step()
    assert (first.item(), second.item()) == (pytest.approx(-0.5), pytest.approx(-0.5))


def test_other_optimizers_take_their_own_steps() -> None:
    weights = [nn.Parameter(torch.zeros(1))]
    unfused: list[dict[str, Any]] = [
        {"params": weights}, {"params": [nn.Parameter(torch.zeros(1))], "fused": False},
    ]  # fmt: skip
    other: list[Optimizer] = [
        Adam(weights),
        SGD(weights, fused=True),
        AdamW(unfused, fused=True),
    ]
    for optimizer in other:
        assert lean(optimizer, nn.Identity()) is optimizer


def test_moments_of_another_size_are_refused_before_a_step() -> None:
    weight = nn.Parameter(torch.ones(4, 3))
    optimizer = Adam([weight], fused=True)
    steps = LeanAdam(optimizer, torch._fused_adam_)
    weight.grad = torch.ones(4, 3)
    steps.step()
    for name, other in (("exp_avg", torch.ones(2)), ("exp_avg_sq", torch.ones(4, 3).double())):
        state = copy.deepcopy(optimizer.state_dict())
        state["state"][0][name] = other
        optimizer.load_state_dict(state)
        optimizer.state[weight][name] = other
        with pytest.raises(ValueError, match=r"^a moment of \["):
            steps.step()
