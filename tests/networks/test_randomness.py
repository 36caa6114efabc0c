"""Random numbers of a training's own."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils._python_dispatch import _get_current_dispatch_mode
from torch.utils.checkpoint import checkpoint

from bakeoff.engine import fast
from bakeoff.errors import UsageError
from bakeoff.networks.build import build
from bakeoff.networks.catalogue import ARCHITECTURES
from bakeoff.networks.randomness import OwnGenerator, own_numbers, seeded, states_as_they_were

KEYS = torch.ones(1, 4, 8)
DRAWS: dict[str, Callable[[], torch.Tensor]] = {
    "rand": lambda: torch.rand(3, 4),
    "none named": lambda: torch.rand(3, generator=None),
    "rand of doubles": lambda: torch.rand(5, dtype=torch.float64),
    "randn": lambda: torch.randn(40),
    "randint": lambda: torch.randint(9, (20,)),
    "randint from": lambda: torch.randint(3, 9, (20,)),
    "randperm": lambda: torch.randperm(30),
    "rand_like": lambda: torch.rand_like(torch.empty(6)),
    "randn_like": lambda: torch.randn_like(torch.empty(6)),
    "randint_like": lambda: torch.randint_like(torch.empty(6), 2, 90),
    "out": lambda: torch.rand(4, out=torch.empty(4)),
    "uniform_": lambda: torch.empty(50).uniform_(-1, 1),
    "normal_": lambda: torch.empty(50).normal_(1, 2),
    "normal": lambda: torch.normal(0.5, torch.ones(7)),
    "random_": lambda: torch.empty(9).random_(100),
    "exponential_": lambda: torch.empty(9).exponential_(),
    "bernoulli": lambda: torch.bernoulli(torch.full((40,), 0.3)),
    "multinomial": lambda: torch.multinomial(torch.ones(20), 10),
    "poisson": lambda: torch.poisson(torch.full((9,), 4.0)),
    "dropout": lambda: F.dropout(torch.ones(40), 0.3),
    "dropout2d": lambda: F.dropout2d(torch.ones(2, 9, 3, 3), 0.3),
    "alpha_dropout": lambda: F.alpha_dropout(torch.ones(40), 0.3, training=True),
    "rrelu": lambda: F.rrelu(torch.full((9,), -1.0), training=True),
    "gumbel": lambda: F.gumbel_softmax(torch.ones(3, 4)),
    "attention": lambda: F.scaled_dot_product_attention(KEYS, KEYS, KEYS, dropout_p=0.5),
    "lstm": lambda: nn.LSTM(4, 5, num_layers=2, dropout=0.5)(torch.ones(3, 4))[0],
    "trunc_normal_": lambda: nn.init.trunc_normal_(torch.empty(40)),
    "orthogonal_": lambda: nn.init.orthogonal_(torch.empty(4, 4)),
    "linear": lambda: nn.Linear(4, 5).weight,
    "vmap": lambda: torch.func.vmap(F.dropout, randomness="different")(torch.ones(3, 9)),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_its_numbers_are_those_of_pytorchs_own_generator(
    draw: Callable[[], torch.Tensor],
) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(123)
        expected = [draw(), draw()]
    before = torch.get_rng_state()
    with OwnGenerator(123):
        found = [draw(), draw()]
        assert torch.get_rng_state().equal(before)
    assert not found[0].equal(found[1])
    assert all(map(torch.equal, found, expected))


def test_a_draw_that_names_a_generator_keeps_it() -> None:
    named = torch.Generator().manual_seed(5)
    expected = torch.rand(3, generator=torch.Generator().manual_seed(5))
    with OwnGenerator(1):
        assert torch.rand(3, generator=named).equal(expected)


def test_numbers_of_another_device_are_left_to_it() -> None:
    with OwnGenerator(1):
        assert torch.rand(3, device="meta").uniform_().device.type == "meta"


def test_another_thread_keeps_the_global_stream() -> None:
    drawn: list[torch.Tensor] = []
    with torch.random.fork_rng(), OwnGenerator(1):
        torch.manual_seed(8)
        thread = threading.Thread(target=lambda: drawn.append(torch.rand(3)))
        thread.start()
        thread.join()
    with torch.random.fork_rng():
        torch.manual_seed(8)
        assert drawn[0].equal(torch.rand(3))


@pytest.mark.parametrize("reentrant", [False, True])
def test_a_checkpointed_layer_that_draws_is_refused(reentrant: bool) -> None:
    rows = torch.ones(3, requires_grad=True)
    with OwnGenerator(1):
        loss = checkpoint(F.dropout, rows, use_reentrant=reentrant).sum()
        with pytest.raises(UsageError) as caught:
            loss.backward()
    assert str(caught.value) == (
        "a checkpointed layer draws random numbers: let it draw none, or do not checkpoint it"
    )


class Rounded(torch.autograd.Function):
    """The same numbers; the gradient gets noise."""

    @staticmethod
    def forward(ctx: object, rows: torch.Tensor) -> torch.Tensor:
        return rows.clone()

    @staticmethod
    def backward(ctx: object, upstream: torch.Tensor) -> torch.Tensor:
        return upstream + torch.rand_like(upstream)


def test_a_gradient_may_draw() -> None:
    def gradient() -> torch.Tensor:
        rows = torch.zeros(4, requires_grad=True)
        with OwnGenerator(3):
            Rounded.apply(rows).sum().backward()  # type: ignore[no-untyped-call]
        assert rows.grad is not None
        return rows.grad

    expected = 1 + torch.rand(4, generator=torch.Generator().manual_seed(3))
    assert gradient().equal(expected)


def under_own_generator(model: nn.Module) -> bool:
    with seeded(model, 0):
        return isinstance(_get_current_dispatch_mode(), OwnGenerator)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_networks_that_ship_do_not_pass_through_python(name: str) -> None:
    model = build(name, (1, 8, 8), 10, initialisation="framework-default", seed=0)
    assert not under_own_generator(fast(model))


def hooked() -> nn.Module:
    layer = nn.Linear(2, 2)
    layer.register_forward_hook(lambda *seen: seen[2] + torch.randn_like(seen[2]))
    return layer


class Plain(nn.Linear):
    """A layer of somebody's own, of which nothing is known."""


