"""What a trained network sees in one image: its filters, and maps before and after ReLU."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bakeoff.findings.look import ConvolutionMaps, Look


def look_inside(
    model: nn.Module,
    image: NDArray[np.uint8],
    *,
    entrant: str,
    seed: int,
    index: int,
    label: int,
    pixel_scale: float,
) -> Look:
    """Return what `model` sees in `image`, uint8 [channels, height, width].

    Feature maps come from one forward pass in evaluation mode, the pass that predicts.
    """
    model.eval()
    outputs = _outputs_of_layers(model, torch.tensor(image[None]).float() * pixel_scale)
    convolutions = _convolutions(outputs)
    logits = outputs[-1][2]
    filters = next((m.weight for _, m, _ in outputs if isinstance(m, nn.Conv2d)), None)
    class_weights = _class_weights(outputs, image.shape)
    return Look(
        entrant=entrant,
        seed=seed,
        index=index,
        image=image,
        label=label,
        probabilities=logits.softmax(1)[0].numpy(),
        filters=None if filters is None else filters.detach().numpy(),
        convolutions=tuple(convolutions),
        class_weights=class_weights,
        summary=_summary(outputs, class_weights is not None),
    )


_Output = tuple[str, nn.Module, torch.Tensor]
"""The name of a layer, the layer, and what it gave for the one image."""


@torch.inference_mode()
def _outputs_of_layers(model: nn.Module, image: torch.Tensor) -> list[_Output]:
    """Return every layer without children in the order in which the image passes it."""
    outputs: list[_Output] = []
    handles = []
    for name, layer in model.named_modules():
        if not list(layer.children()):

            def keep(layer: nn.Module, _: object, output: torch.Tensor, name: str = name) -> None:
                # A copy, since a layer that works in place may change its input afterwards.
                outputs.append((name, layer, output.clone()))

            handles.append(layer.register_forward_hook(keep))
    try:
        model(image)
    finally:
        for handle in handles:
            handle.remove()
    return outputs


def _convolutions(outputs: list[_Output]) -> Iterator[ConvolutionMaps]:
    """Yield the maps of each convolution, normalised where the network does so, around its ReLU."""
    for place, (name, layer, output) in enumerate(outputs):
        if isinstance(layer, nn.Conv2d):
            before, following = output, outputs[place + 1 :]
            if following and isinstance(following[0][1], nn.BatchNorm2d):
                before, following = following[0][2], following[1:]
            cut = following and isinstance(following[0][1], nn.ReLU)
            after = following[0][2] if cut else before.relu()
            yield ConvolutionMaps(name, before=before[0].numpy(), after=after[0].numpy())


def _class_weights(
    outputs: list[_Output], image_shape: tuple[int, ...]
) -> NDArray[np.float32] | None:
    """Return one weight image per class where a single linear layer maps pixels to logits."""
    layers = [layer for _, layer, _ in outputs if not isinstance(layer, nn.Flatten)]
    if len(layers) != 1 or not isinstance(layers[0], nn.Linear):
        return None
    weights: NDArray[np.float32] = layers[0].weight.detach().numpy()
    # Several channels are shown as their sum: what a grey pixel of that place adds to the class.
    images: NDArray[np.float32] = weights.reshape(len(weights), *image_shape).sum(axis=1)
    return images


def _summary(outputs: list[_Output], has_class_weights: bool) -> str:
    convolutions = [layer for _, layer, _ in outputs if isinstance(layer, nn.Conv2d)]
    if convolutions:
        sizes = ", then ".join(
            f"{c.out_channels} filters of {c.kernel_size[0]} x {c.kernel_size[1]}"
            for c in convolutions
        )
        return f"{len(convolutions)} convolution{'s' * (len(convolutions) > 1)}: {sizes}"
    if has_class_weights:
        return "no convolutions: one weight image per class"
    linear = [layer for _, layer, _ in outputs if isinstance(layer, nn.Linear)]
    sizes = " - ".join(str(n) for n in (linear[0].in_features, *(x.out_features for x in linear)))
    return f"no convolutions: fully connected layers {sizes}, whose units have no picture"
