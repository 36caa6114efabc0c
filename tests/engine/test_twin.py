from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bakeoff.engine import BlockDropout, fast, reseed
from bakeoff.engine import twin as twin_module
from bakeoff.engine.devices import choose_precision, place
from bakeoff.engine.linear import InPlaceLinear, SmallLinear
from bakeoff.engine.twin import ChannelsLastFlatten
from bakeoff.networks.build import build
from bakeoff.networks.catalogue import ARCHITECTURES

CPU = torch.device("cpu")
ROUNDS = choose_precision("auto", CPU) == "bfloat16"
"""Whether the processor has the instructions; without them products stay float32."""


def network(name: str) -> nn.Module:
    built = build(name, (1, 28, 28), 10, initialisation="framework-default", seed=3)
    return place(built, CPU)


def gradients(model: nn.Module, through: nn.Module, images: torch.Tensor) -> list[torch.Tensor]:
    """Return the gradients of `model`'s parameters when the loss is computed by `through`."""
    model.zero_grad()
    F.cross_entropy(through(images), torch.arange(len(images)) % 10).backward()
    taken = [p.grad for p in model.parameters()]
    assert all(gradient is not None for gradient in taken)
    return [gradient.clone() for gradient in taken if gradient is not None]


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES if "dropout" not in name])
def test_the_twin_has_the_function_and_the_gradients_of_the_plain_network(name: str) -> None:
    model = network(name)
    twin = fast(model)
    images = torch.randn(7, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(twin(images), model(images), atol=1e-6)
    for quick, plain in zip(
        gradients(model, twin, images), gradients(model, model, images), strict=True
    ):
        assert (quick - plain).norm() < 1e-5 * plain.norm()


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_the_twin_shares_its_parameters_and_leaves_the_plain_network_alone(name: str) -> None:
    model = network(name)
    before = [type(layer) for layer in model.modules()]
    twin = fast(model)
    assert {id(p) for p in twin.parameters()} == {id(p) for p in model.parameters()}
    assert [type(layer) for layer in model.modules()] == before
    assert twin is not model


def test_buffers_are_shared_so_that_running_means_reach_the_plain_network() -> None:
    norm = nn.BatchNorm2d(2)
    model = nn.Sequential(nn.Conv2d(1, 2, 3), norm, nn.ReLU())
    fast(model)(torch.randn(4, 1, 5, 5) + 3)
    assert norm.running_mean is not None
    assert norm.running_mean.abs().sum() > 0


def test_pooling_comes_before_the_relu_that_it_follows_at_any_depth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(twin_module, "kernels", lambda: None)
    block = nn.Sequential(
        OrderedDict(conv=nn.Conv2d(1, 2, 3), relu=nn.ReLU(), pool=nn.MaxPool2d(2))
    )
    twin = fast(nn.Sequential(OrderedDict(block=block, relu=nn.ReLU(), flatten=nn.Flatten())))
    names = [name for name, _ in twin.named_modules() if name]
    assert names == ["block", "block.conv", "block.pool", "block.relu", "relu", "flatten"]


def test_an_average_pooling_and_a_leaky_relu_stay_where_they_are() -> None:
    layers = nn.Sequential(nn.ReLU(), nn.AvgPool2d(2), nn.LeakyReLU(), nn.MaxPool2d(3))
    kinds = [type(layer) for layer in fast(layers).children()]
    assert kinds == [nn.ReLU, nn.AvgPool2d, nn.LeakyReLU, nn.MaxPool2d]


def test_the_gradient_of_a_large_layer_is_written_into_the_same_memory() -> None:
    layer = nn.Linear(512, 300)
    twin = fast(layer)
    assert isinstance(twin, InPlaceLinear)
    places = []
    for _ in range(3):
        layer.zero_grad()
        twin(torch.randn(4, 512)).sum().backward()
        assert layer.weight.grad is not None
        places.append(layer.weight.grad.data_ptr())
    assert len(set(places)) == 1


def test_a_small_layer_is_not_in_place_and_a_subclass_is_left_alone() -> None:
    class Doubled(nn.Linear):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return 2 * super().forward(inputs)

    assert type(fast(nn.Linear(10, 10))) is SmallLinear
    assert type(fast(Doubled(512, 300))) is Doubled
    assert type(fast(nn.Linear(512, 300, bias=False))) is nn.Linear


def test_a_weight_that_is_used_twice_gets_the_sum_of_both_gradients() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.square = nn.Linear(400, 400)

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            once: torch.Tensor = self.square(torch.tanh(self.square(inputs)))
            return F.linear(once, self.square.weight)

    torch.manual_seed(0)
    model, rows = Tied(), torch.randn(10, 400)
    quick = gradients(model, fast(model), rows)
    for ours, plain in zip(quick, gradients(model, model, rows), strict=True):
        assert torch.allclose(ours, plain, rtol=1e-4, atol=1e-6)


def test_rows_of_any_number_of_axes_go_through_a_large_layer() -> None:
    layer = nn.Linear(400, 400)
    rows = torch.randn(2, 3, 400, requires_grad=True)
    outputs = fast(layer)(rows)
    assert torch.allclose(outputs, layer(rows), atol=1e-6)
    outputs.sum().backward()
    assert rows.grad is not None
    assert torch.allclose(rows.grad, layer.weight.sum(0).expand(2, 3, 400), atol=1e-5)


def test_a_frozen_weight_gets_no_gradient() -> None:
    layer = nn.Linear(400, 400)
    layer.weight.requires_grad_(False)
    fast(layer)(torch.randn(3, 400)).sum().backward()
    assert layer.weight.grad is None
    assert layer.bias.grad is not None


def test_flattening_sends_its_gradient_back_in_the_layout_of_the_images() -> None:
    flatten = fast(nn.Flatten())
    assert isinstance(flatten, ChannelsLastFlatten)
    images = torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    images.requires_grad_()
    seen: list[torch.Tensor] = []
    images.register_hook(seen.append)
    weights = torch.randn(2, 60)
    outputs = flatten(images)
    assert torch.equal(outputs, images.detach().flatten(1))
    (outputs * weights).sum().backward()
    assert torch.equal(seen[0], weights.view(2, 3, 4, 5))
    assert seen[0].is_contiguous(memory_format=torch.channels_last)


def test_rows_and_images_in_the_default_layout_are_flattened_as_ever() -> None:
    flatten = fast(nn.Flatten())
    for shape in ((2, 3), (2, 3, 4), (2, 3, 4, 5)):
        numbers = torch.randn(shape)
        assert torch.equal(flatten(numbers), numbers.flatten(1))
    assert type(fast(nn.Flatten(2))) is nn.Flatten


def test_dropout_keeps_what_its_generator_says_and_scales_it_up() -> None:
    dropout = BlockDropout(0.25)
    dropout.reseed(11, 2)
    numbers = torch.randn(6, 5)
    # The upper quarter of what 16 bits can be, as a number with a sign: below -16,384.
    drawn = np.random.SFC64([11, 2]).random_raw(8).view(np.int16)[:30]
    kept = torch.from_numpy(drawn >= -16384).view(6, 5)
    assert kept.any()
    assert not kept.all()
    assert torch.allclose(dropout(numbers), torch.where(kept, numbers / 0.75, 0.0))


def test_one_bit_decides_where_half_is_dropped() -> None:
    dropout = BlockDropout(0.5)
    dropout.reseed(11, 2)
    bits = np.random.SFC64([11, 2]).random_raw(2)
    # Bytes as they lie in memory, the highest bit of each first.
    text = "".join(f"{byte:08b}" for byte in bits.tobytes())[:100]
    assert torch.equal(dropout(torch.ones(100)), torch.tensor([2.0 * int(bit) for bit in text]))


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_drops_its_share_and_keeps_the_mean(p: float) -> None:
    n = 200_000
    dropped = BlockDropout(p)(torch.ones(n))
    # Five standard deviations of a share of n draws.
    assert abs((dropped == 0).double().mean().item() - p) < 5 * (p * (1 - p) / n) ** 0.5
    assert abs(dropped.double().mean().item() - 1) < 5 * (p / (1 - p) / n) ** 0.5


def test_a_network_that_is_evaluated_drops_nothing() -> None:
    dropout = BlockDropout(0.5).eval()
    numbers = torch.randn(100)
    assert dropout(numbers) is numbers


def test_two_dropout_layers_draw_apart_and_a_seed_repeats_them() -> None:
    twin = fast(nn.Sequential(nn.Dropout(0.5), nn.Dropout(0.5)))

    def masks(seed: int) -> list[torch.Tensor]:
        reseed(twin, seed)
        return [layer(torch.ones(200)) for layer in twin.children()]

    first, again, other = masks(1), masks(1), masks(2)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first[0], other[0])


