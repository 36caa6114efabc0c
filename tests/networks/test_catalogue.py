"""The contract that every architecture of the catalogue keeps, on every shape of image."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bakeoff.errors import BakeoffError, NetworkError, StudyError
from bakeoff.networks.build import build
from bakeoff.networks.catalogue import ARCHITECTURES, network
from bakeoff.networks.network import Network
from bakeoff.networks.sources import read_source
from bakeoff.training.size import size_of
from tests.networks.drawn import SOUND, drawn

SHAPES = [(1, 28, 28), (1, 8, 8), (3, 32, 32)]

every_architecture = pytest.mark.parametrize("name", ARCHITECTURES)
every_shape = pytest.mark.parametrize("shape", SHAPES, ids=str)


def made(
    name: str,
    shape: tuple[int, int, int] = (1, 8, 8),
    seed: int = 0,
    scheme: str = "framework-default",
) -> nn.Module:
    return build(name, shape, 10, initialisation=scheme, seed=seed)


def images(shape: tuple[int, int, int], examples: int = 2) -> torch.Tensor:
    return torch.rand(examples, *shape, generator=torch.Generator().manual_seed(5))


@every_architecture
@every_shape
def test_images_become_finite_logits_and_every_parameter_gets_a_finite_gradient(
    name: str, shape: tuple[int, int, int]
) -> None:
    model = made(name, shape)
    logits = model(images(shape))
    assert logits.shape == (2, 10)
    assert logits.dtype == torch.float32
    assert logits.isfinite().all()
    F.cross_entropy(logits, torch.tensor([3, 7])).backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all(), parameter_name
        assert parameter.grad.any(), parameter_name


@every_architecture
@every_shape
def test_in_evaluation_mode_the_same_images_give_the_same_logits(
    name: str, shape: tuple[int, int, int]
) -> None:
    model = made(name, shape).eval()
    with torch.inference_mode():
        first = model(images(shape))
        assert torch.equal(model(images(shape)), first)
        torch.testing.assert_close(model(images(shape)[:1]), first[:1])


@every_architecture
def test_the_number_of_classes_is_asked_for(name: str) -> None:
    model = build(name, (1, 8, 8), 3, initialisation="framework-default", seed=0)
    assert model(images((1, 8, 8))).shape == (2, 3)


@every_architecture
def test_every_architecture_says_in_one_line_what_it_is(name: str) -> None:
    line = (ARCHITECTURES[name].__doc__ or "").partition("\n")[0]
    assert line.endswith(".")


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("logistic-regression", 7850),
        ("mlp-2x200", 199210),
        ("cnn-1conv", 6434634),
        ("cnn-2conv", 3274634),
        ("cnn-2conv-dropout", 3274634),
        # 16 * 25 + 2 * 16, 64 * 16 * 9 + 2 * 64, 64 * 64 * 9 + 2 * 64, (64 * 36 + 1) * 10.
        ("cnn-3conv", 432 + 9344 + 36992 + 23050),
        # 32 * 25 + 2 * 32, 48 * 32 * 9 + 2 * 48, 64 * 48 * 9 + 2 * 64, 128 * 64 * 9 + 2 * 128,
        # 128 * 128 * 9 + 2 * 128, (128 + 1) * 10.
        ("cnn-5conv", 864 + 13920 + 27776 + 73984 + 147712 + 1290),
        # 32 * 25 + 2 * 32, 64 * 32 * 9 + 2 * 64, 64 * 64 * 9 + 2 * 64, 128 * 64 * 9 + 2 * 128,
        # 160 * 128 * 9 + 2 * 160, 192 * 160 * 9 + 2 * 192, 192 * 192 * 9 + 2 * 192, 193 * 10.
        ("cnn-7conv", 864 + 18560 + 36992 + 73984 + 184640 + 276864 + 332160 + 1930),
    ],
)
def test_every_architecture_has_the_published_or_computed_number_of_parameters(
    name: str, parameters: int
) -> None:
    assert size_of(name, (1, 28, 28), 10).parameters == parameters


def test_every_architecture_of_the_catalogue_has_its_layers_in_order() -> None:
    assert LAYERS.keys() == {name for name in ARCHITECTURES if not name.startswith("small-")}


TWO_CONVOLUTIONS = [
    "Conv2d(1, 32, kernel_size=(5, 5), stride=(1, 1), padding=same)",
    "ReLU()",
    "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)",
    "Conv2d(32, 64, kernel_size=(5, 5), stride=(1, 1), padding=same)",
    "ReLU()",
    "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)",
    "Flatten(start_dim=1, end_dim=-1)",
]
HEAD = [
    "Linear(in_features=3136, out_features=1024, bias=True)",
    "ReLU()",
    "Linear(in_features=1024, out_features=10, bias=True)",
]
NORM = "BatchNorm2d({}, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)"
LAYERS = {
    "logistic-regression": [
        "Flatten(start_dim=1, end_dim=-1)",
        "Linear(in_features=784, out_features=10, bias=True)",
    ],
    "mlp-2x200": [
        "Flatten(start_dim=1, end_dim=-1)",
        "Linear(in_features=784, out_features=200, bias=True)",
        "ReLU()",
        "Linear(in_features=200, out_features=200, bias=True)",
        "ReLU()",
        "Linear(in_features=200, out_features=10, bias=True)",
    ],
    "cnn-1conv": [
        *TWO_CONVOLUTIONS[:3],
        "Flatten(start_dim=1, end_dim=-1)",
        "Linear(in_features=6272, out_features=1024, bias=True)",
        "ReLU()",
        "Linear(in_features=1024, out_features=10, bias=True)",
    ],
    "cnn-2conv": [*TWO_CONVOLUTIONS, *HEAD],
    "cnn-2conv-dropout": [*TWO_CONVOLUTIONS, "Dropout(p=0.5, inplace=False)", *HEAD],
    "cnn-3conv": [
        "Conv2d(1, 16, kernel_size=(5, 5), stride=(1, 1), bias=False)",
        TWO_CONVOLUTIONS[2],
        NORM.format(16),
        "ReLU()",
        "Conv2d(16, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)",
        TWO_CONVOLUTIONS[2],
        NORM.format(64),
        "ReLU()",
        "Conv2d(64, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)",
        NORM.format(64),
        "ReLU()",
        "Flatten(start_dim=1, end_dim=-1)",
        "Linear(in_features=2304, out_features=10, bias=True)",
    ],
    "cnn-5conv": [
        "Conv2d(1, 32, kernel_size=(5, 5), stride=(1, 1), bias=False)",
        TWO_CONVOLUTIONS[2],
        NORM.format(32),
        "ReLU()",
        "Conv2d(32, 48, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)",
        NORM.format(48),
        "ReLU()",
        "Conv2d(48, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)",
        TWO_CONVOLUTIONS[2],
        NORM.format(64),
        "ReLU()",
        "Conv2d(64, 128, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)",
        NORM.format(128),
        "ReLU()",
        "Conv2d(128, 128, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), bias=False)",
        NORM.format(128),
        "ReLU()",
        "AdaptiveAvgPool2d(output_size=1)",
        "Flatten(start_dim=1, end_dim=-1)",
        "Linear(in_features=128, out_features=10, bias=True)",
    ],
    "cnn-7conv": [
        "Conv2d(1, 32, kernel_size=(5, 5), stride=(1, 1), bias=False)",
        TWO_CONVOLUTIONS[2],
        NORM.format(32),
        "ReLU()",
        "Conv2d(32, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)",
        NORM.format(64),
        "ReLU()",
        "Conv2d(64, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)",
        NORM.format(64),
        "ReLU()",
        "Conv2d(64, 128, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)",
        TWO_CONVOLUTIONS[2],
        NORM.format(128),
        "ReLU()",
        "Conv2d(128, 160, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1), bias=False)",
        NORM.format(160),
        "ReLU()",
        "Conv2d(160, 192, kernel_size=(3, 3), stride=(1, 1), bias=False)",
        NORM.format(192),
        "ReLU()",
        "Conv2d(192, 192, kernel_size=(3, 3), stride=(1, 1), bias=False)",
        NORM.format(192),
        "ReLU()",
        "AdaptiveAvgPool2d(output_size=1)",
        "Flatten(start_dim=1, end_dim=-1)",
        "Linear(in_features=192, out_features=10, bias=True)",
    ],
}


@pytest.mark.parametrize("name", LAYERS)
def test_the_layers_stand_in_their_order(name: str) -> None:
    assert [repr(layer) for layer in made(name, (1, 28, 28)).children()] == LAYERS[name]


def test_dropout_is_there_while_training_and_gone_in_evaluation() -> None:
    model = made("cnn-2conv-dropout")
    model.train()
    assert not torch.equal(model(images((1, 8, 8))), model(images((1, 8, 8))))
    plain = made("cnn-2conv")
    plain.load_state_dict(model.state_dict())
    assert torch.equal(model.eval()(images((1, 8, 8))), plain.eval()(images((1, 8, 8))))


# What else may be named


def test_one_that_ships_is_a_network_as_it_ever_was() -> None:
    found = network("cnn-3conv")
    assert found == Network("cnn-3conv", ARCHITECTURES["cnn-3conv"])


def test_a_file_is_looked_for_where_the_study_lies(tmp_path: Path) -> None:
    file = drawn(tmp_path / "nets", {"net.py": SOUND})
    found = network("nets/net.py:Net", {"classes": 3}, tmp_path)
    assert (found.name, found.version) == ("Net", "")
    assert found.source == read_source(file)
    assert found.make((1, 8, 8), 10)(images((1, 8, 8))).shape == (2, 3)
    assert network(f"{file}:Net").source == found.source


def test_a_package_is_named_by_its_module() -> None:
    found = network("torch.nn:Linear", {"in_features": 3, "out_features": 2})
    assert (found.name, found.source) == ("Linear", None)
    assert found.version == f"torch {torch.__version__}"
    assert isinstance(found.make((1, 8, 8), 10), nn.Linear)


@pytest.mark.parametrize(
    ("name", "arguments", "error", "complaint"),
    [
        ("cnn-2con", {}, StudyError, "unknown architecture 'cnn-2con'; did you mean 'cnn-2conv'?"),
        ("cnn-2conv", {"width": 3}, NetworkError, "cnn-2conv takes no argument 'width'; it takes "
         "none"),
        ("net.py", {}, StudyError, "architecture 'net.py' names a file; say which network in it, "
         "as net.py:Net"),
        ("empty.py", {}, StudyError, "architecture 'empty.py' names a file; say which network in "
         "it, but it defines no function and no class"),
        ("net.py:Net", {"width": 3}, NetworkError, "Net takes no argument 'width'; known: "
         "classes"),
    ],
)  # fmt: skip
def test_what_names_no_network_is_refused(
    name: str,
    arguments: dict[str, int],
    error: type[BakeoffError],
    complaint: str,
    tmp_path: Path,
) -> None:
    drawn(tmp_path, {"net.py": SOUND, "empty.py": ""})
    with pytest.raises(error) as caught:
        network(name, arguments, tmp_path)
    assert str(caught.value) == complaint
