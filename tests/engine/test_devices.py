from __future__ import annotations

import pytest
import torch
from torch import nn

from bakeoff.engine.devices import choose_device, choose_precision, place
from bakeoff.errors import UsageError

CPU = torch.device("cpu")


@pytest.mark.parametrize("gpu", [False, True])
def test_auto_takes_a_gpu_where_there_is_one(gpu: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpu)
    assert choose_device("auto").type == ("cuda" if gpu else "cpu")
    assert choose_device("cpu").type == "cpu"


def test_asking_for_a_gpu_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError) as caught:
        choose_device("cuda")
    assert str(caught.value) == "--device cuda: torch sees no GPU here; use --device cpu"


def test_an_unknown_device_or_precision_is_one_line() -> None:
    with pytest.raises(UsageError) as device:
        choose_device("tpu")
    assert str(device.value) == "--device tpu: choose one of auto, cpu, cuda"
    with pytest.raises(UsageError) as precision:
        choose_precision("float16", CPU)
    assert str(precision.value) == "--precision float16: choose one of auto, float32, bfloat16"


@pytest.mark.parametrize(
    ("processor", "taken"),
    [
        ({"amx_bf16": True, "avx512_bf16": True}, "bfloat16"),
        ({"amx_bf16": False, "avx512_bf16": True}, "bfloat16"),
        ({"avx2": True, "amx_bf16": False, "avx512_bf16": False}, "float32"),
        ({"avx2": True}, "float32"),
    ],
)
def test_the_automatic_precision_is_what_the_processor_multiplies_faster(
    processor: dict[str, bool], taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: processor)
    assert choose_precision("auto", CPU) == taken
    assert choose_precision("float32", CPU) == "float32"
    assert choose_precision("bfloat16", CPU) == "bfloat16"


@pytest.mark.parametrize(
    ("generation", "taken"), [((7, 5), "float32"), ((8, 0), "bfloat16"), ((9, 0), "bfloat16")]
)
def test_the_automatic_precision_of_a_gpu_follows_its_generation(
    generation: tuple[int, int], taken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: generation)
    assert choose_precision("auto", torch.device("cuda")) == taken


def test_a_placed_network_stores_its_filters_channels_last() -> None:
    conv = nn.Conv2d(3, 4, 5)
    before = conv.weight.detach().clone()
    placed = place(conv, torch.device("cpu"))
    assert conv.weight.is_contiguous(memory_format=torch.channels_last)
    assert placed is conv
    assert torch.equal(conv.weight, before)


def test_convolutions_of_volumes_stay_as_they_are_stored() -> None:
    plane = nn.Conv2d(3, 4, 3)
    model = nn.Sequential(nn.Conv3d(1, 2, 3), plane)
    assert place(model, CPU) is model
    assert plane.weight.is_contiguous()


def test_networks_of_other_people_find_their_images_in_the_order_that_they_expect() -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Conv2d(3, 4, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            outputs: torch.Tensor = self.layer(x)
            return outputs.view(len(x), -1)

    assert place(Net(), CPU)(torch.zeros(2, 3, 8, 8)).shape == (2, 4 * 36)
    assert not place(nn.Conv2d(3, 4, 3), CPU)(torch.zeros(2, 3, 8, 8)).is_contiguous()
