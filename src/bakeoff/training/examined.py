"""A network that is looked at: run on a few real images, its outputs held to what logits are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from bakeoff.engine.pixels import Pixels
from bakeoff.errors import NetworkError
from bakeoff.networks.guest import LIMIT, guest, shared_settings
from bakeoff.networks.network import Network
from bakeoff.networks.randomness import own_numbers
from bakeoff.networks.trouble import told

Mode = Literal["training", "evaluation"]

SMALL = 3
"""Images of the batch that is not the study's."""


@dataclass(frozen=True)
class Finding:
    """A fault of a network, in one line that says what to do."""

    severity: Literal["refuse", "warn"]
    """`refuse`: it cannot be trained, or its scores would mean nothing."""
    line: str
    key: str = "architecture"
    """Of the entrant: what has to be mended."""


@dataclass(frozen=True)
class Sample:
    """What a network is examined on."""

    images: torch.Tensor
    """uint8 [n, channels, height, width]: some of the training images, one at least."""
    pixels: Pixels
    """uint8 images -> the float32 images that the network is given."""
    classes: int
    batch_size: int
    """Of the study."""
    training_examples: int
    """How many there are in an epoch."""
    device: torch.device

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        channels, height, width = self.images.shape[1:]
        return channels, height, width

    def batch(self, size: int) -> torch.Tensor:
        """Return the first images, as a network is given them; all where there are fewer."""
        return self.pixels(self.images[:size].to(self.device))

    @property
    def sizes(self) -> list[int]:
        """The sizes of two batches: the study's, and another."""
        own = min(self.batch_size, len(self.images))
        return [own, SMALL if own != SMALL else 2]

    @property
    def last_alone(self) -> bool:
        """Whether the last batch of an epoch has a single image."""
        return self.training_examples % self.batch_size == 1 or self.batch_size == 1


@dataclass(frozen=True)
class Examined:
    """A network of two seeds, and what it is examined on."""

    network: Network
    first: nn.Module
    second: nn.Module
    sample: Sample

    @property
    def name(self) -> str:
        """What lines call it: its class, unless that is one of torch's."""
        kind = type(self.first)
        return self.network.name if kind.__module__.startswith("torch.") else kind.__name__

    @contextmanager
    def running(self, what: str, images: int, seed: int = 0) -> Iterator[None]:
        """Let the network's code run on so many images; tell in one line where it fails."""
        line = f"{self.name}.forward {what} on {images} x {list(self.sample.shape)}"
        seconds = LIMIT + 2 * images
        with told(line, self.network.source), guest(self.name, seconds), own_numbers(seed):
            yield

    def logits(
        self, images: torch.Tensor, model: nn.Module, mode: Mode, seed: int = 0
    ) -> torch.Tensor:
        """Return what `model` gives for images; raise NetworkError unless it is logits."""
        model.train(mode == "training")
        with self.running(f"fails in {mode}", len(images), seed):
            before = shared_settings()
            given = model(images.clone())  # It may write into them.
            changed = shared_settings() != before
        if changed:
            raise NetworkError(
                f"{self.name}.forward changes a setting of torch that all entrants share, as "
                "set_default_dtype or set_num_threads does; leave that to whoever runs it"
            )
        if isinstance(given, torch.Tensor):
            for complaint in self._complaints(given, images, mode):
                raise NetworkError(complaint)
            return given
        kind = "nothing" if given is None else f"a {type(given).__name__}"
        raise NetworkError(
            f"{self.name}.forward returned {kind} in {mode}, {self._needed}: "
            "return the logits alone"
        )

    @property
    def _needed(self) -> str:
        return f"a tensor [n, {self.sample.classes}] is needed"

    def _complaints(self, given: torch.Tensor, images: torch.Tensor, mode: Mode) -> Iterator[str]:
        """Yield why what a network gave for images is not logits; the first is the reason."""
        classes, forward = self.sample.classes, f"{self.name}.forward"
        shown = f"{len(images)} x {list(self.sample.shape)}"
        if given.dim() != 2:
            yield (
                f"{forward} returned a tensor {list(given.shape)} for {shown} in {mode}, "
                f"{self._needed} also for one image (a squeeze, or no flatten?)"
            )
        if len(given) != len(images):
            yield (
                f"{forward}: {len(given)} rows came back for {len(images)} images "
                f"{list(self.sample.shape)}; the first side of a view must be the batch's"
            )
        if given.shape[1] != classes:
            yield (
                f"{self.name} gives {given.shape[1]} numbers per image, the data have {classes} "
                "classes; let the last layer have as many outputs as `classes` says"
            )
        if given.dtype != torch.float32:
            kind = str(given.dtype).removeprefix("torch.")
            yield f"{forward} returned {kind} in {mode}, float32 is needed; end with .float()"
        if given.device != images.device:
            yield (
                f"{forward} returned a tensor on {given.device} for images on {images.device}; "
                "let it stay where the images are"
            )
        wrong = given.isfinite().all(dim=1).logical_not().nonzero()
        if len(wrong):
            yield (
                f"{forward}: the logits of image {int(wrong[0])} are not finite in {mode} "
                f"({len(wrong)} of {len(images)} images); a division by 0, or a log of it?"
            )
