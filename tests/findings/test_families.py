"""Networks of six kinds: the maps that are shown are what hooks read, and a planted patch is found.

Where an activation is no module, its convolution is hooked and the activation computed again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import nn

from bakeoff.data.dataset import Dataset
from bakeoff.engine.pixels import Pixels
from bakeoff.findings.inside import view_inside
from bakeoff.findings.view import LayerMaps, View
from bakeoff.networks.build import build
from bakeoff.networks.catalogue import network

SIDE = 32
PATCH = (slice(20, 24), slice(8, 12))
Arrays = NDArray[np.float32]


class Functional(nn.Module):
    """A network as people write them: its activations are functions."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 3, padding=1), nn.Conv2d(6, 8, 3, padding=1)
        self.fc = nn.Linear(8 * 8 * 8, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(torch.relu(self.conv2(x)), 2)
        logits: torch.Tensor = self.fc(x.flatten(1))
        return logits


class Rows(nn.Module):
    """Reads an image row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.output = nn.LSTM(SIDE, 12, batch_first=True), nn.Linear(12, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.output(self.lstm(x[:, 0])[0][:, -1])
        return logits


def shipped(name: str) -> nn.Module:
    return build(name, (1, SIDE, SIDE), 10, initialisation="framework-default", seed=0)


def from_timm(name: str, arguments: Mapping[str, Any]) -> nn.Module:
    torch.manual_seed(0)
    return network(f"timm:{name}", dict(arguments)).make((1, SIDE, SIDE), 10)


def functional() -> nn.Module:
    torch.manual_seed(0)
    return Functional()


def rows() -> nn.Module:
    torch.manual_seed(0)
    return Rows()


IMAGES = np.random.default_rng(0).integers(0, 256, (12, 1, SIDE, SIDE), dtype=np.uint8)
LABELS = np.zeros(len(IMAGES), np.int64)
DATA = Dataset("d", tuple("0123456789"), IMAGES, LABELS, IMAGES, LABELS)


def seen(model: nn.Module) -> View:
    return view_inside(model, DATA, 1, "e", 0, Pixels(1 / 255))


def read(model: nn.Module) -> dict[str, tuple[Arrays, Arrays]]:
    """Return what hooks read of every module that gives a tensor: what went in, what came out."""
    found: dict[str, tuple[Arrays, Arrays]] = {}
    went_in: dict[str, Arrays] = {}
    removable = []
    for name, module in model.named_modules():

        def before(_: nn.Module, given: tuple[Any, ...], name: str = name) -> None:
            went_in[name] = given[0][0].numpy().copy()

        def after(_: nn.Module, __: object, output: Any, name: str = name) -> None:
            first = output[0] if isinstance(output, tuple) else output
            found[name] = went_in[name], first[0].numpy().copy()

        removable.append(module.register_forward_pre_hook(before))
        removable.append(module.register_forward_hook(after))
    with torch.no_grad():
        model.eval()(Pixels(1 / 255)(torch.from_numpy(IMAGES[1:2])))
    for hook in removable:
        hook.remove()
    return found


def as_maps(values: Arrays, maps: Arrays) -> Arrays:
    """Return what a hook read, as maps: channels first, tokens on their patches."""
    if values.ndim == 3:
        return values
    channels, height, width = maps.shape
    return values.reshape(-1, channels)[-height * width :].T.reshape(maps.shape)


Activations = Callable[[LayerMaps], str | None]
"""The module of the activation that a layer runs into; None where it is a function."""

FAMILIES: dict[str, tuple[Callable[[], nn.Module], Activations, int]] = {
    "a chain": (lambda: shipped("cnn-3conv"), lambda maps: maps.name.replace("conv", "relu"), 3),
    "residual blocks": (
        lambda: shipped("small-resnet"),
        lambda maps: maps.name.replace("conv", "relu"),
        8,
    ),
    "functions": (functional, lambda _: None, 2),
    "timm's resnet18": (
        lambda: from_timm("resnet18", {}),
        lambda maps: maps.name.replace("conv", "act"),
        8,
    ),
    "timm's ViT": (
        lambda: from_timm("vit_tiny_patch16_224", {"img_size": SIDE, "patch_size": 4, "depth": 3}),
        lambda maps: maps.name.replace("fc1", "act"),
        3,
    ),
    "fully connected": (
        lambda: shipped("mlp-2x200"),
        lambda maps: str(int(maps.name) + 1),
        2,
    ),
    "recurrent": (rows, lambda _: None, 1),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_maps_that_are_shown_are_what_hooks_read(family: str) -> None:
    make, activation_of, places = FAMILIES[family]
    model = make()
    hooks, shown = read(model), seen(model).places
    assert len(shown) == places
    for maps in shown:
        np.testing.assert_array_equal(maps.output, as_maps(hooks[maps.name][1], maps.output))
        if maps.activation is None:
            assert family == "recurrent"
            continue
        module = activation_of(maps)
        before, after = maps.activation.before, maps.activation.after
        if module is None:
            np.testing.assert_array_equal(before, hooks[maps.name][1])
            np.testing.assert_array_equal(after, np.maximum(before, 0))
        else:
            np.testing.assert_array_equal(before, as_maps(hooks[module][0], before))
            np.testing.assert_array_equal(after, as_maps(hooks[module][1], after))


@pytest.mark.parametrize("family", ["a chain", "functions", "fully connected"])
def test_the_occlusion_map_finds_a_planted_patch(family: str) -> None:
    """A few steps of training let the network tell whether the patch is bright."""
    model = FAMILIES[family][0]()
    rng = np.random.default_rng(0)
    images = rng.integers(0, 60, (64, 1, SIDE, SIDE), dtype=np.uint8)
    labels = np.arange(64) % 2
    images[labels == 1, 0, PATCH[0], PATCH[1]] = 255
    optimizer = torch.optim.Adam(model.parameters(), 0.002)
    pixels, targets = torch.from_numpy(images) / 255, torch.from_numpy(labels)
    model.train()
    for _ in range(60):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(pixels), targets)
        loss.backward()
        optimizer.step()
    data = Dataset("d", tuple("0123456789"), images, labels, images, labels)
    found = view_inside(model, data, 1, "e", 0, Pixels(1 / 255)).occlusion
    assert found.classes[0] == 1
    row, column = np.unravel_index(found.maps[0].argmax(), (SIDE, SIDE))
    assert PATCH[0].start - 2 <= row <= PATCH[0].stop + 1
    assert PATCH[1].start - 2 <= column <= PATCH[1].stop + 1


def test_rollout_of_timms_attention_against_a_few_lines_of_numpy() -> None:
    """From what its layers read of queries and keys: fused attention shows no weights."""
    model = FAMILIES["timm's ViT"][0]()
    hooks, view = read(model), seen(model)
    rolled = np.eye(65)
    for block in range(3):
        asked = hooks[f"blocks.{block}.attn.qkv"][1].reshape(65, 3, 3, 64)
        queries, keys, _ = asked.transpose(1, 2, 0, 3)
        weights = np.exp(queries @ keys.transpose(0, 2, 1) / 8)
        weights = (weights / weights.sum(2, keepdims=True)).mean(0)
        rolled = (weights + np.eye(65)) / 2 @ rolled
    share = rolled[0, 1:].reshape(8, 8)
    assert view.attention is not None
    np.testing.assert_allclose(view.attention, share / share.sum(), rtol=1e-4)
    assert view.filters is not None
    assert view.filters.weights.shape == (192, 1, 4, 4)
