from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from bakeoff.study.recipe import Recipe
from bakeoff.training.optimizers import make_optimizer, make_schedule, one_cycle


def test_one_cycle_rises_in_equal_steps_and_falls_along_a_cosine() -> None:
    rates = [one_cycle(step, 8, 0.25) for step in range(8)]
    falling = [(1 + math.cos(math.pi * k / 6)) / 2 for k in range(6)]
    assert rates == pytest.approx([1 / 3, 2 / 3, *falling])


@given(st.integers(1, 400), st.floats(0, 1, exclude_max=True))
def test_one_cycle_reaches_its_peak_once_and_stays_above_zero(steps: int, warmup: float) -> None:
    rates = [one_cycle(step, steps, warmup) for step in range(steps)]
    peak = rates.index(max(rates))
    assert all(0 < rate <= 1 for rate in rates)
    assert rates[:peak] == sorted(rates[:peak])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert peak <= max(1, round(steps * warmup))
    assert rates[peak] == 1.0 or steps <= max(1, round(steps * warmup))


def test_without_a_warm_up_the_rate_begins_at_its_peak() -> None:
    assert [one_cycle(step, 2, 0.0) for step in range(2)] == [1.0, pytest.approx(0.5)]
    assert one_cycle(0, 2, 1e-9) == 0.5


def rates_used(recipe: Recipe, steps_per_epoch: int) -> list[float]:
    model = nn.Linear(1, 1)
    optimizer = make_optimizer(model, recipe)
    schedule = make_schedule(optimizer, recipe, steps_per_epoch)
    rates = []
    for _ in range(recipe.epochs * steps_per_epoch):
        model(torch.ones(1, 1)).sum().backward()
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        schedule.step()
    return rates


def test_a_constant_schedule_keeps_the_rate() -> None:
    assert rates_used(Recipe(learning_rate=0.3, epochs=2), 3) == [0.3] * 6


def test_a_constant_schedule_may_warm_up() -> None:
    recipe = Recipe(learning_rate=0.3, epochs=2, warmup=0.5)
    assert rates_used(recipe, 3) == pytest.approx([0.075, 0.15, 0.225, 0.3, 0.3, 0.3])


def test_a_cosine_falls_from_the_first_step_unless_it_warms_up() -> None:
    recipe = Recipe(learning_rate=0.2, epochs=2, schedule="cosine")
    half = [0.1 * (1 + math.cos(math.pi * step / 6)) for step in range(6)]
    assert rates_used(recipe, 3) == pytest.approx(half)
    warmed = recipe.model_copy(update={"warmup": 0.25})
    once = Recipe(learning_rate=0.2, epochs=2, schedule="one-cycle")
    assert rates_used(warmed, 4) == rates_used(once, 4)


def test_norms_and_biases_are_spared_the_decay_if_asked() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Linear(2, 2))
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    for weight in model.parameters():
        weight.grad = torch.zeros_like(weight)
    recipe = Recipe(
        optimizer="adamw", learning_rate=0.1, weight_decay=0.5, decay_norms_and_biases=False
    )
    make_optimizer(model, recipe).step()
    for name, weight in model.named_parameters():
        left = 0.95 if weight.dim() > 1 else 1.0
        torch.testing.assert_close(weight.detach(), left * before[name])


def test_a_network_of_norms_alone_has_one_group() -> None:
    recipe = Recipe(weight_decay=0.5, decay_norms_and_biases=False)
    (group,) = make_optimizer(nn.BatchNorm2d(2), recipe).param_groups
    assert group["weight_decay"] == 0.0


def test_one_cycle_spans_the_whole_budget_up_to_the_recipes_rate() -> None:
    recipe = Recipe(learning_rate=0.3, epochs=2, schedule="one-cycle")
    assert rates_used(recipe, 4) == pytest.approx(
        [0.3 * one_cycle(step, 8, 0.25) for step in range(8)]
    )


GRADIENT = 0.5


def one_step(recipe: Recipe) -> float:
    """Return where a weight of 2 goes in one step along a gradient of one half."""
    model = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        model.weight.fill_(2.0)
    model.weight.grad = torch.tensor([[GRADIENT]])
    make_optimizer(model, recipe).step()
    return model.weight.item()


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        (Recipe(optimizer="adam", learning_rate=0.1), 2 - 0.1),
        # Decoupled: the weight shrinks by rate x decay, then Adam's step.
        (Recipe(optimizer="adamw", learning_rate=0.1, weight_decay=0.5), 2 * (1 - 0.05) - 0.1),
        # Coupled: the decay is part of the gradient, whose size Adam forgets.
        (Recipe(optimizer="adam", learning_rate=0.1, weight_decay=0.5), 2 - 0.1),
        # Nesterov's first step: gradient + momentum x gradient.
        (Recipe(optimizer="sgd", learning_rate=0.1), 2 - 0.1 * GRADIENT * 1.9),
        (
            Recipe(optimizer="sgd", learning_rate=0.1, weight_decay=0.5),
            2 - 0.1 * (GRADIENT + 0.5 * 2) * 1.9,
        ),
    ],
    ids=["adam", "adamw-decay", "adam-decay", "sgd", "sgd-decay"],
)
def test_the_first_step_of_each_optimizer_is_the_one_worked_out_by_hand(
    recipe: Recipe, expected: float
) -> None:
    assert one_step(recipe) == pytest.approx(expected, rel=1e-6)


# The details of a recipe


def settings(recipe: Recipe) -> dict[str, object]:
    defaults = make_optimizer(nn.Linear(1, 1), recipe).defaults
    return {
        key: defaults[key] for key in ("betas", "eps", "momentum", "nesterov") if key in defaults
    }


def test_the_defaults_are_those_that_there_were_before_they_could_be_set() -> None:
    for adam in (Recipe(), Recipe(optimizer="adamw")):
        assert settings(adam) == {"betas": (0.9, 0.999), "eps": 1e-8}
    assert settings(Recipe(optimizer="sgd")) == {"momentum": 0.9, "nesterov": True}
    cycle = Recipe(learning_rate=1, epochs=1, schedule="one-cycle")
    assert rates_used(cycle, 8) == [one_cycle(step, 8, 0.25) for step in range(8)]


def test_what_a_recipe_sets_is_what_the_optimizer_and_the_schedule_get() -> None:
    adam = Recipe(optimizer="adamw", betas=(0.5, 0.6), epsilon=0.01)
    assert settings(adam) == {"betas": (0.5, 0.6), "eps": 0.01}
    plain = Recipe(optimizer="sgd", momentum=0.5, nesterov=False)
    assert settings(plain) == {"momentum": 0.5, "nesterov": False}
    cycle = Recipe(learning_rate=1, epochs=1, schedule="one-cycle", warmup=0.5)
    assert rates_used(cycle, 8) == [one_cycle(step, 8, 0.5) for step in range(8)]


def test_without_momentum_a_step_is_rate_times_gradient() -> None:
    plain = Recipe(optimizer="sgd", learning_rate=0.1, momentum=0.0)
    assert one_step(plain) == pytest.approx(2 - 0.1 * GRADIENT)


def test_all_weights_are_updated_in_one_fused_pass() -> None:
    for name in ("adam", "adamw", "sgd"):
        optimizer = make_optimizer(nn.Linear(1, 1), Recipe.model_validate({"optimizer": name}))
        assert optimizer.defaults["fused"]
