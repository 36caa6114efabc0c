"""The parts of bakeoff that benchmarks set beside others: the one place that knows its engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from bakeoff.data.dataset import Dataset
from bakeoff.data.readers.mnist import load_mnist
from bakeoff.data.split import split_of
from bakeoff.engine import claimed_process, fast
from bakeoff.engine.devices import place
from bakeoff.engine.loss import CrossEntropy
from bakeoff.engine.pixels import Pixels
from bakeoff.engine.step import Update, make_update
from bakeoff.records.record import Epoch
from bakeoff.study.recipe import Recipe
from bakeoff.study.study import Entrant, Study
from bakeoff.study.toml import find_study, read_study
from bakeoff.training.fit import Examples, Streams, fit
from bakeoff.training.optimizers import make_optimizer
from bakeoff.training.predict import predict_logits
from bakeoff.training.trial import autocast_for, build_entrant, pixels_of, to_device

CPU = torch.device("cpu")
PRECISIONS = ("float32", "bfloat16")

TRAIN_EXAMPLES = 54_000
VALIDATION_EXAMPLES = 6_000
"""What an epoch of the study `assignment` trains on, and scores."""
TRIAL_EXAMPLES = 1_000


@dataclass(frozen=True)
class Task:
    """One entrant to be trained on the first of its own training examples."""

    study: Study
    entrant: Entrant
    examples: int
    validation: int
    """How many held-out examples are scored after each epoch."""
    epochs: int
    precision: str

    @property
    def dataset(self) -> Dataset:
        """MNIST, read once per process."""
        return load_mnist()

    @property
    def recipe(self) -> Recipe:
        """The entrant's recipe with this number of epochs, all of which are trained."""
        changes = {"epochs": self.epochs, "target_validation_accuracy": None}
        return self.entrant.recipe.model_copy(update=changes)

    @property
    def pixels(self) -> Pixels:
        """What the network sees of bytes."""
        return pixels_of(self.study.protocol, load_mnist(), CPU)

    @property
    def scale(self) -> float:
        """What pixels are multiplied by."""
        return float(self.pixels.scale)

    def network(self) -> nn.Module:
        """Return the network as it starts, plain and in the default memory layout."""
        placed = build_entrant(self.study, self.entrant, 0, self.dataset, CPU)
        return placed.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload,no-any-return]

    def data(self) -> tuple[Examples, Examples]:
        """Return the examples that train and those that validate: uint8 images, int64 labels."""
        split = split_of(self.study, 0, self.dataset)
        images, labels = self.dataset.train_images, self.dataset.train_labels
        train = to_device(images, labels, split.train[: self.examples], CPU)
        return train, to_device(images, labels, split.validation[: self.validation], CPU)

    def test(self) -> Examples:
        """Return all test examples."""
        labels = self.dataset.test_labels
        return to_device(self.dataset.test_images, labels, np.arange(len(labels)), CPU)


def assignment() -> Study:
    """Return the study whose networks, recipes and batch sizes the benchmarks train."""
    return read_study(find_study("assignment"))


@dataclass(frozen=True)
class Fitted:
    """bakeoff's own training of a task: from the same weights each time it is made ready."""

    task: Task
    model: nn.Module
    train: Examples
    validation: Examples

    def fit(self) -> list[Epoch]:
        """Train all epochs as a trial does; return the history."""
        with claimed_process(torch.get_num_threads()):
            history, _ = fit(
                self.model,
                self.task.recipe,
                self.train,
                self.validation,
                Streams(self.task.study.study_seed, 0, self.task.entrant.name),
                pixels=self.task.pixels,
                autocast=autocast_for(CPU, self.task.precision),
                on_epoch=lambda _: None,
            )
        return history

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Return float32 logits [n, classes] of uint8 images."""
        return predict_logits(self.model, images, self.task.pixels)


def start_fit(task: Task) -> Fitted:
    """Return bakeoff's training of a task, ready to go."""
    train, validation = task.data()
    return Fitted(task, place(task.network(), CPU), train, validation)


@dataclass(frozen=True)
class SameTricks:
    """What the engine makes a step fast with, for a loop of one's own around it."""

    model: nn.Module
    """The plain network, which is scored."""
    twin: nn.Module
    """What takes the steps; its parameters are the model's."""
    update: Update
    """Moves the weights by one batch."""


def same_tricks(task: Task) -> SameTricks:
    """Return model and update as bakeoff's `fit` takes them."""
    model = place(task.network(), CPU)
    twin = fast(model)
    autocast = autocast_for(CPU, task.precision)
    optimizer = make_optimizer(model, task.recipe)
    loss = CrossEntropy(task.recipe.label_smoothing or 0.0)
    update = make_update(twin, optimizer, task.pixels, autocast, loss)
    return SameTricks(model, twin, update)


def validation_pass(task: Task) -> Callable[[], float]:
    """Return a function that scores the validation examples as bakeoff does after an epoch."""
    model = fast(place(task.network(), CPU))
    _, validation = task.data()

    def score() -> float:
        logits = predict_logits(model, validation.images, task.pixels)
        loss = F.cross_entropy(logits, validation.labels).item()
        accuracy = (logits.argmax(1) == validation.labels).double().mean().item()
        return loss + accuracy

    return score


def accuracy(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """Return the share of labels that the largest logit names."""
    return (logits.argmax(1) == labels).double().mean().item()


def tasks(study: Study, names: Sequence[str], precisions: Sequence[str], epochs: int) -> list[Task]:
    """Return the entrants called `names` as tasks of a size that is yet to be found."""
    return [
        Task(study, entrant, TRIAL_EXAMPLES, validation_for(TRIAL_EXAMPLES), epochs, precision)
        for precision in precisions
        for entrant in study.entrants
        if entrant.name in names
    ]


def sized(task: Task, seconds: float) -> Task:
    """Return the task with as many examples as bakeoff's `fit` trains in about `seconds`."""
    start_fit(task).fit()
    ready = start_fit(task)
    started = time.perf_counter()
    ready.fit()
    per_example = (time.perf_counter() - started) / task.epochs / task.examples
    batch_size = task.entrant.recipe.batch_size
    # Whole batches, and more than one.
    batches = max(2, round(seconds / task.epochs / per_example / batch_size))
    return with_examples(task, min(batches * batch_size, TRAIN_EXAMPLES))


def with_examples(task: Task, examples: int) -> Task:
    """Return the task with this many examples, and as many to validate as is their share."""
    return replace(task, examples=examples, validation=validation_for(examples))


def validation_for(examples: int) -> int:
    """Return how many examples validate, as 6,000 do beside 54,000."""
    return max(1, examples * VALIDATION_EXAMPLES // TRAIN_EXAMPLES)
