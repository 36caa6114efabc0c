"""What a trained network sees in one image: its filters, and maps around its activations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bakeoff.data.dataset import Dataset
from bakeoff.errors import StoreError, UnreadableError
from bakeoff.files.tensors import from_safetensors
from bakeoff.findings.trace import Trace
from bakeoff.findings.view import View
from bakeoff.records.conditions import foreign_origin
from bakeoff.records.folder import RunFolder
from bakeoff.records.limits import LARGEST_NUMBER
from bakeoff.records.record import Record
from bakeoff.records.trial_files import WEIGHTS
from bakeoff.text import counted
from bakeoff.training.trial import build_entrant, pixels_of

_MOST_SIZES = 6


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
    return view_inside(
        model, dataset, index, entrant=record.entrant, seed=record.seed, pixels=pixels
    )


@torch.inference_mode()
def view_inside(
    model: nn.Module,
    dataset: Dataset,
    index: int,
    *,
    entrant: str,
    seed: int,
    pixels: Callable[[torch.Tensor], torch.Tensor],
) -> View:
    """Return what `model` sees in test image `index`.

    All of it comes from one forward pass in evaluation mode, the pass that predicts.
    """
    image = dataset.test_images[index]
    seen = pixels(torch.tensor(image[None]))
    model.eval()
    with Trace(model) as trace:
        logits = model(seen)
    weights = _class_weights(trace, image.shape)
    return View(
        entrant=entrant,
        seed=seed,
        index=index,
        image=image,
        light_on_dark=dataset.light_on_dark,
        classes=dataset.classes,
        label=int(dataset.test_labels[index]),
        probabilities=logits.softmax(1)[0].numpy(),
        filters=trace.filters[0].numpy() if trace.filters else None,
        convolutions=tuple(trace.convolutions),
        class_weights=weights,
        summary=_summary(trace, has_class_weights=weights is not None),
    )


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
        listed = ", then ".join(sizes[:_MOST_SIZES])
        return f"{counted(len(sizes), 'convolution')}: {listed}{more}"
    if has_class_weights:
        return "no convolutions: one weight image per class"
    if not trace.linear:
        return "neither convolutions nor fully connected layers: nothing to draw"
    units = [trace.linear[0].shape[1], *(len(weights) for weights in trace.linear)]
    told = " - ".join(map(str, units))
    return f"no convolutions: fully connected layers {told}, whose units have no picture"
