from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from bakeoff.data.dataset import Dataset
from bakeoff.data.split import split_examples
from bakeoff.engine.devices import place
from bakeoff.engine.pixels import Pixels
from bakeoff.networks.build import build
from bakeoff.networks.catalogue import ARCHITECTURES
from bakeoff.records.record import Epoch, Stopped
from bakeoff.study.augmentation import Augmentation
from bakeoff.study.protocol import Protocol
from bakeoff.study.recipe import Recipe
from bakeoff.training.fit import Examples, Streams, fit
from bakeoff.training.stacking.fit import Member, fit_stack, why_alone
from bakeoff.training.stacking.stack import Stack

CPU = torch.device("cpu")
FLOAT32 = torch.autocast("cpu", dtype=torch.bfloat16, enabled=False)
BFLOAT16 = torch.autocast("cpu", dtype=torch.bfloat16)

Trained = tuple[list[Epoch], Stopped, nn.Module]


def network(name: str, seed: int, shape: tuple[int, int, int] = (1, 8, 8)) -> nn.Module:
    return place(build(name, shape, 10, initialisation="framework-default", seed=seed), CPU)


def members(models: Sequence[nn.Module], train: int, validation: int) -> list[Member]:
    return [
        Member(
            copy.deepcopy(model),
            split_examples(train + validation, validation, study_seed=3, trial_seed=seed),
            Streams(3, seed, "e"),
        )
        for seed, model in enumerate(models)
    ]


def first_of(dataset: Dataset, n: int) -> Examples:
    images = torch.from_numpy(dataset.train_images[:n].copy())
    return Examples(images, torch.from_numpy(dataset.train_labels[:n]))


def alone(
    model: nn.Module, member: Member, recipe: Recipe, whole: Examples, autocast: torch.autocast
) -> Trained:
    def part(chosen: Any) -> Examples:
        index = torch.from_numpy(chosen)
        return Examples(whole.images[index], whole.labels[index])

    trained = copy.deepcopy(model)
    history, stopped = fit(
        trained,
        recipe,
        part(member.split.train),
        part(member.split.validation),
        member.streams,
        pixels=Pixels(1 / 255),
        autocast=autocast,
        on_epoch=lambda _: None,
    )
    return history, stopped, trained


def both(
    models: Sequence[nn.Module],
    recipe: Recipe,
    dataset: Dataset,
    *,
    train: int = 100,
    validation: int = 50,
    autocast: torch.autocast = FLOAT32,
    heard: Callable[[int, Epoch], None] = lambda which, epoch: None,
) -> tuple[list[Trained], list[Trained], list[int]]:
    """Return each seed trained one by one, each trained in the stack, and how the latter ended."""
    whole = first_of(dataset, train + validation)
    stacked = members(models, train, validation)
    ended = list(
        fit_stack(stacked, recipe, whole, pixels=Pixels(1 / 255), autocast=autocast, on_epoch=heard)
    )
    stops = dict(ended)
    singly = [
        alone(model, member, recipe, whole, autocast)
        for model, member in zip(models, stacked, strict=True)
    ]
    together = [(m.history, stops[which], m.model) for which, m in enumerate(stacked)]
    return singly, together, [which for which, _ in ended]


def snapshot(model: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().contiguous().flatten() for p in model.parameters()])


def assert_same(
    models: Sequence[nn.Module],
    singly: Sequence[Trained],
    together: Sequence[Trained],
    tolerance: float,
) -> None:
    for start, one, other in zip(models, singly, together, strict=True):
        assert other[1] == one[1]
        moved = (snapshot(one[2]) - snapshot(start)).norm()
        assert moved > 0
        assert (snapshot(other[2]) - snapshot(one[2])).norm() < tolerance * moved
        assert len(other[0]) == len(one[0])
        for ours, theirs in zip(other[0], one[0], strict=True):
            assert ours.epoch == theirs.epoch
            assert ours.train_loss == pytest.approx(theirs.train_loss, rel=1e-4)
            assert ours.validation_loss == pytest.approx(theirs.validation_loss, rel=1e-4)
            assert ours.validation_accuracy == pytest.approx(theirs.validation_accuracy)
            assert ours.seconds > 0


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_each_seed_gets_the_weights_that_it_gets_alone(name: str, digits: Dataset) -> None:
    # 100 examples in batches of 40: the last batch of each epoch is smaller.
    models = [network(name, seed) for seed in range(2)]
    recipe = Recipe(batch_size=40, epochs=2)
    if name.startswith("small-") or name == "cnn-7conv":
        # Some of their gradients are zero but for rounding, of which Adam makes whole steps; and
        # where a normalised channel hardly varies, rounding grows from step to step.
        recipe = Recipe(batch_size=100, epochs=1, optimizer="sgd", learning_rate=0.01)
    singly, together, _ = both(models, recipe, digits)
    assert_same(models, singly, together, 2e-2 if name.startswith("small-") else 1e-3)
    assert not torch.allclose(snapshot(together[0][2]), snapshot(together[1][2]))


