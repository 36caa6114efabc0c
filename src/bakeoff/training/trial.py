"""One trial: an entrant and a seed, what its training starts from, and what it leaves."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bakeoff.data.augmentation import Augmenter
from bakeoff.data.dataset import Dataset
from bakeoff.data.split import Split, split_of
from bakeoff.engine.devices import place
from bakeoff.engine.loss import balanced
from bakeoff.engine.pixels import Pixels
from bakeoff.networks.build import start
from bakeoff.networks.known import network_of
from bakeoff.networks.trouble import told
from bakeoff.records.record import Record
from bakeoff.study.protocol import Protocol
from bakeoff.study.recipe import Recipe
from bakeoff.study.seeds import derive_seed
from bakeoff.study.study import Entrant, Study
from bakeoff.training.fit import Examples, Streams
from bakeoff.training.size import NetworkSize


@dataclass(frozen=True)
class TrialSpec:
    """All that a trial depends on."""

    study: Study
    entrant: Entrant
    seed: int
    dataset: Dataset
    device: torch.device
    precision: str
    """`float32`, or `bfloat16` for autocast. Scores are float32 either way."""
    size: NetworkSize
    """Of the entrant's network."""

    @property
    def split(self) -> Split:
        """The examples that train and those that validate, shared by all entrants of the seed."""
        return split_of(self.study, self.seed, self.dataset)

    @property
    def streams(self) -> Streams:
        """Where the random choices of the training come from."""
        return Streams(self.study.study_seed, self.seed, self.entrant.name)

    @property
    def augmenter(self) -> Augmenter | None:
        """What changes the training images, the same for all entrants of the seed."""
        return augmenter_of(self.study, self.seed, self.dataset)

    @property
    def conditions(self) -> dict[str, str]:
        """What a record says of study, data and precision, by its name in the provenance."""
        return {
            "study_hash": self.study.hash,
            "data_hash": self.dataset.sha256,
            "precision": self.precision,
        }

    @property
    def pixels(self) -> Pixels:
        """What the network sees of the bytes of an image."""
        return pixels_of(self.study.protocol, self.dataset, self.device)

    def network(self) -> nn.Module:
        """Return the entrant's network as it starts the trial, on the device that trains."""
        return build_entrant(self.study, self.entrant, self.seed, self.dataset, self.device)

    def examples(self, chosen: NDArray[np.int64]) -> Examples:
        """Return the chosen training examples, on the device that trains."""
        return examples_of(self.dataset, "train", chosen, self.device)

    def test_examples(self) -> Examples:
        """Return the test examples, on the device that trains."""
        every = np.arange(len(self.dataset.test_labels))
        return examples_of(self.dataset, "test", every, self.device)


@dataclass(frozen=True)
class Trial:
    """What is left when a trial ends: all that a run folder keeps of it."""

    record: Record
    weights: dict[str, torch.Tensor]
    """The state of the model that the record speaks of, on the CPU, contiguous."""
    predictions: dict[str, NDArray[np.float32] | NDArray[np.int64]]
    """`validation_index`, and logits and labels of validation and test; empty where diverged."""


def pixels_of(protocol: Protocol, dataset: Dataset, device: torch.device) -> Pixels:
    """Return what networks see of the bytes of an image, as the protocol has it."""
    if protocol.pixels == "scaled-once":
        return Pixels(1 / 255)
    if protocol.pixels == "scaled-twice":
        return Pixels(1 / 255 / 255)
    mean, deviation = (
        torch.tensor(each, dtype=torch.float32, device=device).view(-1, 1, 1)
        for each in dataset.channels
    )
    return Pixels(1 / deviation, -mean / deviation)


def augmenter_of(study: Study, seed: int, dataset: Dataset) -> Augmenter | None:
    """Return what changes the training images of a trial seed; None where nothing does."""
    asked = study.protocol.augmentation
    if asked is None:
        return None
    return Augmenter(asked, study.study_seed, seed, len(dataset.classes))


def autocast_for(device: torch.device, precision: str) -> torch.autocast:
    """Return what the forward pass of a training step runs under."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bfloat16")


def class_weights_of(recipe: Recipe, labels: torch.Tensor, dataset: Dataset) -> torch.Tensor | None:
    """Return how much each class counts where these train, int64 [n]; None where all do alike."""
    return None if recipe.class_weights is None else balanced(labels, len(dataset.classes))


def build_entrant(
    study: Study, entrant: Entrant, seed: int, dataset: Dataset, device: torch.device
) -> nn.Module:
    """Return the entrant's network on `device`, as it starts the trial with this seed."""
    model = start(
        network_of(*entrant.network),
        dataset.image_shape,
        len(dataset.classes),
        initialisation=entrant.recipe.initialisation,
        seed=derive_seed(
            "initialisation", study_seed=study.study_seed, trial_seed=seed, entrant=entrant.name
        ),
    )
    return place(model, device)


@contextmanager
def code_of(entrant: Entrant, doing: str = "") -> Iterator[None]:
    """Raise NetworkError, in one line that names the entrant, for what code of the user's raises.

    doing: what may follow the name. A fault in a network that ships is a fault of ours, and passes.
    """
    with ExitStack() as lasting:
        if ":" in entrant.architecture:
            lasting.enter_context(told(entrant.name + doing, network_of(*entrant.network).source))
        yield


def examples_of(
    dataset: Dataset,
    part: Literal["train", "test"],
    chosen: NDArray[np.int64],
    device: torch.device,
) -> Examples:
    """Return the chosen images and labels of a part, on `device`.

    Images that lie in a file stay there, but for a GPU, which needs them all.
    """
    images, labels = (
        (dataset.train_images, dataset.train_labels)
        if part == "train"
        else (dataset.test_images, dataset.test_labels)
    )
    if not dataset.mapped or device.type != "cpu":
        return to_device(images, labels, chosen, device)
    rows = None if len(chosen) == len(labels) else torch.from_numpy(chosen)
    return Examples(tensor_of(images), torch.from_numpy(labels[chosen]), rows)


def tensor_of(images: NDArray[np.uint8]) -> torch.Tensor:
    """Return the same memory as a tensor, which nobody writes to."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(images)


def to_device(
    images: NDArray[np.uint8],
    labels: NDArray[np.int64],
    chosen: NDArray[np.int64],
    device: torch.device,
) -> Examples:
    """Return the chosen images and labels as tensors on `device`."""
    return Examples(
        torch.from_numpy(images[chosen]).to(device), torch.from_numpy(labels[chosen]).to(device)
    )