def test_products_of_a_large_layer_are_rounded_to_bfloat16_only_under_autocast() -> None:
    layer = nn.Linear(400, 400)
    torch.nn.init.constant_(layer.bias, 0.0)
    twin = fast(layer)
    rows = torch.randn(3, 400)
    exact = rows @ layer.weight.T
    rounded = rows.bfloat16().float() @ layer.weight.bfloat16().float().T
    assert torch.allclose(twin(rows), exact, atol=1e-5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = twin(rows)
    assert outputs.dtype == torch.float32
    assert torch.allclose(outputs, rounded if ROUNDS else exact, atol=1e-5)
    outputs.sum().backward()
    assert torch.allclose(twin(rows), exact, atol=1e-5)
    assert str(torch.backends.mkldnn.matmul.fp32_precision) != "bf16"  # type: ignore[attr-defined]


def test_a_small_layer_stays_in_float32_under_autocast() -> None:
    layer = nn.Linear(20, 10)
    rows = torch.randn(3, 20)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs = fast(layer)(rows)
        assert layer(rows).dtype == torch.bfloat16
    assert outputs.dtype == torch.float32
    assert torch.equal(outputs, layer(rows))


def test_bfloat16_gradients_are_those_of_float32_but_for_rounding() -> None:
    model = network("cnn-2conv")
    twin = fast(model)
    images = torch.rand(20, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    exact = gradients(model, model, images)
    autocast = torch.autocast("cpu", dtype=torch.bfloat16)
    model.zero_grad()
    with autocast:
        loss = F.cross_entropy(twin(images), torch.arange(20) % 10)
    loss.backward()
    for parameter, gradient in zip(model.parameters(), exact, strict=True):
        assert parameter.grad is not None
        assert parameter.grad.dtype == torch.float32
        # Rounding also decides near-ties of the pooling, and so which pixel a gradient goes to.
        assert (parameter.grad - gradient).norm() < 0.25 * gradient.norm()


def test_a_layer_that_stands_in_two_places_stays_in_both() -> None:
    relu = nn.ReLU()
    model = nn.Sequential(nn.Conv2d(1, 2, 3), relu, nn.Conv2d(2, 3, 3), relu, nn.Flatten())
    twin = fast(model)
    images = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    assert torch.equal(twin(images), model(images))


def test_a_network_with_hooks_or_one_that_cannot_be_copied_is_its_own_twin() -> None:
    hooked = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    hooked[0].register_forward_hook(lambda layer, inputs, outputs: None)
    assert fast(hooked) is hooked

    uncopied = nn.Linear(3, 4)
    uncopied.computed = torch.relu(uncopied.weight)  # A tensor with a history.
    assert fast(uncopied) is uncopied

    class Anew(nn.Linear):
        def __deepcopy__(self, memo: object) -> nn.Module:
            return Anew(3, 4)

    anew = Anew(3, 4)
    assert fast(anew) is anew


def test_layers_of_other_people_get_what_they_expect() -> None:
    class Looks(nn.Module):
        def __init__(self, *layers: nn.Module) -> None:
            super().__init__()
            self.layers = nn.Sequential(*layers)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            outputs: torch.Tensor = self.layers(x)
            return outputs.view(len(x), -1)

    images = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(1))

    looks = Looks(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2))
    assert fast(looks)(images).equal(looks(images))
