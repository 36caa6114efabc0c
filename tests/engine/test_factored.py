from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bakeoff.engine import LeanAdam, fast, lean
from bakeoff.engine.factored import FactoredLinear
from bakeoff.engine.linear import InPlaceLinear
from bakeoff.engine.native import Kernels, kernels, kernels_in_use
from bakeoff.study.recipe import Recipe
from bakeoff.training.optimizers import make_optimizer

OWN = kernels()
pytestmark = pytest.mark.skipif(OWN is None, reason=f"no kernels: {kernels_in_use()}")
MATRIX_UNITS = OWN is not None and OWN.matrix_units


@pytest.fixture(autouse=True)
def large_layers_are_factored_also_without_matrix_units(monkeypatch: pytest.MonkeyPatch) -> None:
    """In float32 their kernels are of AVX-512 alone; the engine asks for both precisions."""
    assert OWN is not None
    whole = Kernels(OWN.library, matrix_units=True)
    monkeypatch.setattr("bakeoff.engine.adam.kernels", lambda: whole)


class Twice(nn.Module):
    """A large layer that is used twice, its weight once more, and a small layer."""

    def __init__(self) -> None:
        super().__init__()
        self.large = nn.Linear(400, 400)
        self.small = nn.Linear(400, 10)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        twice = self.large(torch.relu(self.large(rows)))
        hidden: torch.Tensor = self.small(torch.relu(F.linear(twice, self.large.weight)))
        return hidden


def once() -> nn.Module:
    return nn.Sequential(nn.Linear(512, 300), nn.ReLU(), nn.Linear(300, 10))


def train(model: nn.Module, recipe: Recipe, batches: int, *, ours: bool) -> dict[str, torch.Tensor]:
    """Return the state of the optimizer's first weight after some steps."""
    optimizer = make_optimizer(model, recipe)
    twin = fast(model) if ours else model
    steps = lean(optimizer, twin) if ours else optimizer
    assert isinstance(steps, LeanAdam) == ours
    generator = torch.Generator().manual_seed(1)
    wide = next(model.parameters()).shape[1]
    for _ in range(batches):
        rows = torch.randn(30, wide, generator=generator)
        steps.zero_grad()
        F.cross_entropy(twin(rows), torch.arange(30) % 10).backward()
        steps.step()
    state: dict[str, torch.Tensor] = optimizer.state[next(model.parameters())]
    return state


@pytest.mark.parametrize("build", [once, Twice])
@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_training_reaches_the_weights_and_the_state_of_the_plain_network(
    build: type[nn.Module], optimizer: str
) -> None:
    torch.manual_seed(0)
    plain = build()
    ours = copy.deepcopy(plain)
    recipe = Recipe.model_validate(
        {"optimizer": optimizer, "learning_rate": 0.001, "weight_decay": 0.01}
    )
    quick, slow = train(ours, recipe, 4, ours=True), train(plain, recipe, 4, ours=False)
    for left, right in zip(ours.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(left, right, atol=2e-5)
    assert quick["step"] == slow["step"] == 4
    assert torch.allclose(quick["exp_avg"], slow["exp_avg"], rtol=1e-3, atol=1e-6)
    assert torch.allclose(quick["exp_avg_sq"], slow["exp_avg_sq"], rtol=1e-3, atol=1e-9)


def test_the_gradient_is_never_made_but_its_factors_give_it() -> None:
    model = once()
    twin = fast(model)
    steps = lean(make_optimizer(model, Recipe()), twin)
    layer = next(iter(twin.children()))
    assert isinstance(layer, FactoredLinear)
    rows = torch.randn(30, 512)
    F.cross_entropy(twin(rows), torch.arange(30) % 10).backward()
    assert layer.weight.grad is None
    layer.add_gradient()
    factored = layer.weight.grad
    layer.weight.grad = None
    F.cross_entropy(model(rows), torch.arange(30) % 10).backward()
    assert factored is not None
    assert layer.weight.grad is not None
    assert torch.allclose(factored, layer.weight.grad, atol=1e-7)
    steps.zero_grad()
    assert layer.factors == []
    assert layer.weight.grad is None


def test_a_large_layer_without_a_gradient_stays_where_it_is() -> None:
    model = once()
    twin = fast(model)
    steps = lean(make_optimizer(model, Recipe()), twin)
    for _ in range(2):
        before = [parameter.clone() for parameter in model.parameters()]
        steps.zero_grad()
        first, _, last = twin.children()
        last(torch.randn(4, 300)).sum().backward()
        steps.step()
        moved = [
            not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True)
        ]
        assert moved == [False, False, True, True]
        assert isinstance(first, FactoredLinear)


def test_rows_of_any_number_of_axes_and_a_frozen_weight_are_taken_as_ever() -> None:
    model = once()
    twin = fast(model)
    lean(make_optimizer(model, Recipe()), twin)
    rows = torch.randn(2, 3, 512, requires_grad=True)
    outputs = twin(rows)
    assert torch.allclose(outputs, model(rows), atol=1e-6)
    for rounds in (False, True)[: 1 + MATRIX_UNITS]:
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=rounds):
            (gradient,) = torch.autograd.grad(twin(rows).sum(), rows)
        (expected,) = torch.autograd.grad(model(rows).sum(), rows)
        assert (gradient - expected).norm() < (0.1 if rounds else 1e-5) * expected.norm()

    frozen = once()
    next(frozen.parameters()).requires_grad_(False)
    twin = fast(frozen)
    lean(make_optimizer(frozen, Recipe()), twin)
    assert type(next(iter(twin.children()))) is InPlaceLinear


def test_an_optimizer_of_another_kind_gets_whole_gradients() -> None:
    model = once()
    twin = fast(model)
    lean(make_optimizer(model, Recipe(optimizer="sgd")), twin)
    assert type(next(iter(twin.children()))) is InPlaceLinear


def test_a_layer_with_an_odd_number_of_inputs_is_left_alone() -> None:
    model = nn.Sequential(nn.Linear(513, 300), nn.Tanh())
    twin = fast(model)
    lean(make_optimizer(model, Recipe()), twin)
    assert type(next(iter(twin.children()))) is InPlaceLinear
