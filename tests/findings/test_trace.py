from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from bakeoff.findings.trace import Trace
from bakeoff.findings.view import Activation
from bakeoff.networks.build import build

IMAGE = torch.arange(64.0).view(1, 1, 8, 8).sin()


def traced(model: nn.Module) -> Trace:
    trace = Trace(model.eval())
    with torch.inference_mode(), trace:
        model(IMAGE)
    return trace


def activation(model: nn.Module, number: int = 0) -> Activation:
    found = traced(model).convolutions[number].activation
    assert found is not None
    return found


@torch.inference_mode()
def hooked(model: nn.Module) -> dict[str, tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Return what hooks read of every layer: copies of what went in, and of what came out."""
    model.eval()
    went_in: dict[str, NDArray[np.float32]] = {}
    read = {}
    for name, layer in model.named_modules():

        def before(_: nn.Module, given: tuple[torch.Tensor], name: str = name) -> None:
            went_in[name] = given[0][0].numpy().copy()

        def after(_: nn.Module, __: object, output: torch.Tensor, name: str = name) -> None:
            read[name] = went_in[name], output[0].numpy().copy()

        layer.register_forward_pre_hook(before)
        layer.register_forward_hook(after)
    model(IMAGE)
    return read


def in_order(*layers: tuple[str, nn.Module]) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(OrderedDict(layers))


def conv(channels: int = 1, filters: int = 3) -> nn.Conv2d:
    return nn.Conv2d(channels, filters, 3, padding=1)


class Forward(nn.Module):
    """Convolutions `c` and, of its channels, `d`; layers for these; a forward pass of its own."""

    def __init__(self, forward: Callable[[Forward, torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.c, self.d, self.norm = conv(), conv(3), nn.BatchNorm2d(3)
        self.lin = nn.Linear(3, 4)
        self._own = forward

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._own(self, x)


def test_cnn_3conv_is_shown_where_it_cuts_off_and_nothing_is_invented() -> None:
    """Between its first two convolutions and their ReLUs stand pooling and normalising."""
    model = build("cnn-3conv", (1, 8, 8), 10, initialisation="framework-default", seed=0)
    read = hooked(model)
    found = traced(model).convolutions
    assert [maps.name for maps in found] == ["conv1", "conv2", "conv3"]
    ways = [("pooling", "normalising"), ("pooling", "normalising"), ("normalising",)]
    for number, (maps, way) in enumerate(zip(found, ways, strict=True), 1):
        np.testing.assert_array_equal(maps.output, read[f"conv{number}"][1])
        assert maps.activation is not None
        assert (maps.activation.name, maps.activation.between) == ("ReLU", way)
        np.testing.assert_array_equal(maps.activation.before, read[f"relu{number}"][0])
        np.testing.assert_array_equal(maps.activation.after, read[f"relu{number}"][1])
        assert maps.activation.before.shape[1:] == ((2, 2), (1, 1), (1, 1))[number - 1]


@pytest.mark.parametrize(
    "layer",
    [
        nn.ReLU(), nn.ReLU6(), nn.GELU(), nn.GELU("tanh"), nn.SiLU(), nn.Mish(), nn.Hardswish(),
        nn.Hardsigmoid(), nn.Hardtanh(), nn.Tanh(), nn.Sigmoid(), nn.LogSigmoid(), nn.ELU(),
        nn.CELU(), nn.SELU(), nn.LeakyReLU(), nn.PReLU(), nn.RReLU(), nn.Softplus(), nn.Softsign(),
        nn.Softshrink(), nn.Hardshrink(), nn.Tanhshrink(), nn.Threshold(0.1, 0.2),
    ],
    ids=repr,
)  # fmt: skip
def test_every_activation_is_named_as_its_layer(layer: nn.Module) -> None:
    model = in_order(("c", conv()), ("a", layer), ("p", nn.MaxPool2d(2)))
    read = hooked(model)["a"]
    found = activation(model)
    assert (found.name, found.between) == (type(layer).__name__, ())
    np.testing.assert_array_equal(found.before, read[0])
    np.testing.assert_array_equal(found.after, read[1])
    assert not np.array_equal(found.before, found.after)


@pytest.mark.parametrize("kind", [nn.ReLU, nn.Hardswish, nn.SiLU, nn.LeakyReLU, nn.ELU])
def test_what_went_into_an_activation_that_works_in_place_is_kept(kind: type[nn.Module]) -> None:
    norm = nn.BatchNorm2d(3)
    model = in_order(("c", conv()), ("n", norm), ("a", kind(inplace=True)))
    read = hooked(model)
    (maps,) = traced(model).convolutions
    assert maps.activation is not None
    np.testing.assert_array_equal(maps.output, read["c"][1])
    np.testing.assert_array_equal(maps.activation.before, read["a"][0])
    np.testing.assert_array_equal(maps.activation.after, read["a"][1])
    assert (maps.activation.before < 0).any()


@pytest.mark.parametrize(
    ("forward", "name"),
    [
        (lambda net, x: F.relu(net.c(x)), "ReLU"),
        (lambda net, x: F.relu(net.c(x), inplace=True), "ReLU"),
        (lambda net, x: net.c(x).relu(), "ReLU"),
        (lambda net, x: net.c(x).relu_(), "ReLU"),
        (lambda net, x: torch.tanh(input=net.c(x)), "Tanh"),
        (lambda net, x: F.relu6(net.c(x)), "ReLU6"),
        (lambda net, x: F.relu(net.c(x).flatten(2)).view(1, 3, 8, 8), "ReLU"),
        (lambda net, x: F.gelu(net.c(x)), "GELU"),
        (lambda net, x: F.relu(F.conv2d(x, net.c.weight, net.c.bias, padding=1)), "ReLU"),
        (lambda net, x: F.elu(F.conv2d(x, bias=net.c.bias, weight=net.c.weight, padding=1)), "ELU"),
    ],
)  # fmt: skip
def test_functions_are_seen_as_layers_are(
    forward: Callable[[Forward, torch.Tensor], torch.Tensor], name: str
) -> None:
    model = Forward(forward)
    (maps,) = traced(model).convolutions
    assert maps.activation is not None
    assert (maps.name, maps.activation.name, maps.activation.between) == ("c", name, ())
    with torch.inference_mode():
        np.testing.assert_array_equal(maps.activation.before, model.c(IMAGE)[0])
        np.testing.assert_array_equal(maps.activation.after, model(IMAGE)[0])


@pytest.mark.parametrize(
    ("between", "way"),
    [
        ([nn.MaxPool2d(2)], ("pooling",)),
        ([nn.AvgPool2d(2), nn.AdaptiveMaxPool2d(2)], ("pooling",)),
        ([nn.GroupNorm(1, 3)], ("normalising",)),
        ([nn.InstanceNorm2d(3), nn.AdaptiveAvgPool2d(2)], ("normalising", "pooling")),
        ([nn.ZeroPad2d(1), nn.LocalResponseNorm(2)], ("padding", "normalising")),
        ([nn.Dropout(), nn.Dropout2d(), nn.Identity()], ()),
    ],
)
def test_what_lies_between_is_said(between: list[nn.Module], way: tuple[str, ...]) -> None:
    named = [(f"b{number}", layer) for number, layer in enumerate(between)]
    model = in_order(("c", conv()), *named, ("a", nn.SiLU()))
    read = hooked(model)["a"]
    found = activation(model)
    assert found.between == way
    np.testing.assert_array_equal(found.before, read[0])
    np.testing.assert_array_equal(found.after, read[1])


class Block(nn.Module):
    """A residual block (He et al., 2015, figure 2) whose shortcut is a convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.norm1, self.relu1 = conv(3), nn.BatchNorm2d(3), nn.ReLU(inplace=True)
        self.conv2, self.norm2 = conv(3), nn.BatchNorm2d(3)
        self.shortcut, self.relu2 = nn.Conv2d(3, 3, 1), nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner: torch.Tensor = self.norm2(self.conv2(self.relu1(self.norm1(self.conv1(x)))))
        inner += self.shortcut(x)
        outer: torch.Tensor = self.relu2(inner)
        return outer


def test_branches_are_followed_to_where_they_meet() -> None:
    model = in_order(("stem", conv()), ("block", Block()))
    read = hooked(model)
    stem, first, second, shortcut = traced(model).convolutions
    # The stem's maps run into two convolutions, and into no activation of their own.
    assert (stem.name, stem.activation) == ("stem", None)
    np.testing.assert_array_equal(stem.output, read["stem"][1])
    for maps, name, relu, way in (
        (first, "conv1", "relu1", ("normalising",)),
        (second, "conv2", "relu2", ("normalising", "adding")),
        (shortcut, "shortcut", "relu2", ("adding",)),
    ):
        assert maps.name == f"block.{name}"
        assert maps.activation is not None
        assert maps.activation.between == way
        np.testing.assert_array_equal(maps.activation.before, read[f"block.{relu}"][0])
        np.testing.assert_array_equal(maps.activation.after, read[f"block.{relu}"][1])


def test_a_gate_is_the_activation_of_its_own_convolution_alone() -> None:
    """As squeeze and excitation: the maps are multiplied by what a sigmoid let through."""
    model = Forward(lambda net, x: F.relu((maps := net.c(x)) * torch.sigmoid(net.d(maps))))
    gated, gate = traced(model).convolutions
    assert gated.activation is not None
    assert gate.activation is not None
    assert (gated.activation.name, gated.activation.between) == ("ReLU", ("multiplying",))
    assert (gate.activation.name, gate.activation.between) == ("Sigmoid", ())


@pytest.mark.parametrize(
    "forward",
    [
        lambda net, x: net.c(x),
        lambda net, x: net.norm(net.c(x)),
        lambda net, x: F.relu(net.d(net.c(x)))[:, :0],  # the ReLU is the second one's
        lambda net, x: F.relu(torch.cat([net.c(x), net.c(x)], 1)),
        lambda net, x: F.relu(net.c(x).permute(0, 2, 1, 3)),
        lambda net, x: F.relu(net.c(x).flatten(1)),
        lambda net, x: F.relu(F.linear(net.c(x), torch.eye(8))),
        lambda net, x: net.c(x).clamp(min=0),
        lambda net, x: F.softmax(net.c(x), 1),
        lambda net, x: F.relu(net.c(x)[:, :1]),
        lambda net, x: (net.c(x), F.relu(x))[0],
    ],
)
def test_a_convolution_without_an_activation_has_its_output_alone(
    forward: Callable[[Forward, torch.Tensor], torch.Tensor],
) -> None:
    model = Forward(forward)
    maps = traced(model).convolutions[0]
    assert (maps.name, maps.activation) == ("c", None)
    with torch.inference_mode():
        np.testing.assert_array_equal(maps.output, model.c(IMAGE)[0])


def test_maps_that_others_were_added_to_as_channels_are_not_those_of_the_convolution() -> None:
    one, three = torch.ones(1, 1, 3, 3), torch.ones(1, 3, 8, 8)
    model = Forward(lambda _, x: F.relu(F.conv2d(x, one, padding=1) + three))
    assert [maps.activation for maps in traced(model).convolutions] == [None]


def test_a_tensor_at_the_place_of_one_that_is_gone_is_not_taken_for_it() -> None:
    def forward(net: Forward, x: torch.Tensor) -> torch.Tensor:
        twice = x.repeat(1, 3, 2, 1)
        net.c(x)
        return F.relu(twice.chunk(2, 2)[0])

    assert [maps.activation for maps in traced(Forward(forward)).convolutions] == [None]


@pytest.mark.parametrize(
    "forward",
    [
        lambda net, x: F.relu(torch.tanh(net.c(x))),
        lambda net, x: torch.tanh(maps := net.c(x)) + F.relu(maps),
    ],
)
def test_the_first_of_two_activations_is_shown(
    forward: Callable[[Forward, torch.Tensor], torch.Tensor],
) -> None:
    assert activation(Forward(forward)).name == "Tanh"


def test_a_convolution_that_is_used_twice_is_shown_twice() -> None:
    model = Forward(lambda net, x: F.relu(net.d(torch.tanh(net.d(net.c(x))))))
    names = [
        (maps.name, maps.activation and maps.activation.name) for maps in traced(model).convolutions
    ]
    assert names == [("c", None), ("d", "Tanh"), ("d", "ReLU")]


def test_weights_that_have_no_name_are_numbered() -> None:
    model = Forward(lambda net, x: F.conv2d(net.c(x), net.d.weight * 2, padding=1).relu())
    assert [maps.name for maps in traced(model).convolutions] == ["c", "convolution 2"]


@pytest.mark.parametrize(
    ("first", "layers"), [(nn.Identity(), 1), (nn.Dropout(), 1), (nn.ReLU(), 2), (nn.Softmax(1), 2)]
)
def test_what_changes_a_number_is_counted(first: nn.Module, layers: int) -> None:
    trace = traced(in_order(("a", first), ("f", nn.Flatten()), ("l", nn.Linear(64, 2))))
    assert trace.layers == layers
    assert [list(weights.shape) for weights in trace.linear] == [[2, 64]]


def test_units_are_maps_of_one_place() -> None:
    model = in_order(("f", nn.Flatten()), ("l", nn.Linear(64, 5)), ("a", nn.ReLU()))
    read = hooked(model)
    (maps,) = traced(model).maps
    assert (maps.name, maps.kind, maps.number) == ("l", "fully connected layer", 1)
    assert maps.activation is not None
    assert maps.activation.before.shape == (5, 1, 1)
    np.testing.assert_array_equal(maps.output[:, 0, 0], read["l"][1])
    np.testing.assert_array_equal(maps.activation.after[:, 0, 0], read["a"][1])


@pytest.mark.parametrize(("more", "placed"), [(0, True), (1, True), (2, False)])
def test_tokens_are_laid_out_as_their_patches(more: int, placed: bool) -> None:
    """A token before them, which stands for no patch, is left out; of two nobody knows."""

    def forward(net: Forward, x: torch.Tensor) -> torch.Tensor:
        patches = net.c(x).flatten(2).transpose(1, 2)
        return F.gelu(F.linear(torch.cat([x.new_zeros(1, more, 3), patches], 1), torch.eye(3)))

    convolution, connected = traced(Forward(forward)).maps
    assert connected.activation is not None
    if placed:
        np.testing.assert_array_equal(connected.output, convolution.output)
        np.testing.assert_array_equal(connected.activation.before, convolution.output)
    else:
        assert connected.output.shape == (3, 1, 64 + more)
        np.testing.assert_array_equal(
            connected.output[:, 0, more:], convolution.output.reshape(3, 64)
        )


def test_channels_that_come_last_are_known_by_the_layer() -> None:
    """As in ConvNeXt, whose fully connected layers see [n, height, width, channels]."""
    model = Forward(lambda net, x: F.gelu(net.lin(net.c(x).permute(0, 2, 3, 1)) + 1))
    connected = traced(model).maps[1]
    with torch.inference_mode():
        expected = model.lin(model.c(IMAGE).permute(0, 2, 3, 1))[0].permute(2, 0, 1)
    np.testing.assert_array_equal(connected.output, expected)
    assert connected.activation is not None
    assert connected.activation.between == ("adding",)
    np.testing.assert_array_equal(connected.activation.before, expected + 1)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("batch_first", [True, False])
def test_a_recurrent_layer_shows_what_it_returns_step_by_step(
    kind: type[nn.LSTM | nn.GRU | nn.RNN], batch_first: bool
) -> None:
    class Rows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = kind(8, 3, batch_first=batch_first)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            rows = x[:, 0] if batch_first else x[:, 0].transpose(0, 1)
            found: torch.Tensor = self.rnn(rows)[0]
            return found

    model = Rows()
    (maps,) = traced(model).maps
    assert (maps.name, maps.kind, maps.activation) == ("rnn", "recurrent layer", None)
    with torch.inference_mode():
        steps = model(IMAGE).reshape(8, 3)
    np.testing.assert_array_equal(maps.output[:, 0], steps.T)


def test_an_activation_on_joined_maps_stands_by_itself() -> None:
    model = Forward(lambda net, x: F.relu(torch.cat([maps := net.norm(net.c(x)), maps], 1)))
    convolution, joined = traced(model).maps
    assert convolution.activation is None
    assert (joined.kind, joined.number, joined.name) == ("activation", 1, "norm")
    assert joined.activation is not None
    assert joined.activation.before.shape == (6, 8, 8)
    np.testing.assert_array_equal(joined.activation.after, np.maximum(joined.output, 0))


def test_what_a_network_names_is_kept_with_its_activation() -> None:
    model = in_order(("stem", conv()), ("block", Block()), ("pool", nn.MaxPool2d(2)))
    read = hooked(model)
    trace = Trace(model, looked_at=("block", "stem", "pool"))
    with torch.inference_mode(), trace:
        model(IMAGE)
    stem, block, pool = trace.named
    assert [maps.name for maps in trace.named] == ["stem", "block", "pool"]
    assert {maps.kind for maps in trace.named} == {"place"}
    assert (stem.activation, pool.activation) == (None, None)
    np.testing.assert_array_equal(stem.output, read["stem"][1])
    np.testing.assert_array_equal(pool.output, read["pool"][1])
    assert block.activation is not None
    np.testing.assert_array_equal(block.activation.before, read["block.relu2"][0])
    np.testing.assert_array_equal(block.activation.after, read["block"][1])
    # The hooks are gone.
    with torch.inference_mode():
        model(IMAGE)
    assert len(trace.named) == 3
    assert trace.layers == traced(model).layers


def test_something_else_than_a_copy_may_be_kept() -> None:
    model = in_order(("c", conv()), ("a", nn.ReLU()))
    images = torch.cat([IMAGE, -IMAGE])
    with torch.inference_mode():
        with Trace(model, kept=lambda maps: maps.amax((0, 2, 3)).numpy()) as trace:
            model(images)
        highest = model(images).amax((0, 2, 3))
    np.testing.assert_array_equal(trace.maps[0].last, highest)
