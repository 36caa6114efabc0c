"""Weights that a network starts from, and parameters that stay."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import nn

from bakeoff.errors import NetworkError
from bakeoff.files.tensors import to_safetensors
from bakeoff.networks.build import start
from bakeoff.networks.given import Given, MisfitError, anew, hold_still, read_given
from bakeoff.networks.network import Network


class Net(nn.Module):
    """A convolution, a normalisation and a last layer."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(0.5))
        self.head = nn.Linear(4, classes)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.head(self.body(images).mean((2, 3)))
        return found


def of_file(tensors: Mapping[str, torch.Tensor]) -> Given:
    return Given("w.safetensors", "0" * 64, tensors)


def started(
    given: Given | None = None, trainable: tuple[str, ...] | None = None, seed: int = 0
) -> nn.Module:
    network = Network("Net", lambda shape, classes: Net(classes), None, "", given, trainable)
    return start(network, (1, 8, 8), 3, initialisation="kaiming-normal", seed=seed)


def weights(classes: int = 3) -> dict[str, torch.Tensor]:
    return {key: torch.full_like(each, 2) for key, each in Net(classes).state_dict().items()}


def equal(some: Mapping[str, torch.Tensor], others: Mapping[str, torch.Tensor]) -> set[str]:
    return {key for key in some if torch.equal(some[key], others[key])}


# Weights


def test_a_network_starts_from_what_it_is_given_whatever_the_seed() -> None:
    for seed in (0, 1):
        state = started(of_file(weights()), seed=seed).state_dict()
        assert equal(state, weights()) == set(state)


def test_a_last_layer_of_other_classes_starts_anew_as_the_recipe_has_it() -> None:
    given = of_file(weights(classes=5))
    assert anew("Net", Net(3), given, 3) == ("head.weight", "head.bias")
    state, fresh = started(given).state_dict(), started().state_dict()
    body = {key for key in state if key.startswith("body.")}
    assert equal(state, weights()) == body
    assert equal(state, fresh) == {"head.weight", "head.bias"}


def test_a_count_of_batches_may_be_missing() -> None:
    tensors = weights()
    del tensors["body.1.num_batches_tracked"]
    state = started(of_file(tensors)).state_dict()
    assert state["body.1.num_batches_tracked"] == 0
    assert equal(state, weights()) == set(tensors)


def without(key: str) -> dict[str, torch.Tensor]:
    return {name: each for name, each in weights().items() if name != key}


MISFITS = {
    "missing": (
        without("head.bias"),
        "w.safetensors has no head.bias, which Net has; did you mean 'head.weight'?",
    ),
    "more": (
        weights() | {"tail": torch.ones(1)},
        "w.safetensors has tail, which Net has not; give weights of this network",
    ),
    "shape": (
        weights() | {"body.0.weight": torch.ones(4, 3, 3, 3)},
        "body.0.weight is [4, 3, 3, 3] in w.safetensors and [4, 1, 3, 3] in Net; give weights of "
        "this network",
    ),
    "two last layers": (
        weights(classes=5) | {"head.bias": torch.ones(6)},
        "head.bias is [6] in w.safetensors and [3] in Net; give weights of this network",
    ),
}


@pytest.mark.parametrize("fault", MISFITS)
def test_weights_of_another_network_are_named(fault: str) -> None:
    tensors, line = MISFITS[fault]
    with pytest.raises(MisfitError) as caught:
        started(of_file(tensors))
    assert (str(caught.value), caught.value.key) == (line, "weights")


def test_a_file_is_known_by_its_hash(tmp_path: Path) -> None:
    content = to_safetensors(weights())
    (tmp_path / "w.safetensors").write_bytes(content)
    given, read = read_given(tmp_path / "w.safetensors", "../w.safetensors")
    assert read == content
    assert (given.origin, given.sha256) == (
        "../w.safetensors",
        hashlib.sha256(content).hexdigest(),
    )
    assert given.tensors is not None
    assert equal(given.tensors, weights()) == set(weights())


def test_only_safetensors_are_read(tmp_path: Path) -> None:
    file = tmp_path / "w.pth"
    with pytest.raises(NetworkError) as caught:
        read_given(file, "w.pth")
    assert str(caught.value) == (
        f"{file}: No such file or directory; give a file of weights, FILE.safetensors"
    )
    file.write_bytes(b"PK\x03\x04 archive/data.pkl")  # As torch.save begins.
    with pytest.raises(NetworkError) as caught:
        read_given(file, "w.pth")
    assert str(caught.value) == (
        f"{file}: not safetensors, and no other kind of weights is read, since they can run code; "
        'write them anew: safetensors.torch.save_file(network.state_dict(), "FILE.safetensors")'
    )
    file.write_bytes(to_safetensors({"a": torch.tensor([1.0, float("nan")])}))
    with pytest.raises(NetworkError) as caught:
        read_given(file, "w.pth")
    assert str(caught.value) == f"{file}: a is not finite; give weights that a training ended with"


def test_a_scheme_that_would_overwrite_what_a_zoo_brings_along_is_refused() -> None:
    with pytest.raises(MisfitError) as caught:
        started(Given("timm:net", "0" * 64, None))
    assert caught.value.key == "recipe.initialisation"
    assert str(caught.value) == (
        "kaiming-normal would overwrite the weights of timm:net; leave it out"
    )


# What moves


def moving(model: nn.Module) -> list[str]:
    return [key for key, each in model.named_parameters() if each.requires_grad]


def test_only_what_fits_a_pattern_moves() -> None:
    assert moving(started(trainable=("head.*",))) == ["head.weight", "head.bias"]
    assert moving(started(trainable=("*.bias", "body.0.*"))) == [
        "body.0.weight", "body.0.bias", "body.1.bias", "head.bias",
    ]  # fmt: skip


def test_a_tied_weight_moves_by_any_of_its_names() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight
    hold_still("Net", model, ["1.weight"])
    assert moving(model) == ["0.weight"]


def test_running_statistics_stay_where_a_layer_does() -> None:
    images = torch.randn(16, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    for patterns, stays in ((("head.*",), True), (("body.1.bias", "head.*"), False)):
        model = started(trainable=patterns)
        for each in (model, copy.deepcopy(model)):
            before = each.state_dict()["body.1.running_mean"].clone()
            each.eval().train()(images)
            assert each.body[2].training  # type: ignore[index,union-attr]
            assert each.body[1].training is not stays  # type: ignore[index,union-attr]
            assert torch.equal(before, each.state_dict()["body.1.running_mean"]) is stays


def test_what_a_still_layer_holds_has_a_mode_of_its_own() -> None:
    class Activated(nn.BatchNorm2d):
        def __init__(self) -> None:
            super().__init__(4)
            self.drop = nn.Dropout(0.5)

    layer = Activated()
    model = nn.Sequential(nn.Conv2d(1, 4, 3), layer)
    hold_still("Net", model, ["0.*"])
    for mode in (False, True):
        model.train(mode)
        assert not layer.training
        assert layer.drop.training is mode


def test_a_pattern_that_fits_nothing_is_named() -> None:
    with pytest.raises(MisfitError) as caught:
        started(trainable=("head.*", "haed.weight"))
    assert caught.value.key == "trainable"
    assert str(caught.value) == (
        "'haed.weight' fits no parameter of Net; did you mean 'head.weight'?"
    )