def test_images_of_full_size_and_pooling_ties_change_nothing(mnist: Dataset) -> None:
    models = [network("cnn-2conv-dropout", seed, (1, 28, 28)) for seed in range(2)]
    recipe = Recipe(batch_size=20, epochs=1)
    singly, together, _ = both(models, recipe, mnist, train=50, validation=20)
    # Rounding decides near-ties of the pooling, and so which pixel a gradient goes to.
    assert_same(models, singly, together, 5e-3)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_every_optimizer_and_schedule_is_that_of_each_seed(optimizer: str, digits: Dataset) -> None:
    recipe = Recipe.model_validate(
        {
            "optimizer": optimizer,
            "learning_rate": 0.01,
            "weight_decay": 0.1,
            "label_smoothing": 0.1,
            "schedule": "one-cycle",
            "batch_size": 30,
            "epochs": 3,
        }
    )
    models = [network("mlp-2x200", seed) for seed in range(2)]
    singly, together, _ = both(models, recipe, digits)
    assert_same(models, singly, together, 1e-3)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_seed_that_reaches_the_target_stops_and_the_others_go_on(
    optimizer: str, digits: Dataset
) -> None:
    recipe = Recipe.model_validate(
        {
            "optimizer": optimizer,
            "learning_rate": 0.01,
            "epochs": 12,
            "target_validation_accuracy": 0.85,
        }
    )
    models = [network("logistic-regression", seed) for seed in range(5)]
    heard: list[tuple[int, int]] = []
    singly, together, order = both(
        models,
        recipe,
        digits,
        train=300,
        validation=100,
        heard=lambda which, epoch: heard.append((which, epoch.epoch)),
    )
    epochs = [stopped.epoch for _, stopped, _ in together]
    assert len(set(epochs)) > 1
    assert_same(models, singly, together, 1e-4)
    assert [epochs[which] for which in order] == sorted(epochs)
    assert heard == sorted(heard, key=lambda pair: pair[1])
    assert sorted(heard) == [(w, n + 1) for w, last in enumerate(epochs) for n in range(last)]


def test_a_loss_that_is_not_finite_ends_its_seed_alone(digits: Dataset) -> None:
    models = [network("mlp-2x200", seed) for seed in range(3)]
    with torch.no_grad():
        next(models[1].parameters()).fill_(float("nan"))
    heard: list[int] = []
    singly, together, order = both(
        models, Recipe(epochs=3), digits, heard=lambda which, _: heard.append(which)
    )
    assert together[1][:2] == ([], Stopped(epoch=1, reason="loss not finite", step=1))
    assert order == [1, 0, 2]
    assert heard == [0, 2] * 3
    assert_same(models[::2], singly[::2], together[::2], 1e-3)


def test_a_loss_that_is_too_large_ends_its_seed_alone(digits: Dataset) -> None:
    models = [network("mlp-2x200", seed) for seed in range(2)]
    with torch.no_grad():
        models[1].get_parameter("1.weight").mul_(1e20)
    heard: list[int] = []
    _, together, _ = both(
        models, Recipe(epochs=1), digits, heard=lambda which, _: heard.append(which)
    )
    assert together[1][:2] == ([], Stopped(epoch=1, reason="numbers too large"))
    assert heard == [0]


def test_running_means_and_frozen_weights_are_those_of_each_seed(digits: Dataset) -> None:
    def normalised(seed: int) -> nn.Module:
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Conv2d(1, 4, 3),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Dropout(0.25),
            nn.Flatten(),
            nn.Linear(144, 20),
            nn.Dropout(0.5),
            nn.Linear(20, 10),
        )
        model.get_parameter("5.weight").requires_grad_(False)
        return place(model, CPU)

    with torch.random.fork_rng():
        models = [normalised(seed) for seed in range(2)]
    assert why_alone(models[0], Recipe(), Protocol(), (1, 8, 8), FLOAT32) is None
    # Not Adam: normalisation cancels the bias before it, so its gradient is nothing but rounding.
    recipe = Recipe(optimizer="sgd", learning_rate=0.05, batch_size=40, epochs=2)
    singly, together, _ = both(models, recipe, digits)
    assert_same(models, singly, together, 1e-3)
    for start, one, other in zip(models, singly, together, strict=True):
        assert torch.equal(other[2].get_parameter("5.weight"), start.get_parameter("5.weight"))
        for ours, theirs in zip(other[2].buffers(), one[2].buffers(), strict=True):
            assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-6)
    assert int(together[0][2].get_buffer("1.num_batches_tracked")) == 6


