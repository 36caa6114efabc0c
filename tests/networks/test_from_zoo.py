"""Networks of timm and torchvision; their package stands in where it is not installed."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

from bakeoff.errors import NetworkError
from bakeoff.files.tensors import to_safetensors
from bakeoff.networks import from_zoo
from bakeoff.networks.build import start
from bakeoff.networks.catalogue import network
from bakeoff.networks.from_zoo import trained_by_timm


def made(name: str, shape: tuple[int, int, int], **arguments: Any) -> nn.Module:
    found = network(name, arguments)
    return start(found, shape, 7, initialisation="framework-default", seed=0)


def stand_in(name: str, **has: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(has)
    return module


@pytest.fixture
def zoo(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Put stand-ins for timm and torchvision there; return what they are called with."""
    calls: list[dict[str, Any]] = []

    def created(name: str, **given: Any) -> nn.Module:
        calls.append({"name": name, **given})
        if name == "of_any_size" and {"img_size", "image_size"} & given.keys():
            raise TypeError("unexpected keyword argument 'img_size' or 'image_size'")
        if name == "wrong":
            raise TypeError("unexpected keyword argument 'depth'")
        return nn.Sequential(nn.Flatten(), nn.LazyLinear(given["num_classes"]))

    names = ["of_any_size", "of_one_size", "wrong"]
    models = stand_in("models", get_model=created, list_models=lambda module: names)
    timm = stand_in(
        "timm", create_model=created, is_model=names.__contains__, list_models=lambda: names
    )
    monkeypatch.setitem(sys.modules, "timm", timm)
    monkeypatch.setitem(sys.modules, "torchvision", stand_in("torchvision", models=models))
    version: Callable[[str], str] = lambda name: "1.2"  # noqa: E731
    monkeypatch.setattr(importlib.metadata, "version", version)
    return calls


def test_timm_is_asked_for_classes_channels_and_size(zoo: list[dict[str, Any]]) -> None:
    made("timm:of_one_size", (1, 8, 8), drop_rate=0.1)
    known = {"num_classes": 7, "in_chans": 1, "drop_rate": 0.1}
    assert zoo == [{"name": "of_one_size", "img_size": 8, **known}]
    zoo.clear()
    made("timm:of_any_size", (1, 8, 16), num_classes=5)
    assert [call.get("img_size") for call in zoo] == [(8, 16), None]
    assert zoo[1] == {"name": "of_any_size", "num_classes": 5, "in_chans": 1}
    assert network("timm:of_any_size").version == "timm 1.2"


def test_torchvision_is_asked_for_classes_and_size(zoo: list[dict[str, Any]]) -> None:
    made("torchvision:of_one_size", (3, 8, 8))
    assert zoo == [{"name": "of_one_size", "image_size": 8, "num_classes": 7}]
    made("torchvision:of_any_size", (3, 8, 8))
    assert zoo[2] == {"name": "of_any_size", "num_classes": 7}
    assert network("torchvision:wrong").version == "torchvision 1.2"


@pytest.mark.usefixtures("zoo")
@pytest.mark.parametrize(
    ("name", "arguments", "complaint"),
    [
        ("timm:of_any_sise", {}, "timm has no network 'of_any_sise'; did you mean 'of_any_size' or "
         "'of_one_size'?"),
        ("timm:resnet", {}, "timm has no network 'resnet'; it has 3 others"),
        ("torchvision:resnet", {}, "torchvision has no classifier 'resnet'; it has 3 others"),
        ("torchvision:of_one_size", {}, "torchvision:of_one_size takes images of 3 channels, and "
         'the data have 1; say colour = "rgb" in [protocol]'),
        ("timm:of_any_size", {"checkpoint_path": "a.pth"}, "timm:of_any_size: checkpoint_path "
         'would start it from weights that no record names; say weights = "FILE.safetensors" '
         "beside architecture instead"),
        ("torchvision:of_any_size", {"pretrained": True}, "torchvision:of_any_size: pretrained "
         'would start it from weights that no record names; say weights = "FILE.safetensors" '
         "beside architecture instead"),
    ],
)  # fmt: skip
def test_what_a_zoo_does_not_have_or_is_not_fair_is_refused(
    name: str, arguments: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(NetworkError) as caught:
        made(name, (1, 8, 8), **arguments)
    assert str(caught.value) == complaint


@pytest.mark.usefixtures("zoo")
def test_another_mistake_is_not_taken_for_one_of_the_size() -> None:
    with pytest.raises(NetworkError, match=r"^timm:wrong: .*unexpected keyword argument 'depth'$"):
        made("timm:wrong", (1, 8, 8))


@pytest.mark.parametrize("name", ["timm", "torchvision"])
def test_a_zoo_that_is_not_installed_is_one_line_with_the_command(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, name)

    def missing(name: str) -> ModuleType:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(from_zoo, "import_module", missing)
    with pytest.raises(NetworkError) as caught:
        network(f"{name}:resnet18")
    assert str(caught.value) == f'{name} is not installed; pip install "bakeoff[{name}]"'


def test_a_zoo_made_for_another_torch_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "timm", raising=False)

    def broken(name: str) -> ModuleType:
        raise RuntimeError("undefined symbol\nand more")

    monkeypatch.setattr(from_zoo, "import_module", broken)
    with pytest.raises(NetworkError) as caught:
        network("timm:resnet18")
    assert str(caught.value) == (
        f"timm cannot be imported beside torch {torch.__version__}: undefined symbol; "
        'pip install --upgrade "bakeoff[timm]"'
    )


