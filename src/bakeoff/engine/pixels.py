"""What a network sees of the bytes of an image."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, eq=False)
class Pixels:
    """Bytes are multiplied by `scale`; where there is a `shift` it is added.

    Both as numbers, or as float32 [channels, 1, 1] on the device of the images.
    """

    scale: float | torch.Tensor
    shift: torch.Tensor | None = None

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Map uint8 [..., channels, height, width] to float32 of the same shape."""
        seen = images.float().mul_(self.scale)
        return seen if self.shift is None else seen.add_(self.shift)
