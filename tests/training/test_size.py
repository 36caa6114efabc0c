"""What is known of a network before it is trained."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from bakeoff.networks.build import build
from bakeoff.networks.catalogue import ARCHITECTURES
from bakeoff.networks.network import Network
from bakeoff.training.size import measured, size_of

every_architecture = pytest.mark.parametrize("name", ARCHITECTURES)


@every_architecture
@pytest.mark.parametrize("shape", [(1, 28, 28), (1, 8, 8), (3, 32, 32)], ids=str)
def test_the_size_is_that_of_a_network_with_numbers(name: str, shape: tuple[int, int, int]) -> None:
    size = size_of(name, shape, 7)
    model = build(name, shape, 7, initialisation="framework-default", seed=0).eval()
    assert size.parameters == sum(each.numel() for each in model.parameters())
    assert size.state_bytes == sum(each.nbytes for each in model.state_dict().values())
    counter = FlopCounterMode(display=False)
    with torch.inference_mode(), counter:
        model(torch.zeros(1, *shape))
    assert size.multiply_adds_per_image == counter.get_total_flops() // 2


# A convolution multiplies once for each place of each output map, and each weight of its filter;
# a fully connected layer once for each weight.
FIRST = 28 * 28 * 32 * 1 * 25
SECOND = 14 * 14 * 64 * 32 * 25
MULTIPLY_ADDS = {
    "logistic-regression": 784 * 10,
    "mlp-2x200": 784 * 200 + 200 * 200 + 200 * 10,
    "cnn-1conv": FIRST + 14 * 14 * 32 * 1024 + 1024 * 10,
    "cnn-2conv": FIRST + SECOND + 7 * 7 * 64 * 1024 + 1024 * 10,
    "cnn-2conv-dropout": FIRST + SECOND + 7 * 7 * 64 * 1024 + 1024 * 10,
    "cnn-3conv": 24 * 24 * 16 * 25 + 12 * 12 * 64 * 16 * 9 + 6 * 6 * (64 * 64 * 9 + 64 * 10),
    "cnn-5conv": (
        24 * 24 * 32 * 25
        + 12 * 12 * (48 * 32 * 9 + 64 * 48 * 9)
        + 6 * 6 * 128 * 64 * 9
        + 3 * 3 * 128 * 128 * 9
        + 128 * 10
    ),
    "cnn-7conv": (
        24 * 24 * 32 * 25
        + 12 * 12 * (64 * 32 + 64 * 64 + 128 * 64) * 9
        + 6 * 6 * 160 * 128 * 9
        + 4 * 4 * 192 * 160 * 9
        + 2 * 2 * 192 * 192 * 9
        + 192 * 10
    ),
    "small-cnn": 28 * 28 * 32 * 9 + 14 * 14 * 64 * 32 * 9 + 7 * 7 * 128 * 64 * 9 + 128 * 10,
    "small-resnet": (
        28 * 28 * (16 * 9 + 6 * 16 * 16 * 9)
        + 14 * 14 * (32 * 16 * 9 + 32 * 16 + 5 * 32 * 32 * 9)
        + 7 * 7 * (64 * 32 * 9 + 64 * 32 + 5 * 64 * 64 * 9)
        + 64 * 10
    ),
    # Patches of 4 x 4; in each block asking, two products over all pairs of places, answering, and
    # two layers of four times the width.
    "small-vit": 49 * 16 * 128 + 6 * 49 * 128 * (384 + 2 * 49 + 128 + 2 * 512) + 128 * 10,
}


@every_architecture
def test_multiply_adds_are_those_counted_by_hand(name: str) -> None:
    assert size_of(name, (1, 28, 28), 10).multiply_adds_per_image == MULTIPLY_ADDS[name]


def test_frozen_parameters_are_not_counted_and_buffers_take_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def partly_frozen(shape: tuple[int, int, int], classes: int) -> nn.Module:
        layers = nn.Sequential(nn.Flatten(), nn.Linear(4, classes), nn.BatchNorm1d(classes))
        layers[1].weight.requires_grad_(False)
        return layers

    monkeypatch.setitem(ARCHITECTURES, "frozen", partly_frozen)
    size = size_of("frozen", (1, 2, 2), 3)
    # Of weight [3, 4], bias, gain and shift [3]; running mean and variance, and one int64.
    assert size.parameters == 9
    assert size.state_bytes == 4 * (12 + 9 + 6) + 8


def test_a_size_takes_neither_numbers_nor_random_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    def enormous(shape: tuple[int, int, int], classes: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(10**6, 10**7), nn.Linear(10**7, classes))

    monkeypatch.setitem(ARCHITECTURES, "enormous", enormous)
    before = torch.random.get_rng_state()
    assert size_of("enormous", (1, 1000, 1000), 2).parameters == 10**13 + 10**7 + 2 * 10**7 + 2
    assert torch.equal(torch.random.get_rng_state(), before)


def test_what_a_network_draws_in_spite_of_all_is_not_from_the_global_generator(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Noisy(nn.Linear):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return super().forward(inputs.flatten(1)) + torch.rand(3, device="cpu").sum()

    monkeypatch.setitem(ARCHITECTURES, "noisy", lambda _, classes: Noisy(64, classes))
    before = torch.random.get_rng_state()
    assert size_of("noisy", (1, 8, 8), 10).parameters == 650
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_network_whose_way_depends_on_numbers_is_built_with_numbers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Branching(nn.Linear):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            outputs = super().forward(inputs.flatten(1))
            return outputs if bool(outputs.sum() > 0) else outputs * 2

    monkeypatch.setitem(ARCHITECTURES, "branching", lambda _, classes: Branching(64, classes))
    before = torch.random.get_rng_state()
    size = size_of("branching", (1, 8, 8), 10)
    assert (size.parameters, size.state_bytes, size.multiply_adds_per_image) == (650, 2600, 640)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_what_is_wrong_with_a_network_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ARCHITECTURES, "wrong", lambda _, classes: nn.Linear(63, classes))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        size_of("wrong", (1, 8, 8), 10)


class Attends(nn.Module):
    """Eight by eight places of one number each, which ask each other."""

    def __init__(self) -> None:
        super().__init__()
        self.output = nn.Linear(64, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        places = images.view(len(images), 1, 64, 1)
        heard = F.scaled_dot_product_attention(places, places, places)
        logits: torch.Tensor = self.output(heard.flatten(1))
        return logits


def test_attention_that_torch_does_in_one_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ARCHITECTURES, "attends", lambda *_: Attends())
    # Two products over all pairs of places.
    assert size_of("attends", (1, 8, 8), 10).multiply_adds_per_image == 2 * 64 * 64 + 640


def test_weights_that_are_tied_are_counted_once() -> None:
    def tied(shape: tuple[int, int, int], classes: int) -> nn.Module:
        layers = nn.Sequential(
            nn.Flatten(), nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, classes)
        )
        layers[2].weight = layers[1].weight
        return layers

    size = measured(Network("tied", tied), (1, 2, 2), 3)
    assert size.parameters == 16 + 4 + 4 + 15
    assert size.state_bytes == 4 * (2 * 16 + 4 + 4 + 15)
    assert size.multiply_adds_per_image == 16 + 16 + 12


def test_what_fails_without_numbers_is_built_with_them() -> None:
    class Picky(nn.Linear):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            if inputs.device.type == "meta":
                raise KeyError("meta")
            return super().forward(inputs.flatten(1))

    def make(shape: tuple[int, int, int], classes: int) -> nn.Module:
        if torch.get_default_device().type == "meta":
            raise ValueError("meta")
        return Picky(4, classes)

    assert measured(Network("Picky", make), (1, 2, 2), 3).parameters == 15


class _Reads(nn.Module):
    """Reads the rows of an image, one after the other or each beside all."""

    def __init__(self, rows: nn.Module) -> None:
        super().__init__()
        self.rows = rows
        self.output = nn.Linear(8, 10)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        read = self.rows(images[:, 0])
        logits: torch.Tensor = self.output((read[0] if isinstance(read, tuple) else read)[:, -1])
        return logits


@pytest.mark.parametrize(
    ("rows", "multiply_adds"),
    [
        # 6 rows; 4 or 3 gates of 8 numbers, each of 8 of the row and 8 of the state.
        (lambda: nn.LSTM(8, 8, batch_first=True), 6 * 4 * 8 * 16),
        (lambda: nn.GRU(8, 8, batch_first=True), 6 * 3 * 8 * 16),
        # Queries, keys, values and the output; two products over all pairs; two layers of 8 to 16.
        (
            lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
            6 * 4 * 8 * 8 + 2 * 6 * 6 * 8 + 2 * 6 * 8 * 16,
        ),
    ],
    ids=["lstm", "gru", "encoder"],
)
def test_layers_that_torch_computes_in_one_are_counted(
    rows: Callable[[], nn.Module], multiply_adds: int
) -> None:
    before = torch.backends.mha.get_fastpath_enabled(), torch.backends.mkldnn.enabled
    size = measured(Network("reads", lambda *_: _Reads(rows())), (1, 6, 8), 10)
    assert size.multiply_adds_per_image == multiply_adds + 80
    assert (torch.backends.mha.get_fastpath_enabled(), torch.backends.mkldnn.enabled) == before
