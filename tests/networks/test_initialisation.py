from __future__ import annotations

import math
from typing import get_args

import pytest
import torch
from torch import nn

from bakeoff.networks.build import build
from bakeoff.networks.catalogue import ARCHITECTURES
from bakeoff.networks.initialisation import SCHEMES
from bakeoff.study.recipe import Recipe


def conv(scheme: str) -> nn.Conv2d:
    """Return the second convolution of `cnn-2conv`: 51,200 weights, enough for statistics."""
    model = build("cnn-2conv", (1, 8, 8), 10, initialisation=scheme, seed=11)
    layer = model.get_submodule("conv2")
    assert isinstance(layer, nn.Conv2d)
    assert layer.bias is not None
    return layer


def linear(scheme: str) -> nn.Linear:
    model = build("cnn-2conv", (1, 8, 8), 10, initialisation=scheme, seed=11)
    layer = model.get_submodule("hidden")
    assert isinstance(layer, nn.Linear)
    return layer


FAN_IN, FAN_OUT = 32 * 25, 64 * 25
XAVIER = math.sqrt(2 / (FAN_IN + FAN_OUT))
# The standard deviation of n normal numbers is off by about 1 / sqrt(2 n): here 0.3 %.
CLOSE = 0.015


def test_a_recipe_may_name_every_scheme_and_no_other() -> None:
    allowed = get_args(Recipe.model_fields["initialisation"].annotation)
    assert set(allowed) == SCHEMES.keys()


def test_absolute_xavier_has_no_negative_weight_and_a_bias_of_a_hundredth() -> None:
    layer = conv("absolute-xavier-normal")
    assert (layer.weight >= 0).all()
    assert torch.equal(layer.bias, torch.full((64,), 0.01))  # type: ignore[arg-type]
    # The second moment of |x| is that of x; its mean is std * sqrt(2 / pi).
    assert layer.weight.square().mean().sqrt().item() == pytest.approx(XAVIER, rel=CLOSE)
    assert layer.weight.mean().item() == pytest.approx(XAVIER * math.sqrt(2 / math.pi), rel=CLOSE)


def test_absolute_xavier_is_xavier_without_its_signs() -> None:
    absolute, signed = conv("absolute-xavier-normal"), conv("xavier-normal")
    assert torch.equal(absolute.weight, signed.weight.abs())


def test_xavier_has_the_standard_deviation_of_glorot_and_bengio() -> None:
    layer = conv("xavier-normal")
    assert layer.weight.std().item() == pytest.approx(XAVIER, rel=CLOSE)
    assert abs(layer.weight.mean().item()) < 5 * XAVIER / math.sqrt(layer.weight.numel())
    assert not layer.bias.any()  # type: ignore[union-attr]


def test_kaiming_has_the_standard_deviation_of_he_in_every_layer() -> None:
    layer, dense = conv("kaiming-normal"), linear("kaiming-normal")
    assert layer.weight.std().item() == pytest.approx(math.sqrt(2 / FAN_IN), rel=CLOSE)
    assert dense.weight.std().item() == pytest.approx(math.sqrt(2 / 256), rel=CLOSE)
    assert not layer.bias.any()  # type: ignore[union-attr]
    assert not dense.bias.any()


@pytest.mark.parametrize("scheme", ["absolute-xavier-normal", "xavier-normal"])
def test_xavier_schemes_leave_fully_connected_layers_to_torch(scheme: str) -> None:
    assert torch.equal(linear(scheme).weight, linear("framework-default").weight)
    assert torch.equal(linear(scheme).bias, linear("framework-default").bias)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_default_is_what_torch_gives_under_the_same_seed(name: str) -> None:
    built = build(name, (1, 8, 8), 10, initialisation="framework-default", seed=123)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(123)
        expected = ARCHITECTURES[name]((1, 8, 8), 10)
    for left, right in zip(built.parameters(), expected.parameters(), strict=True):
        assert torch.equal(left, right)


def test_the_default_is_uniform_within_one_over_the_root_of_fan_in() -> None:
    bound = 1 / math.sqrt(FAN_IN)
    weight = conv("framework-default").weight
    assert weight.abs().max().item() <= bound
    assert weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=CLOSE)