# The real ones


@pytest.mark.skipif(find_spec("timm") is None, reason="timm is not installed")
@pytest.mark.parametrize("name", ["resnet18", "convnext_atto", "vit_tiny_patch16_224"])
def test_a_network_of_timm_is_made_for_any_size_channels_and_classes(name: str) -> None:
    model = made(f"timm:{name}", (1, 64, 64)).eval()
    with torch.inference_mode():
        assert model(torch.zeros(2, 1, 64, 64)).shape == (2, 7)
    assert network(f"timm:{name}").version == f"timm {importlib.metadata.version('timm')}"


@pytest.mark.skipif(find_spec("torchvision") is None, reason="torchvision is not installed")
def test_a_network_of_torchvision_is_made() -> None:
    model = made("torchvision:resnet18", (3, 64, 64)).eval()
    with torch.inference_mode():
        assert model(torch.zeros(2, 3, 64, 64)).shape == (2, 7)


@pytest.fixture
def trained_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, torch.Tensor]:
    """Let timm find weights of resnet18, for its thousand classes, in a file; return them."""
    network("timm:resnet18")  # Imports timm.
    trained: dict[str, torch.Tensor] = sys.modules["timm"].create_model("resnet18").state_dict()
    (tmp_path / "w.safetensors").write_bytes(to_safetensors(trained))
    found = sys.modules["timm.models._registry"]._model_pretrained_cfgs
    here = dataclasses.replace(found["resnet18.a1_in1k"], file=str(tmp_path / "w.safetensors"))
    for name in ("resnet18", "resnet18.a1_in1k"):
        monkeypatch.setitem(found, name, here)
    trained_by_timm.cache_clear()
    return trained


@pytest.mark.skipif(find_spec("timm") is None, reason="timm is not installed")
def test_a_network_of_timm_starts_from_what_timm_trained(
    trained_at_home: dict[str, torch.Tensor],
) -> None:
    shape, arguments = (3, 32, 32), {"pretrained": True}
    found = network("timm:resnet18", arguments)
    assert found.given is not None
    assert found.given.origin == "timm:resnet18"
    assert found.given.sha256 == hashlib.sha256(to_safetensors(trained_at_home)).hexdigest()
    version = importlib.metadata.version("timm")
    assert found.version == f"timm {version}, weights {found.given.sha256[:16]}"
    state = start(found, shape, 7, initialisation="framework-default", seed=0).state_dict()
    assert state["fc.weight"].shape == (7, 512)
    others = {key for key in state if not torch.equal(state[key], trained_at_home[key])}
    assert others == {"fc.weight", "fc.bias"}
    # Of one channel, the first convolution adds those of three up.
    grey = start(found, (1, 32, 32), 7, initialisation="framework-default", seed=0).state_dict()
    assert torch.equal(grey["conv1.weight"], trained_at_home["conv1.weight"].sum(1, keepdim=True))
    trained_by_timm.cache_clear()


@pytest.mark.skipif(find_spec("timm") is None, reason="timm is not installed")
def test_trained_weights_that_cannot_be_had_are_one_line(
    trained_at_home: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    (tmp_path / "w.safetensors").unlink()
    with pytest.raises(NetworkError) as caught:
        network("timm:resnet18", {"pretrained": True})
    line = str(caught.value)
    assert line.startswith(
        "timm:resnet18: its trained weights are not on this machine and cannot be fetched ("
    )
    assert line.endswith('); leave pretrained out, or say weights = "FILE.safetensors"')
