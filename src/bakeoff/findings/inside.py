"""What a trained network sees in one image: its filters, and maps around its activations."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bakeoff.data.dataset import Dataset
from bakeoff.findings.trace import Trace
from bakeoff.findings.view import View


@torch.inference_mode()
def view_inside(
    model: nn.Module, dataset: Dataset, index: int, *, entrant: str, seed: int, pixel_scale: float
) -> View:
    """Return what `model` sees in test image `index`.

    All of it comes from one forward pass in evaluation mode, the pass that predicts.
    """
    image = dataset.test_images[index]
    pixels = torch.tensor(image[None]).float() * pixel_scale
    model.eval()
    with Trace(model) as trace:
        logits = model(pixels)
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


_MOST_SIZES = 6


def _summary(trace: Trace, *, has_class_weights: bool) -> str:
    count = len(trace.filters)
    if count:
        sizes = [
            f"{len(f)} filter{'s' * (len(f) > 1)} of {f.shape[2]} x {f.shape[3]}"
            for f in trace.filters
        ]
        listed = ", then ".join(sizes[:_MOST_SIZES])
        more = ", and so on" if count > _MOST_SIZES else ""
        return f"{count} convolution{'s' * (count > 1)}: {listed}{more}"
    if has_class_weights:
        return "no convolutions: one weight image per class"
    if not trace.linear:
        return "neither convolutions nor fully connected layers: nothing to draw"
    units = [trace.linear[0].shape[1], *(len(weights) for weights in trace.linear)]
    told = " - ".join(map(str, units))
    return f"no convolutions: fully connected layers {told}, whose units have no picture"