def test_bfloat16_differs_from_one_by_one_by_its_rounding_alone(digits: Dataset) -> None:
    models = [network("cnn-2conv", seed) for seed in range(2)]
    recipe = Recipe(optimizer="sgd", learning_rate=0.02, batch_size=40, epochs=2)
    singly, together, _ = both(models, recipe, digits, autocast=BFLOAT16)
    _, exact, _ = both(models, recipe, digits)
    for start, one, other, full in zip(models, singly, together, exact, strict=True):
        moved = (snapshot(full[2]) - snapshot(start)).norm()
        assert (snapshot(other[2]) - snapshot(one[2])).norm() < 0.05 * moved
        assert not torch.equal(snapshot(other[2]), snapshot(full[2]))
        assert snapshot(other[2]).dtype == torch.float32


def test_the_global_random_state_is_left_alone(digits: Dataset) -> None:
    before = torch.random.get_rng_state()
    both([network("cnn-2conv-dropout", s) for s in range(2)], Recipe(epochs=1), digits, train=50)
    assert torch.equal(torch.random.get_rng_state(), before)


class Branching(nn.Linear):
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        outputs = super().forward(inputs.flatten(1))
        return outputs if bool(outputs.sum() > 0) else -outputs


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dropout = nn.Dropout(0.5)
        self.linear = nn.Linear(64, 10)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        outputs: torch.Tensor = self.dropout(self.linear(self.dropout(inputs.flatten(1))))
        return outputs


def test_a_dropout_layer_that_is_used_twice_draws_as_it_does_alone(digits: Dataset) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        models = [place(Twice(), CPU) for _ in range(2)]
    assert why_alone(models[0], Recipe(), Protocol(), (1, 8, 8), FLOAT32) is None
    assert type(models[0].get_submodule("dropout")) is nn.Dropout
    recipe = Recipe(optimizer="sgd", learning_rate=0.05, batch_size=40, epochs=2)
    singly, together, _ = both(models, recipe, digits)
    assert_same(models, singly, together, 1e-3)


@pytest.mark.parametrize("key", ["clip", "average", "class_weights"])
def test_a_recipe_that_speaks_of_each_network_alone_is_not_stacked(key: str) -> None:
    value = "balanced" if key == "class_weights" else 0.5
    recipe = Recipe.model_validate({key: value})
    reason = why_alone(nn.Identity(), recipe, Protocol(), (1, 8, 8), FLOAT32)
    assert reason == f"recipe.{key} is of each network alone"


def test_augmented_images_are_not_stacked() -> None:
    changed = Protocol(augmentation=Augmentation(flip=True))
    reason = why_alone(nn.Identity(), Recipe(), changed, (1, 8, 8), FLOAT32)
    assert reason == "protocol.augmentation changes the images of each seed in another way"


def test_a_network_that_cannot_be_stacked_is_found_out_and_left_as_it_was() -> None:
    reason = why_alone(Branching(64, 10), Recipe(), Protocol(), (1, 8, 8), FLOAT32)
    assert reason is not None
    assert "data-dependent control flow" in reason
    assert "\n" not in reason
    for name in ARCHITECTURES:
        model = network(name, 0)
        before = snapshot(model)
        assert why_alone(model, Recipe(), Protocol(), (1, 8, 8), FLOAT32) is None
        assert torch.equal(snapshot(model), before)


class Reads(TorchDispatchMode):
    """Counts how often a number is fetched from where the arithmetic happens."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


def test_an_update_waits_for_no_number() -> None:
    models = [network("cnn-2conv-dropout", seed) for seed in range(2)]
    stack = Stack(models, Recipe(), 4, pixels=Pixels(1 / 255), autocast=FLOAT32)
    images, labels = torch.zeros(2, 5, 1, 8, 8, dtype=torch.uint8), torch.zeros(2, 5).long()
    with stack.seeded([1, 2]), Reads() as reads:
        loss = stack.update(images, labels)
        assert reads.count == 0
        loss[0].item()
        assert reads.count == 1
