"""What a trained network sees in one image: where it looks, its filters, maps, and attention."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bakeoff.data.dataset import Dataset
from bakeoff.errors import NetworkError, StoreError, UnreadableError
from bakeoff.files.tensors import from_safetensors
from bakeoff.findings.attention import over_patches
from bakeoff.findings.occlusion import occluded
from bakeoff.findings.trace import Trace
from bakeoff.findings.view import Activation, Filters, Inside, LayerMaps, View
from bakeoff.records.conditions import foreign_origin
from bakeoff.records.folder import RunFolder
from bakeoff.records.limits import LARGEST_NUMBER
from bakeoff.records.record import Record
from bakeoff.records.trial_files import WEIGHTS
from bakeoff.text import counted
from bakeoff.training.trial import build_entrant, pixels_of

_MOST_SIZES = 6
_MOST_PLACES = 8
_LOOKED_AT = 100
"""Test images that filters may respond to, before they are called dead."""
_AVERAGED = 500
"""About so many training images are what covers a part of an image."""


def load_network(folder: RunFolder, record: Record, dataset: Dataset) -> nn.Module:
    """Return the network of a trial with the weights of its `model.safetensors`.

    Raises StoreError where the weights are damaged, of another network, or of other data.
    """
    trial = folder.trial(record.entrant, record.seed)
    if complaint := foreign_origin(record.provenance, data_hash=dataset.sha256):
        raise StoreError(f"{trial}: {complaint}")
    file = trial / WEIGHTS
    try:
        weights = from_safetensors(folder.read_weights(record.entrant, record.seed), str(file))
    except UnreadableError as error:
        raise StoreError(f"{file}: not the weights of a trial") from error
    entrant = folder.study.entrant(record.entrant)
    model = build_entrant(folder.study, entrant, record.seed, dataset, torch.device("cpu"))
    if _forms(weights) != _forms(model.state_dict()):
        raise StoreError(f"{file}: not the weights of {entrant.architecture}")
    # With larger ones the trial diverged.
    if not all((value.abs() < LARGEST_NUMBER).all() for value in weights.values()):
        raise StoreError(f"{file}: weights that no training ends with; move {file.parent} away")
    model.load_state_dict(weights)
    return model


def _forms(weights: Mapping[str, torch.Tensor]) -> dict[str, tuple[torch.dtype, torch.Size]]:
    return {name: (value.dtype, value.shape) for name, value in weights.items()}


def view_of(folder: RunFolder, record: Record, dataset: Dataset, index: int) -> View:
    """Return what the network of a trial sees in test image `index`."""
    model = load_network(folder, record, dataset)
    pixels = pixels_of(folder.study.protocol, dataset, torch.device("cpu"))
    channel = folder.study.inside.channel
    return view_inside(model, dataset, index, record.entrant, record.seed, pixels, channel)


def view_inside(
    model: nn.Module,
    dataset: Dataset,
    index: int,
    entrant: str,
    seed: int,
    pixels: Callable[[torch.Tensor], torch.Tensor],
    channel: int | None = None,
) -> View:
    """Return what `model` sees in test image `index`; channel: as `View.channel`.

    Raises NetworkError as `look_inside` does.
    """
    image = dataset.test_images[index]
    return View(
        **vars(look_inside(model, dataset, image, entrant, pixels)),
        entrant=entrant,
        seed=seed,
        index=index,
        image=image,
        light_on_dark=dataset.light_on_dark,
        classes=dataset.classes,
        label=int(dataset.test_labels[index]),
        channel=channel,
    )


@torch.no_grad()
def look_inside(
    model: nn.Module,
    dataset: Dataset,
    image: NDArray[np.uint8],
    entrant: str,
    pixels: Callable[[torch.Tensor], torch.Tensor],
) -> Inside:
    """Return what `model` shows of any image [channels, height, width].

    Maps, attention and probabilities come from one forward pass in evaluation mode, the pass that
    predicts. Raises NetworkError where no tensor comes out of a place that the network names.
    """
    seen = pixels(torch.tensor(image[None]))
    model.eval()
    # That these are modules of it was seen when it was made.
    looked_at = tuple(getattr(model, "looked_at", ()))
    with Trace(model, looked_at=looked_at) as trace:
        logits = model(seen)
    for name in set(looked_at) - {maps.name for maps in trace.named}:
        raise NetworkError(f"{entrant}: looked_at names {name!r}, and no tensor comes out of it")
    weights = _class_weights(trace, image.shape)
    attention = over_patches(trace.attention, trace.grid)
    return Inside(
        probabilities=logits.softmax(1)[0].numpy(),
        occlusion=occluded(model, image, _mean_image(dataset), pixels),
        filters=_filters(trace, model, pixels(torch.tensor(dataset.test_images[:_LOOKED_AT]))),
        places=_places(trace),
        attention=None if attention is None else attention.numpy(),
        class_weights=weights,
        summary=_summary(trace, has_class_weights=weights is not None),
    )


def _mean_image(dataset: Dataset) -> NDArray[np.float64]:
    """Return the mean of training images that lie evenly among all, [channels, height, width]."""
    count = len(dataset.train_images)
    chosen = np.arange(0, count, max(1, count // _AVERAGED))
    mean: NDArray[np.float64] = dataset.train_images[chosen].mean(axis=0)
    return mean


def _filters(trace: Trace, model: nn.Module, images: torch.Tensor) -> Filters | None:
    """Return the filters of the first convolution, and which of them never respond to `images`."""
    if not trace.filters:
        return None
    first, dead = trace.convolutions[0], None
    if first.activation is not None:
        highest = _FirstResponse(model, kept=lambda maps: maps.float().amax((0, 2, 3)).numpy())
        with suppress(_EnoughError), highest:
            model(images)
        dead = tuple(np.flatnonzero(highest.convolutions[0].last <= 0).tolist())
    return Filters(trace.filters[0].numpy(), first.responses, dead, len(images))


class _EnoughError(BaseException):
    """Ends a forward pass; no code of a network takes it for an error of its own."""


class _FirstResponse(Trace):
    """Ends the pass where the first convolution has run into its activation."""

    def activated(self, ran: Activation, ways: Mapping[int, tuple[str, ...]]) -> int:
        """Write down an activation; raise when it is the one."""
        number = super().activated(ran, ways)
        if self.convolutions and self.convolutions[0].activation is not None:
            raise _EnoughError
        return number


def _places(trace: Trace) -> tuple[LayerMaps, ...]:
    """Return where maps are shown: those that the network names, or some evenly over its depth.

    These are the activations whose maps have two sides, if there are any, else all of them; in a
    network without activations its convolutions.
    """
    if trace.named:
        return tuple(trace.named)
    ran: dict[int, LayerMaps] = {}
    for maps in trace.maps:
        if maps.activation is not None or maps.kind == "recurrent layer":
            # Where branches meet they run into the same one.
            ran.setdefault(id(maps.last), maps)
    every = [*ran.values()] or trace.convolutions
    every = [maps for maps in every if min(maps.last.shape[1:]) > 1] or every
    chosen = np.linspace(0, len(every) - 1, min(len(every), _MOST_PLACES)).round().astype(int)
    return tuple(every[number] for number in chosen.tolist())


def _class_weights(trace: Trace, image_shape: tuple[int, ...]) -> NDArray[np.float32] | None:
    """Return one weight image per class where a single linear layer maps pixels to logits."""
    if trace.layers != 1 or not trace.linear:
        return None
    weights: NDArray[np.float32] = trace.linear[0].numpy()
    if weights.shape[1] != math.prod(image_shape):
        return None
    # Several channels are shown as their sum: what a grey pixel of that place adds to the class.
    images: NDArray[np.float32] = weights.reshape(len(weights), *image_shape).sum(axis=1)
    return images


def _summary(trace: Trace, *, has_class_weights: bool) -> str:
    if trace.filters:
        sizes = [
            f"{counted(len(each), 'filter')} of {each.shape[2]} x {each.shape[3]}"
            for each in trace.filters
        ]
        more = ", and so on" if len(sizes) > _MOST_SIZES else ""
        more += (
            f"; {counted(len(trace.attention), 'layer')} of attention" if trace.attention else ""
        )
        listed = ", then ".join(sizes[:_MOST_SIZES])
        return f"{counted(len(sizes), 'convolution')}: {listed}{more}"
    if has_class_weights:
        return "no convolutions: one weight image per class"
    if not trace.linear:
        return "neither convolutions nor fully connected layers: nothing to draw"
    units = [trace.linear[0].shape[1], *(len(weights) for weights in trace.linear)]
    told = " - ".join(map(str, units))
    return f"no convolutions: fully connected layers {told}"
