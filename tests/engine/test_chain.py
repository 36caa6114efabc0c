from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bakeoff.engine import LinearChain, fast
from bakeoff.engine.loss import CrossEntropy
from bakeoff.engine.pixels import Pixels
from bakeoff.engine.step import make_update
from bakeoff.networks.build import build

FLOAT32 = torch.autocast("cpu", enabled=False)
BFLOAT16 = torch.autocast("cpu", dtype=torch.bfloat16)


def network(name: str) -> nn.Module:
    return build(name, (1, 28, 28), 10, initialisation="framework-default", seed=3)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(0, 256, (7, 1, 28, 28), generator=generator, dtype=torch.uint8)
    return images, torch.arange(7) % 10


@pytest.mark.parametrize("name", ["logistic-regression", "mlp-2x200"])
@pytest.mark.parametrize("autocast", [FLOAT32, BFLOAT16], ids=["float32", "bfloat16"])
@pytest.mark.parametrize("smoothing", [None, 0.1])
def test_gradients_by_hand_are_those_of_autograd(
    name: str, autocast: torch.autocast, smoothing: float | None
) -> None:
    images, labels = batch()
    plain, model = network(name), network(name)
    logits = plain(images.float() / 255)
    expected = F.cross_entropy(logits, labels, label_smoothing=smoothing or 0.0)
    expected.backward()

    twin = fast(model)
    assert isinstance(twin, LinearChain)
    still = torch.optim.SGD(model.parameters(), lr=0.0)
    update = make_update(twin, still, Pixels(1 / 255), autocast, CrossEntropy(smoothing or 0.0))
    loss = update(images, labels)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-6)
    for ours, theirs in zip(model.parameters(), plain.parameters(), strict=True):
        assert ours.grad is not None
        assert theirs.grad is not None
        assert torch.allclose(ours.grad, theirs.grad, rtol=1e-4, atol=1e-7)


def test_a_unit_at_zero_passes_no_gradient_on() -> None:
    first, second = nn.Linear(1, 2), nn.Linear(2, 1)
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[2.0], [-3.0]]))
        second.weight.copy_(torch.tensor([[5.0, 7.0]]))
        for layer in (first, second):
            layer.bias.zero_()
    chain = LinearChain([first, second])
    assert chain.logits(torch.tensor([[1.0]])).item() == 10.0
    chain.backward(torch.tensor([[1.0]]))
    assert first.weight.grad is not None
    assert second.weight.grad is not None
    assert first.weight.grad.tolist() == [[5.0], [0.0]]
    assert second.weight.grad.tolist() == [[2.0, 0.0]]


def test_weight_gradients_are_written_into_the_same_memory() -> None:
    chain = LinearChain([nn.Linear(3, 2)])
    places = set()
    for _ in range(3):
        chain.backward(torch.ones_like(chain.logits(torch.randn(4, 3))))
        gradient = next(chain.parameters()).grad
        assert gradient is not None
        places.add(gradient.data_ptr())
    assert len(places) == 1


def test_called_as_a_network_it_is_the_network() -> None:
    model = network("mlp-2x200")
    images = batch()[0].float()
    assert torch.allclose(fast(model)(images), model(images), atol=1e-6)


def frozen() -> nn.Sequential:
    model = nn.Sequential(nn.Flatten(), nn.Linear(3, 2))
    model[1].bias.requires_grad_(False)
    return model


def twice() -> nn.Sequential:
    layer = nn.Linear(3, 3)
    return nn.Sequential(nn.Flatten(), layer, nn.ReLU(), layer)


@pytest.mark.parametrize(
    "model",
    [
        nn.Linear(3, 2),
        nn.Sequential(nn.Linear(3, 2)),
        nn.Sequential(nn.Flatten()),
        nn.Sequential(nn.Flatten(2), nn.Linear(3, 2)),
        nn.Sequential(nn.Flatten(), nn.Linear(3, 2, bias=False)),
        nn.Sequential(nn.Flatten(), nn.Linear(3, 2), nn.ReLU()),
        nn.Sequential(nn.Flatten(), nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 2)),
        nn.Sequential(nn.Flatten(), nn.Linear(3, 2).double()),
        nn.Sequential(nn.Flatten(), nn.Linear(1024, 1024)),
        nn.Sequential(OrderedDict(flatten=nn.Flatten(), drop=nn.Dropout(0.5))),
        frozen(),
        twice(),
    ],
    ids=repr,
)
def test_everything_else_is_left_to_autograd(model: nn.Module) -> None:
    assert not isinstance(fast(model), LinearChain)
