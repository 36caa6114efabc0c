"""From one image to another in small steps, and where each entrant changes its mind."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bakeoff.live.run import Run
from bakeoff.report.pictures.raster import thumbnail

FRAMES = 21
MOST_FRAMES = 101


def morphed(
    run: Run, begin: NDArray[np.uint8], end: NDArray[np.uint8], frames: int
) -> dict[str, Any]:
    """Return the images on the straight way from one to another, and what all say of them.

    begin, end: [channels, height, width]. A turn lies halfway between two images of which an
    entrant's answer, of the mean over its seeds, is another class.
    """
    ways = np.linspace(0, 1, frames)
    share = ways[:, None, None, None]
    images = np.rint(begin * (1 - share) + end * share).astype(np.uint8)
    classes = run.dataset.classes
    answers = []
    for entrant, said in run.trained.answers_along(images):
        first = said.argmax(axis=1)
        turns = np.flatnonzero(first[1:] != first[:-1])
        answers.append(
            {
                "entrant": entrant,
                "classes": [classes[number] for number in first.tolist()],
                "probabilities": said.tolist(),
                "turns": ((ways[turns] + ways[turns + 1]) / 2).tolist(),
            }
        )
    pictures = [thumbnail(image) for image in images]
    return {
        "frames": [
            {"t": way, "picture": picture}
            for way, picture in zip(ways.tolist(), pictures, strict=True)
        ],
        "answers": answers,
    }