@pytest.mark.parametrize(
    "layer",
    [
        nn.Dropout2d(0.5),
        nn.RReLU(),
        nn.FractionalMaxPool2d(2, output_size=1),
        nn.LSTM(2, 2, num_layers=2, dropout=0.5),
        nn.TransformerEncoderLayer(4, 2, 4),
        nn.utils.parametrizations.weight_norm(nn.Linear(2, 2)),
        hooked(),
        Plain(2, 2),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_networks_with_other_layers_that_may_draw_do(layer: nn.Module) -> None:
    assert under_own_generator(nn.Sequential(nn.Linear(2, 2), layer))
    assert not under_own_generator(nn.Sequential(nn.Linear(2, 2), nn.LSTM(2, 2), nn.BatchNorm1d(2)))


def numbers() -> list[float]:
    """Draw from everything that a network might draw from."""
    dropped = F.dropout(torch.ones(8), 0.5).tolist()
    numpy = np.random.rand()  # noqa: NPY002
    python = random.random()  # noqa: S311
    return [python, numpy, torch.rand(1).item(), *dropped]


def test_own_numbers_follow_from_the_seed_and_leave_everything_as_it_was() -> None:
    random.seed(3)
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002
    expected = numbers()
    random.seed(3)
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002
    drawn = []
    for seed in (1, 1, 2):
        with own_numbers(seed):
            drawn.append(numbers())
    assert drawn[0] == drawn[1] != drawn[2]
    assert numbers() == expected
    # Under it dropout takes another way to its numbers.
    with torch.inference_mode(), own_numbers(1):
        assert numbers() == drawn[0]


def test_a_seed_that_is_set_inside_changes_neither_what_is_drawn_nor_what_comes_after() -> None:
    with own_numbers(1):
        first = torch.rand(3)
    before = torch.get_rng_state()
    with states_as_they_were(), own_numbers(1):
        torch.manual_seed(0)
        assert torch.equal(torch.rand(3), first)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_network_that_draws_by_python_or_numpy_is_seeded_too() -> None:
    class Drawing(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * random.random() * np.random.rand()  # noqa: NPY002, S311

    found = []
    for _ in range(2):
        with seeded(Drawing(), 3):
            found.append(Drawing()(torch.ones(1)).item())
    assert found[0] == found[1]
