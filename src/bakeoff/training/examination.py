"""What is wrong with a network, found in seconds and without training.

A few real images go forward and back at two batch sizes, and the faults that cost people days are
looked for one by one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from bakeoff.data.dataset import Dataset
from bakeoff.data.split import split_of
from bakeoff.engine.devices import place
from bakeoff.errors import NetworkError
from bakeoff.networks.build import start, too_large
from bakeoff.networks.given import MisfitError
from bakeoff.networks.known import network_of
from bakeoff.networks.network import Network
from bakeoff.networks.trouble import told
from bakeoff.study.study import Entrant, Study
from bakeoff.training.examined import SMALL, Examined, Finding, Sample
from bakeoff.training.gradients import Gradient, gradient_findings, hidden_numbers
from bakeoff.training.memory import is_out_of_memory
from bakeoff.training.trial import pixels_of

_SOME = 16
"""Images that are enough to compare answers."""

_CLOSE = 1e-3
"""Of the largest logit: what rounding may do where images are computed in other company."""

_ENOUGH = 30
"""Numbers between 0 and 1 after which it is no chance."""


def examine(network: Network, sample: Sample, initialisation: str) -> list[Finding]:
    """Return what is wrong with a network: nothing, if it can be trained and scored.

    Where it cannot be made, or its outputs are no logits, nothing else is looked at.
    """
    try:
        if complaint := too_large(network, sample.shape, sample.classes):
            return [Finding("refuse", complaint)]
        first, second = (
            place(
                start(
                    network, sample.shape, sample.classes,
                    initialisation=initialisation, seed=seed,
                ),
                sample.device,
            )
            for seed in (0, 1)
        )  # fmt: skip
        # Whatever it did to PyTorch when it was imported may show anywhere.
        with told(f"{network.name} cannot be examined", network.source):
            return list(_findings(Examined(network, first, second, sample)))
    except MisfitError as error:
        return [Finding("refuse", str(error), error.key)]
    except NetworkError as error:
        return [Finding("refuse", str(error))]
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        line = f"{network.name} does not fit into memory; make it smaller, or the batches"
        return [Finding("refuse", line)]


def _findings(examined: Examined) -> Iterator[Finding]:
    yield from _same_start(examined)
    gradients = [Gradient.of(examined, size) for size in examined.sample.sizes]
    if examined.sample.last_alone:
        try:
            Gradient.of(examined, 1)
        except NetworkError as error:
            yield Finding("refuse", _of_a_last_batch(examined, error))
    yield from gradient_findings(examined, gradients)
    mixed = list(_mixed_rows(examined))
    yield from mixed
    with torch.no_grad():
        unsteady = list(_unsteady(examined))
        yield from unsteady
        if unsteady:
            return  # What follows compares answers.
        if not mixed:
            yield from _company(examined)
        if not hidden_numbers(gradients):
            yield from _reloaded(examined)
        yield from _already_probabilities(examined)


def _same_start(examined: Examined) -> Iterator[Finding]:
    """Find seeds that have no say in the weights. A constant, as a bias of 0, tells nothing."""
    if examined.network.given is not None:
        return  # As it is meant to be.
    pairs = zip(examined.first.parameters(), examined.second.parameters(), strict=True)
    drawn = [(a, b) for a, b in pairs if a.requires_grad and bool((a != a.flatten()[:1]).any())]
    if drawn and all(torch.equal(a, b) for a, b in drawn):
        yield Finding(
            "warn",
            f"{examined.name} starts from the same weights for every seed: "
            "let it set no seed and load no weights, else seeds show less spread than there is",
        )
    if not drawn:
        yield Finding(
            "warn", f"{examined.name} starts from constant weights, the same for every seed"
        )


def _of_a_last_batch(examined: Examined, error: NetworkError) -> str:
    sample = examined.sample
    return (
        f"{error}; {sample.training_examples:,} training images in batches of "
        f"{sample.batch_size} leave a last batch of one: choose another batch_size, "
        "or one image less (train_examples)"
    )


def _mixed_rows(examined: Examined) -> Iterator[Finding]:
    """Find logits that are computed from other images than their own."""
    images = examined.sample.batch(SMALL).requires_grad_()
    logits = examined.logits(images, examined.first, "evaluation")
    if not logits.requires_grad:
        return
    # Weights that differ, since a sum over the outputs of a softmax has no gradient.
    outcome = (logits[0] * torch.arange(1, logits.shape[1] + 1, device=logits.device)).sum()
    with examined.running("cannot be differentiated", len(images)):
        outcome.backward()
    examined.first.zero_grad(set_to_none=True)
    gradient = images.grad
    # Where a gradient is not finite, it tells nothing, and has been found already.
    if gradient is not None and bool((gradient[1:].abs() > 0).any()):
        yield Finding(
            "refuse",
            f"{examined.name}: the logits of an image are computed from other images of its batch "
            "in evaluation; look for a view, mean or softmax over the first side, or a BatchNorm "
            "without running statistics",
        )


def _unsteady(examined: Examined) -> Iterator[Finding]:
    """Find answers to the same images, in evaluation, that differ."""
    name, images = examined.name, examined.sample.batch(_SOME)
    once = examined.logits(images, examined.first, "evaluation")
    if _differ(once, examined.logits(images, examined.first, "evaluation")):
        yield Finding(
            "refuse",
            f"{name} gives two answers to the same image in evaluation, though it draws the same "
            "random numbers: it keeps a state of its own, or numbers that no seed rules",
        )
    elif _differ(once, examined.logits(images, examined.first, "evaluation", seed=1)):
        yield Finding(
            "warn",
            f"{name} gives two answers to the same image in evaluation (dropout that does not ask "
            "self.training?); its scores will be those of one draw",
        )


def _company(examined: Examined) -> Iterator[Finding]:
    """Find logits that are others where an image is alone."""
    images = examined.sample.batch(SMALL)
    together = examined.logits(images, examined.first, "evaluation")
    each = [examined.logits(image, examined.first, "evaluation") for image in images.split(1)]
    if _differ(together, torch.cat(each)):
        yield Finding(
            "warn",
            f"{examined.name}: the logits of an image in evaluation differ with its company, by a "
            "branch that depends on the whole batch; its scores will be those of one order",
        )


def _reloaded(examined: Examined) -> Iterator[Finding]:
    """Find what no file keeps: the same state has to give the same logits."""
    images = examined.sample.batch(SMALL)
    once = examined.logits(images, examined.first, "evaluation")
    examined.second.load_state_dict(examined.first.state_dict())
    if _differ(once, examined.logits(images, examined.second, "evaluation")):
        yield Finding(
            "refuse",
            f"{examined.name}: its saved weights do not give the same logits once they are loaded: "
            "what it draws when it is made must be a parameter or a buffer (register_buffer)",
        )


def _already_probabilities(examined: Examined) -> Iterator[Finding]:
    """Find a softmax or sigmoid before the loss, which has one of its own."""
    name, classes = examined.name, examined.sample.classes
    images = examined.sample.batch(_SOME)
    logits = examined.logits(images, examined.first, "evaluation")
    within = bool(((logits >= 0) & (logits <= 1)).all())
    sums = logits.sum(dim=1)
    if within and torch.allclose(sums, torch.ones_like(sums), atol=1e-3):
        lowest = math.log(math.e + classes - 1) - 1
        yield Finding(
            "warn",
            f"{name} ends in a softmax (its outputs are not negative and sum to 1), and the loss "
            f"takes another: it cannot fall below {lowest:.2f}; return the logits before it",
        )
    elif within and bool((logits > 0).all()) and logits.numel() >= _ENOUGH:
        yield Finding(
            "warn",
            f"{name} ends in a sigmoid (all its outputs lie between 0 and 1), and the loss takes a "
            "softmax of them; return the logits before it",
        )


def _differ(some: torch.Tensor, others: torch.Tensor) -> bool:
    """Return whether logits differ by more than rounding."""
    return bool((some - others).abs().max() > _CLOSE * some.abs().max())


def findings_of(
    study: Study, entrant: Entrant, dataset: Dataset, device: torch.device
) -> list[Finding]:
    """Return what is wrong with the network of an entrant, on images that it would train on."""
    split, recipe = split_of(study, 0, dataset), entrant.recipe
    sample = Sample(
        images=torch.from_numpy(dataset.train_images[split.train[: max(recipe.batch_size, 2)]]),
        pixels=pixels_of(study.protocol, dataset, device),
        classes=len(dataset.classes),
        batch_size=recipe.batch_size,
        training_examples=len(split.train),
        device=device,
    )
    return examine(network_of(*entrant.network), sample, recipe.initialisation)
