from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal
from unittest.mock import patch

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bakeoff.data.dataset import Dataset
from bakeoff.data.order import epoch_order
from bakeoff.engine.devices import place
from bakeoff.engine.loss import balanced
from bakeoff.engine.pixels import Pixels
from bakeoff.engine.step import Step
from bakeoff.networks.build import build
from bakeoff.networks.given import hold_still
from bakeoff.records.record import Epoch, Stopped
from bakeoff.study.recipe import Recipe
from bakeoff.training.fit import Examples, Streams, divergence, fit, planned_end
from bakeoff.training.loop import EpochLoss

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
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> tuple[list[Epoch], Stopped]:
    return fit(
        model,
        recipe,
        train,
        validation,
        Streams(entrant=entrant, **SEEDS),
        pixels=Pixels(scale),
        autocast=torch.autocast("cpu", dtype=precision, enabled=precision is not None),
        on_epoch=on_epoch,
    )


def snapshot(model: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().contiguous().flatten() for p in model.parameters()])


@contextmanager
def after_each_step(call: Callable[[], None]) -> Iterator[None]:
    step = Step.__call__

    def told(self: Step, *batch: torch.Tensor) -> torch.Tensor:
        loss = step(self, *batch)
        call()
        return loss

    with patch.object(Step, "__call__", told):
        yield


