"""Networks as a seed starts them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bakeoff.errors import StudyError
from bakeoff.networks.build import build
from bakeoff.networks.catalogue import ARCHITECTURES
from bakeoff.networks.initialisation import SCHEMES

every_architecture = pytest.mark.parametrize("name", ARCHITECTURES)


def made(name: str, seed: int = 0, scheme: str = "framework-default") -> nn.Module:
    return build(name, (1, 8, 8), 10, initialisation=scheme, seed=seed)


def same(left: nn.Module, right: nn.Module) -> list[bool]:
    pairs = zip(left.parameters(), right.parameters(), strict=True)
    return [torch.equal(a, b) for a, b in pairs]


@every_architecture
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_seed_alone_decides_the_weights(name: str, scheme: str) -> None:
    torch.manual_seed(1)
    first = made(name, seed=3, scheme=scheme)
    torch.manual_seed(2)
    torch.rand(7)
    again = made(name, seed=3, scheme=scheme)
    other = made(name, seed=4, scheme=scheme)
    assert all(same(first, again))
    differ = [not equal for equal in same(first, other)]
    # Biases and the gains of a normalisation may start at a constant; weights never do.
    weights = [value.dim() > 1 for value in first.parameters()]
    assert all(d for d, is_weight in zip(differ, weights, strict=True) if is_weight)


@every_architecture
def test_building_leaves_the_global_random_state_alone(name: str) -> None:
    before = torch.random.get_rng_state()
    made(name, scheme="kaiming-normal")
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_misspelt_architecture_gets_the_nearest_name() -> None:
    with pytest.raises(StudyError) as caught:
        made("cnn-2con")
    assert str(caught.value) == "unknown architecture 'cnn-2con'; did you mean 'cnn-2conv'?"
