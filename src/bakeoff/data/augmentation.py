"""Training images, changed: a pure function of study seed, trial seed, epoch and image.

Which entrant looks, in which order, how many at a time and what came before is no part of it, so
pairs of entrants stay pairs, and a training that goes on inside an epoch sees what it would have.
Images are bytes before and after, so that nothing behind them needs to know.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Self

import numpy as np
import torch
from torch.nn import functional as F

from bakeoff.errors import StudyError
from bakeoff.study.augmentation import Augmentation
from bakeoff.study.seeds import derive_seed

_COLUMNS = (
    "across", "down", "flip", "rotate", "scale", "shear", "top", "left", "brightness", "contrast",
)  # fmt: skip
"""What is drawn of each image, asked for or not: so no key moves what another draws."""

_POINTS = 4
"""How many points lie from edge to edge where `elastic` draws how far they move."""

Batches = Callable[[torch.Tensor, int], Iterator[tuple[torch.Tensor, torch.Tensor]]]
"""(order, batch size) -> batches of uint8 images [b, channels, height, width] and int64 labels."""


@dataclass(frozen=True)
class Augmenter:
    """What changes the training images of one trial seed."""

    asked: Augmentation
    study_seed: int
    trial_seed: int
    classes: int

    def of_epoch(self, examples: int, epoch: int, device: torch.device) -> AugmentedEpoch:
        """Draw for each of so many training examples how it is changed in this epoch."""
        seeds = {"study_seed": self.study_seed, "trial_seed": self.trial_seed, "epoch": epoch}
        of_images = np.random.default_rng(derive_seed("augmentation", **seeds))
        drawn = torch.from_numpy(of_images.random((examples, len(_COLUMNS)), dtype=np.float32))
        bends = partners = shares = None
        if self.asked.elastic is not None:
            of_points = np.random.default_rng(derive_seed("elastic", **seeds))
            points = of_points.random((examples, 2, _POINTS, _POINTS), dtype=np.float32)
            bends = torch.from_numpy(points).to(device)
        if self.asked.mixup is not None:
            of_pairs = np.random.default_rng(derive_seed("mixup", **seeds))
            partners = torch.from_numpy(of_pairs.permutation(examples)).to(device)
            beta = of_pairs.beta(self.asked.mixup, self.asked.mixup, examples)
            shares = torch.from_numpy(beta.astype(np.float32)).to(device)
        return AugmentedEpoch(self.asked, self.classes, drawn.to(device), bends, partners, shares)


@dataclass(frozen=True, eq=False)
class AugmentedEpoch:
    """How each training example is changed in one epoch."""

    asked: Augmentation
    classes: int
    drawn: torch.Tensor
    """float32 [examples, columns], evenly from 0 to 1."""
    bends: torch.Tensor | None = None
    """float32 [examples, 2, points, points], evenly from 0 to 1: across, then down."""
    partners: torch.Tensor | None = None
    """int64 [examples]: the example that each one is mixed with."""
    shares: torch.Tensor | None = None
    """float32 [examples]: how much of the mixture is its own."""

    def batches(
        self, plain: Batches, order: torch.Tensor, size: int
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield what `plain` does, changed; mixed labels are float32 [b, classes]."""
        chunks = order.split(size) if len(order) else ()
        if self.partners is None or self.shares is None:
            for rows, (images, labels) in zip(chunks, plain(order, size), strict=True):
                yield self.changed(images, rows), labels
            return
        others = self.partners[order]
        pairs = zip(chunks, plain(order, size), plain(others, size), strict=True)
        for rows, (images, labels), (partners, their_labels) in pairs:
            share = self.shares[rows]
            yield (
                _mixed(
                    self.changed(images, rows), self.changed(partners, self.partners[rows]), share
                ),
                torch.lerp(
                    F.one_hot(their_labels, self.classes).float(),
                    F.one_hot(labels, self.classes).float(),
                    share.unsqueeze(1),
                ),
            )

    def changed(self, images: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """Return the images [b, ...] of the examples `rows`, int64 [b], changed but not mixed."""
        drawn = _Drawn.of(self.drawn[rows], None if self.bends is None else self.bends[rows])
        if self.asked.flip:
            images = torch.where(drawn.flip.view(-1, 1, 1, 1) < 0.5, images.flip(-1), images)
        images = _toned(_moved(images, self.asked, drawn), self.asked, drawn)
        return images if self.asked.cutout is None else _cut(images, self.asked.cutout, drawn)


@dataclass(frozen=True, eq=False)
class _Drawn:
    """What was drawn of each image of a batch: float32 [b] each, evenly from 0 to 1."""

    across: torch.Tensor
    down: torch.Tensor
    flip: torch.Tensor
    rotate: torch.Tensor
    scale: torch.Tensor
    shear: torch.Tensor
    top: torch.Tensor
    left: torch.Tensor
    brightness: torch.Tensor
    contrast: torch.Tensor
    bends: torch.Tensor | None
    """float32 [b, 2, points, points]."""

    @classmethod
    def of(cls, table: torch.Tensor, bends: torch.Tensor | None) -> Self:
        return cls(**dict(zip(_COLUMNS, table.unbind(1), strict=True)), bends=bends)


def _between(drawn: torch.Tensor, most: float | None) -> torch.Tensor:
    """Return what was drawn as numbers from -most to most."""
    return (2 * drawn - 1) * (most or 0.0)


def _moved(images: torch.Tensor, asked: Augmentation, drawn: _Drawn) -> torch.Tensor:
    """Return the images after one affine map about their centre and a smooth bend.

    Forward it is: bend, lean, turn, grow, move. Each pixel of the result is looked up where it came
    from, by the inverse, and read off between pixels. Sums and products stand one by one, since a
    matrix product may add in another order in a batch of another size.
    """
    if not (asked.shift or asked.rotate or asked.scale or asked.shear or asked.elastic):
        return images
    height, width = images.shape[-2:]
    angle = _between(drawn.rotate, asked.rotate) * (math.pi / 180)
    lean = torch.tan(_between(drawn.shear, asked.shear) * (math.pi / 180))
    grown = (1 + _between(drawn.scale, asked.scale)).view(-1, 1, 1)
    cos, sin = torch.cos(angle), torch.sin(angle)
    down, across = (_from_centre(side, images.device) for side in (height, width))
    x = across.view(1, 1, -1) - _between(drawn.across, asked.shift).view(-1, 1, 1)
    y = down.view(1, -1, 1) - _between(drawn.down, asked.shift).view(-1, 1, 1)
    from_x = ((sin * lean + cos).view(-1, 1, 1) * x + (sin - cos * lean).view(-1, 1, 1) * y) / grown
    from_y = (cos.view(-1, 1, 1) * y - sin.view(-1, 1, 1) * x) / grown
    if drawn.bends is not None:
        bent_x, bent_y = _bent(_between(drawn.bends, asked.elastic), height, width).unbind(1)
        from_x, from_y = from_x + bent_x, from_y + bent_y
    # From -1 to 1 is from edge to edge.
    places = torch.stack((from_x * (2 / width), from_y * (2 / height)), dim=-1)
    return _bytes(F.grid_sample(images.float(), places, align_corners=False))


def _bent(points: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Return what lies between points [b, 2, points, points], cubic: [b, 2, height, width]."""
    rows, columns = (_cubic(side).to(points.device) for side in (height, width))
    # One by one, as above.
    across = reduce(torch.add, (points[..., n, None] * columns[n] for n in range(_POINTS)))
    return reduce(torch.add, (across[:, :, n, None] * rows[n, :, None] for n in range(_POINTS)))


def _cubic(side: int) -> torch.Tensor:
    """Return the share of each point in each of `side` places from edge to edge: [points, side]."""
    each = torch.eye(_POINTS).view(1, 1, _POINTS, _POINTS)
    shares = F.interpolate(each, (_POINTS, side), mode="bicubic", align_corners=True)
    return shares.view(_POINTS, side)


def _from_centre(side: int, device: torch.device) -> torch.Tensor:
    """Return the distance of each row or column from the centre, in pixels: float32 [side]."""
    return torch.arange(side, dtype=torch.float32, device=device) - (side - 1) / 2


def _toned(images: torch.Tensor, asked: Augmentation, drawn: _Drawn) -> torch.Tensor:
    if not (asked.brightness or asked.contrast):
        return images
    stretch = (1 + _between(drawn.contrast, asked.contrast)).view(-1, 1, 1, 1)
    light = (255 * _between(drawn.brightness, asked.brightness)).view(-1, 1, 1, 1)
    return _bytes((images.float() - 127.5) * stretch + 127.5 + light)


def _cut(images: torch.Tensor, side: int, drawn: _Drawn) -> torch.Tensor:
    """Return the images, each with a square of this side somewhere in it made black."""
    height, width = images.shape[-2:]
    inside = []
    for drawn_of, length in ((drawn.top, height), (drawn.left, width)):
        first = (drawn_of * (length - side + 1)).floor().clamp_(max=length - side).view(-1, 1)
        places = torch.arange(length, device=images.device)
        inside.append((places >= first) & (places < first + side))
    square = inside[0].unsqueeze(2) & inside[1].unsqueeze(1)
    return images.masked_fill(square.unsqueeze(1), 0)


def _mixed(images: torch.Tensor, others: torch.Tensor, share: torch.Tensor) -> torch.Tensor:
    of_own = share.view(-1, 1, 1, 1)
    return _bytes(of_own * images.float() + (1 - of_own) * others.float())


def _bytes(values: torch.Tensor) -> torch.Tensor:
    return values.round_().clamp_(0, 255).to(torch.uint8)


def refuse_impossible(asked: Augmentation | None, image_shape: tuple[int, int, int]) -> None:
    """Raise StudyError for what cannot be done to images [channels, height, width] of this size."""
    smallest = min(image_shape[1:])
    for key in ("cutout", "shift", "elastic"):
        pixels = getattr(asked, key, None)
        if pixels is not None and pixels > smallest:
            raise StudyError(
                f"protocol.augmentation.{key}: {pixels:g} pixels, and images are {image_shape[1]} "
                f"x {image_shape[2]}; give at most {smallest}"
            )