def test_a_recipe_with_everything_is_the_plain_loop_with_everything(mnist: Dataset) -> None:
    """AdamW that spares norms and biases, a cosine with warm-up, clipping, weights, an average."""
    train, held_out = examples(mnist, 0, 60), examples(mnist, 200, 230)
    recipe = Recipe(
        optimizer="adamw",
        epsilon=1e-3,  # Else rounding decides where a tiny gradient leads.
        learning_rate=0.01,
        schedule="cosine",
        warmup=0.25,
        weight_decay=0.1,
        decay_norms_and_biases=False,
        clip=0.2,
        average=0.5,
        class_weights="balanced",
        label_smoothing=0.1,
        batch_size=25,
        epochs=2,
    )
    model, plain = place(network("cnn-3conv"), CPU), network("cnn-3conv")
    weights = balanced(train.labels, 10)
    history, _ = fit(
        model,
        recipe,
        train,
        held_out,
        Streams(entrant="e", **SEEDS),
        pixels=Pixels(1 / 255),
        autocast=torch.autocast("cpu", enabled=False),
        class_weights=weights,
        on_epoch=lambda _: None,
    )
    decaying = [each for each in plain.parameters() if each.dim() > 1]
    spared = [each for each in plain.parameters() if each.dim() == 1]
    optimizer = torch.optim.AdamW(
        [
            {"params": decaying, "weight_decay": 0.1},
            {"params": spared, "weight_decay": 0.0},
        ],
        lr=0.01,
        eps=1e-3,
    )
    averages = {name: value.clone() for name, value in plain.state_dict().items()}
    rates = [1 / 3, 2 / 3, *(0.5 * (1 + math.cos(math.pi * step / 4)) for step in range(4))]
    norms, step = [], 0
    for epoch in (1, 2):
        for batch in epoch_order(60, epoch=epoch, **SEEDS).split(25):
            for group in optimizer.param_groups:
                group["lr"] = 0.01 * rates[step]
            logits = plain.train()(train.images[batch].float() / 255)
            optimizer.zero_grad()
            F.cross_entropy(
                logits, train.labels[batch], weight=weights, label_smoothing=0.1
            ).backward()
            norms.append(torch.nn.utils.clip_grad_norm_(plain.parameters(), 0.2).item())
            optimizer.step()
            step += 1
            for name, value in plain.state_dict().items():
                keep = min(0.5, (1 + step) / (10 + step))
                if value.is_floating_point():
                    averages[name] = keep * averages[name] + (1 - keep) * value
    assert max(norms) > 0.2
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value.contiguous(), averages[name], rtol=1e-3, atol=1e-4)
    plain.load_state_dict({**plain.state_dict(), **averages})
    logits = plain.eval()(held_out.images.float() / 255)
    expected = F.cross_entropy(logits, held_out.labels).item()
    assert history[-1].validation_loss == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "scale", "tolerance"),
    [
        ("logistic-regression", 1 / 255, 5e-4),
        ("logistic-regression", 1 / 255 / 255, 1e-5),
        ("mlp-2x200", 1 / 255 / 255, 1e-4),
        # Rounding decides near-ties of the pooling, and so which pixel a gradient goes to; Adam's
        # first steps then have the size of the rate however small that gradient is.
        ("cnn-2conv", 1 / 255, 5e-3),
        ("cnn-2conv-dropout", 1 / 255, 5e-3),
    ],
)
def test_the_weights_after_each_step_are_those_of_the_reference_loop(
    name: str, scale: float, tolerance: float, mnist: Dataset
) -> None:
    # 60 examples in batches of 25: the last batch of each epoch is smaller.
    train = examples(mnist, 0, 60)
    recipe = Recipe(batch_size=25, epochs=2)
    model, plain = place(network(name), CPU), network(name).double()
    start = snapshot(plain)
    real: list[torch.Tensor] = []
    expected: list[torch.Tensor] = []
    with after_each_step(lambda: real.append(snapshot(model))):
        history, _ = fitted(model, recipe, train, examples(mnist, 200, 230), scale=scale)
    with torch.random.fork_rng(devices=[]):
        reference = list(
            reference_loop.train(
                plain,
                train.images,
                train.labels,
                rate=0.001,
                batch_size=25,
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
        assert (ours - theirs).norm() < tolerance * moved, step
    for epoch, loss in zip(history, reference, strict=True):
        assert epoch.train_loss == pytest.approx(loss, rel=1e-5)


def test_losses_are_means_over_examples_though_the_last_batch_is_smaller(digits: Dataset) -> None:
    # A learning rate too small to move a float32 weight: every loss is that of the first weights.
    model = network("mlp-2x200", (1, 8, 8))
    train, validation = examples(digits, 0, 103), examples(digits, 200, 251)
    recipe = Recipe(batch_size=50, epochs=1, learning_rate=1e-30)
    before = snapshot(model)
    (epoch,), _ = fitted(model, recipe, train, validation)
    assert torch.equal(snapshot(model), before)
    with torch.inference_mode():
        each = reference_loop.losses(model(train.images / 255), train.labels)
        held_out = model(validation.images / 255)
        of_validation = reference_loop.losses(held_out, validation.labels)
    assert epoch.train_loss == pytest.approx(each.mean().item(), rel=1e-5)
    batch_means = torch.stack([part.mean() for part in each.split(50)])
    assert epoch.train_loss != pytest.approx(batch_means.mean().item(), rel=1e-5)
    assert epoch.validation_loss == pytest.approx(of_validation.mean().item(), rel=1e-5)
    right = int((held_out.argmax(1) == validation.labels).sum())
    assert epoch.validation_accuracy == pytest.approx(right / 51)


@pytest.mark.parametrize("name", ["logistic-regression", "cnn-2conv"])
def test_label_smoothing_spreads_its_share_of_the_targets_in_training_alone(
    name: str, digits: Dataset
) -> None:
    train, validation = examples(digits, 0, 50), examples(digits, 50, 80)
    recipe = Recipe(batch_size=50, epochs=1, label_smoothing=0.2)
    model = network(name, digits.image_shape)
    with torch.no_grad():
        log_probabilities = model(train.images / 255).log_softmax(1).double()
    targets = torch.full((50, 10), 0.02, dtype=torch.float64)
    targets[torch.arange(50), train.labels] = 0.82
    history, _ = fitted(model, recipe, train, validation)
    expected = -(targets * log_probabilities).sum(1).mean()
    assert history[0].train_loss == pytest.approx(expected.item(), rel=1e-5)
    with torch.no_grad():
        log_probabilities = model.eval()(validation.images / 255).log_softmax(1)
    of_labels = -log_probabilities[torch.arange(30), validation.labels]
    assert history[0].validation_loss == pytest.approx(of_labels.mean().item(), rel=1e-5)


def test_the_budget_is_used_without_a_target(digits: Dataset) -> None:
    heard: list[Epoch] = []
    history, stopped = fitted(
        network("logistic-regression", (1, 8, 8)),
        Recipe(epochs=3),
        examples(digits, 0, 100),
        examples(digits, 100, 150),
        on_epoch=heard.append,
    )
    assert [epoch.epoch for epoch in history] == [1, 2, 3]
    assert stopped == Stopped(epoch=3, reason="budget used")
    assert heard == history
    assert all(epoch.seconds > 0 for epoch in history)


def test_training_stops_after_the_first_epoch_that_reaches_the_target(digits: Dataset) -> None:
    recipe = Recipe(epochs=40, learning_rate=0.01, target_validation_accuracy=0.7)
    history, stopped = fitted(
        network("logistic-regression", (1, 8, 8)),
        recipe,
        examples(digits, 0, 300),
        examples(digits, 300, 400),
    )
    assert 1 < len(history) < 40
    assert stopped == Stopped(epoch=len(history), reason="target reached")
    assert [epoch.validation_accuracy >= 0.7 for epoch in history[:-1]] == [False] * (
        len(history) - 1
    )
    assert history[-1].validation_accuracy >= 0.7


def test_a_target_that_is_never_reached_ends_at_the_budget(digits: Dataset) -> None:
    _, stopped = fitted(
        network("logistic-regression", (1, 8, 8)),
        Recipe(epochs=2, target_validation_accuracy=1.0),
        examples(digits, 0, 100),
        examples(digits, 100, 200),
    )
    assert stopped == Stopped(epoch=2, reason="target not reached")


def test_an_epoch_whose_loss_is_not_finite_ends_the_training(digits: Dataset) -> None:
    history, stopped = fitted(
        network("mlp-2x200", (1, 8, 8)),
        Recipe(epochs=5, learning_rate=1e30),
        examples(digits, 0, 200),
        examples(digits, 200, 300),
    )
    assert stopped == Stopped(epoch=len(history) + 1, reason="loss not finite", step=2)
    assert len(history) < 5
    assert all(epoch.train_loss < float("inf") for epoch in history)


def test_validation_does_not_shift_dropout_or_order(digits: Dataset) -> None:
    def weights(validation: Examples) -> torch.Tensor:
        model = network("cnn-2conv-dropout", (1, 8, 8))
        fitted(model, Recipe(epochs=2), examples(digits, 0, 100), validation)
        return snapshot(model)

    few, many = examples(digits, 100, 101), examples(digits, 100, 400)
    assert torch.equal(weights(few), weights(many))


def test_dropout_follows_the_entrants_name_and_order_does_not(digits: Dataset) -> None:
    def weights(name: str, entrant: str) -> torch.Tensor:
        model = network(name, (1, 8, 8))
        recipe = Recipe(epochs=1)
        fitted(model, recipe, examples(digits, 0, 100), examples(digits, 100, 150), entrant=entrant)
        return snapshot(model)

    assert torch.equal(weights("mlp-2x200", "a"), weights("mlp-2x200", "b"))
    assert not torch.equal(weights("cnn-2conv-dropout", "a"), weights("cnn-2conv-dropout", "b"))


def test_every_epoch_and_trial_seed_drops_other_features() -> None:
    seeds = {
        Streams(study, trial, name).dropout_seed(epoch)
        for study in (0, 1)
        for trial in (0, 1)
        for name in ("a", "b")
        for epoch in (1, 2)
    }
    assert len(seeds) == 16


def test_a_fit_leaves_the_global_random_state_alone(digits: Dataset) -> None:
    before = torch.random.get_rng_state()
    fitted(
        network("cnn-2conv-dropout", (1, 8, 8)),
        Recipe(epochs=1),
        examples(digits, 0, 60),
        examples(digits, 60, 100),
    )
    assert torch.equal(torch.random.get_rng_state(), before)


def test_bfloat16_trains_other_weights_that_stay_float32_and_learn(digits: Dataset) -> None:
    def trained(precision: torch.dtype | None) -> tuple[nn.Module, float]:
        model = network("cnn-1conv", (1, 8, 8))
        history, _ = fitted(
            model,
            Recipe(epochs=3),
            examples(digits, 0, 500),
            examples(digits, 500, 700),
            precision=precision,
        )
        return model, history[-1].validation_accuracy

    half, accuracy = trained(torch.bfloat16)
    full, _ = trained(None)
    assert {p.dtype for p in half.parameters()} == {torch.float32}
    assert not torch.equal(snapshot(half), snapshot(full))
    assert accuracy > 0.7


# Where a training ends

FIXED = Recipe(epochs=3)
TARGET = Recipe(epochs=3, target_validation_accuracy=0.9)


@pytest.mark.parametrize(
    ("recipe", "epoch", "accuracy", "reason"),
    [
        (FIXED, 1, 1.0, None),
        (FIXED, 2, 0.0, None),
        (FIXED, 3, 1.0, "budget used"),
        (TARGET, 1, 0.8999, None),
        (TARGET, 1, 0.9, "target reached"),
        (TARGET, 3, 0.9, "target reached"),
        (TARGET, 3, 0.8999, "target not reached"),
        (TARGET, 2, float("nan"), None),
    ],
)
def test_training_ends_at_the_target_or_when_the_budget_is_used(
    recipe: Recipe, epoch: int, accuracy: float, reason: str | None
) -> None:
    end = planned_end(recipe, epoch, accuracy)
    expected = reason and Stopped.model_validate({"epoch": epoch, "reason": reason})
    assert end == expected


INFINITE, NO_NUMBER = float("inf"), float("nan")
NOT_FINITE = Stopped(epoch=4, reason="loss not finite")
TOO_LARGE = Stopped(epoch=4, reason="numbers too large")


@pytest.mark.parametrize(
    ("loss", "validation_loss", "stopped"),
    [
        (EpochLoss(0.0, None), 0.0, None),
        (EpochLoss(1e-45, None), 1e15, None),
        (EpochLoss(1e15, None), 1e-45, None),
        (EpochLoss(1.001e15, None), 0.5, TOO_LARGE),
        (EpochLoss(0.5, None), 4e20, TOO_LARGE),
        (EpochLoss(0.5, None), INFINITE, NOT_FINITE),
        (EpochLoss(4e20, None), NO_NUMBER, NOT_FINITE),
        (EpochLoss(NO_NUMBER, 2), 0.5, Stopped(epoch=4, reason="loss not finite", step=2)),
        (EpochLoss(INFINITE, 1), 4e20, Stopped(epoch=4, reason="loss not finite", step=1)),
    ],
)
def test_training_ends_where_a_loss_says_nothing_any_more(
    loss: EpochLoss, validation_loss: float, stopped: Stopped | None
) -> None:
    assert divergence(4, loss, validation_loss) == stopped
    assert stopped is None or stopped.diverged


def test_a_training_that_came_to_its_end_has_not_diverged() -> None:
    assert not any(
        Stopped.model_validate({"epoch": 1, "reason": reason}).diverged
        for reason in ("budget used", "target reached", "target not reached", "out of memory")
    )


@pytest.mark.parametrize(
    ("name", "trainable"),
    [
        ("mlp-2x200", ("1.weight", "5.*")),
        ("cnn-2conv", ("conv1.weight", "output.*")),
        ("cnn-2conv", ("hidden.bias",)),
        ("cnn-2conv", ("conv2.*", "hidden.weight")),
        ("cnn-3conv", ("norm1.bias", "output.*")),
    ],
)
@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_part_of_a_network_moves_as_in_a_plain_loop_and_the_rest_stays(
    name: str, trainable: tuple[str, ...], optimizer: Literal["adamw", "sgd"], digits: Dataset
) -> None:
    start, plain = network(name, (1, 28, 28)), network(name, (1, 28, 28))
    model = place(network(name, (1, 28, 28)), CPU)
    for each in (model, plain):
        hold_still(name, each, trainable)
    images = torch.from_numpy(digits.train_images[:60].copy())
    train = Examples(
        nn.functional.interpolate(images, size=(28, 28)), torch.from_numpy(digits.train_labels[:60])
    )
    # A rate by which one step leads to the same gradients, within rounding, in the next.
    recipe = Recipe(batch_size=30, epochs=1, optimizer=optimizer, learning_rate=1e-5)
    fitted(model, recipe, train, train)
    moving = [each for each in plain.parameters() if each.requires_grad]
    plain_optimizer = (
        torch.optim.AdamW(moving, lr=1e-5, weight_decay=0.0)
        if optimizer == "adamw"
        else torch.optim.SGD(moving, lr=1e-5, momentum=0.9, nesterov=True)
    )
    plain.train()
    order = Streams(entrant="e", **SEEDS).order(60, 1)
    for batch in order.split(30):
        plain_optimizer.zero_grad()
        logits = plain(train.images[batch] / 255)
        nn.functional.cross_entropy(logits, train.labels[batch]).backward()
        plain_optimizer.step()
    state = start.state_dict()
    stays = {key for key, each in model.state_dict().items() if torch.equal(each, state[key])}
    assert {
        key for key, each in plain.state_dict().items() if torch.equal(each, state[key])
    } == stays
    assert {key for key, each in model.named_parameters() if key not in stays} == {
        key for key, each in plain.named_parameters() if each.requires_grad
    }
    for key, each in model.state_dict().items():
        assert torch.allclose(each, plain.state_dict()[key], rtol=1e-5, atol=2e-6), key
