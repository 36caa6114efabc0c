from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from bakeoff.architectures.catalogue import build
from bakeoff.data.dataset import Dataset
from bakeoff.record import Epoch, Stopped
from bakeoff.study import Recipe
from bakeoff.training.devices import place
from bakeoff.training.fit import Examples, Streams, fit

from . import reference_loop

CPU = torch.device("cpu")
SEEDS = {"study_seed": 5, "trial_seed": 6}


def network(name: str, shape: tuple[int, int, int] = (1, 28, 28)) -> nn.Module:
    return build(name, shape, 10, initialisation="framework-default", seed=9)


def examples(dataset: Dataset, first: int, last: int) -> Examples:
    images = torch.from_numpy(dataset.train_images[first:last].copy())
    return Examples(images, torch.from_numpy(dataset.train_labels[first:last]))


def fitted(
    model: nn.Module,
    recipe: Recipe,
    train: Examples,
    validation: Examples,
    *,
    entrant: str = "e",
    scale: float = 1 / 255,
    precision: torch.dtype | None = None,
    on_epoch: Callable[[Epoch], object] = lambda _: None,
) -> tuple[list[Epoch], Stopped]:
    return fit(
        model,
        recipe,
        train,
        validation,
        Streams(entrant=entrant, **SEEDS),
        pixel_scale=scale,
        autocast=torch.autocast("cpu", dtype=precision, enabled=precision is not None),
        on_epoch=lambda epoch: on_epoch(epoch) and None,
    )


def snapshot(model: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().contiguous().flatten() for p in model.parameters()])


@contextmanager
def after_each_step(call: Callable[[], object]) -> Iterator[None]:
    handle = register_optimizer_step_post_hook(lambda *_: call() and None)
    try:
        yield
    finally:
        handle.remove()


@pytest.mark.parametrize("scale", [1 / 255, 1 / 255 / 255], ids=["scaled-once", "scaled-twice"])
@pytest.mark.parametrize("name", ["logistic-regression", "mlp-2x200", "cnn-2conv", "cnn-2conv-dropout"])
def test_the_weights_after_each_step_are_those_of_the_reference_loop(
    name: str, scale: float, mnist: Dataset
) -> None:
    # 110 examples in batches of 40: the last batch of each epoch is smaller.
    train = examples(mnist, 0, 110)
    recipe = Recipe(batch_size=40, epochs=2)
    model, plain = place(network(name), CPU), network(name)
    start = snapshot(plain)
    real: list[torch.Tensor] = []
    expected: list[torch.Tensor] = []
    with after_each_step(lambda: real.append(snapshot(model))):
        history, _ = fitted(model, recipe, train, examples(mnist, 200, 250), scale=scale)
    with torch.random.fork_rng(devices=[]):
        reference = list(
            reference_loop.train(
                plain,
                train.images,
                train.labels,
                rate=0.001,
                batch_size=40,
                epochs=2,
                pixel_scale=scale,
                seeds=SEEDS,
                entrant="e",
                after_step=lambda: expected.append(snapshot(plain)),
            )
        )
    assert len(real) == len(expected) == 6
    for step, (ours, theirs) in enumerate(zip(real, expected, strict=True), start=1):
        moved = (theirs - start).norm()
        print(name, scale, step, ((ours - theirs).norm() / moved).item(), (ours - theirs).abs().max().item())
        assert (ours - theirs).norm() < 1e-3 * moved, step
    for epoch, loss in zip(history, reference, strict=True):
        assert epoch.train_loss == pytest.approx(loss, rel=1e-5)
