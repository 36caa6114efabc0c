"""How many of a hundred digits, drawn as strokes, each trained network of a run reads.

    python -m benchmarks.drawn_digits DIR [--count 100]

Digits are drawn as by a person who sits before a canvas: any place, size, thickness and slant, and
a hand that is not steady. They are read as `bakeoff serve` reads them, with and without centring.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bakeoff.live.drawing import drawn
from bakeoff.live.run import Run
from bakeoff.report.pictures.raster import photograph, png

Points = NDArray[np.float64]
"""[points, 2], across and down, in a box of side 1."""

STROKES: dict[int, list[list[tuple[float, float]]]] = {
    0: [[(0.5, 0), (0.2, 0.15), (0.12, 0.5), (0.22, 0.87), (0.5, 1), (0.78, 0.86), (0.88, 0.5),
         (0.78, 0.14), (0.5, 0)]],
    1: [[(0.35, 0.2), (0.55, 0), (0.55, 0.5), (0.55, 1)]],
    2: [[(0.15, 0.25), (0.3, 0.04), (0.6, 0), (0.82, 0.18), (0.75, 0.42), (0.45, 0.7), (0.12, 1)],
        [(0.12, 1), (0.5, 0.97), (0.88, 1)]],
    3: [[(0.18, 0.1), (0.5, 0), (0.8, 0.15), (0.72, 0.38), (0.42, 0.47)],
        [(0.42, 0.47), (0.75, 0.55), (0.86, 0.78), (0.6, 0.98), (0.3, 0.98), (0.12, 0.85)]],
    4: [[(0.35, 0), (0.22, 0.3), (0.1, 0.6)], [(0.1, 0.6), (0.5, 0.6), (0.9, 0.58)],
        [(0.68, 0.25), (0.66, 0.6), (0.64, 1)]],
    5: [[(0.8, 0), (0.5, 0.01), (0.25, 0)], [(0.25, 0), (0.22, 0.2), (0.2, 0.42)],
        [(0.2, 0.42), (0.5, 0.36), (0.8, 0.52), (0.82, 0.78), (0.58, 0.98), (0.3, 0.98),
         (0.12, 0.87)]],
    6: [[(0.7, 0), (0.4, 0.2), (0.2, 0.5), (0.17, 0.8), (0.4, 0.99), (0.7, 0.95), (0.82, 0.73),
         (0.68, 0.53), (0.42, 0.53), (0.2, 0.7)]],
    7: [[(0.12, 0.02), (0.5, 0), (0.86, 0.02)], [(0.86, 0.02), (0.62, 0.45), (0.42, 1)]],
    8: [[(0.75, 0.12), (0.5, 0), (0.25, 0.12), (0.3, 0.34), (0.5, 0.47), (0.75, 0.66),
         (0.75, 0.9), (0.5, 1), (0.25, 0.9), (0.25, 0.66), (0.5, 0.47), (0.7, 0.34),
         (0.75, 0.12)]],
    9: [[(0.8, 0.2), (0.55, 0), (0.25, 0.1), (0.2, 0.35), (0.42, 0.5), (0.7, 0.42), (0.8, 0.2)],
        [(0.8, 0.2), (0.76, 0.6), (0.65, 1)]],
}  # fmt: skip
"""The strokes of each digit, through these points in a box of side 1."""


def smooth(points: Sequence[tuple[float, float]], between: int = 6) -> Points:
    """Return a curve through points: a Catmull-Rom spline, with some points between any two."""
    given = np.array([points[0], *points, points[-1]], dtype=np.float64)
    t = np.linspace(0, 1, between, endpoint=False)[:, None]
    curve = [
        b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
        for a, b, c, d in zip(given, given[1:], given[2:], given[3:], strict=False)
    ]
    return np.concatenate([*curve, given[-1:]])


def drawn_with_a_pen(strokes: Sequence[Points], side: int, thickness: float) -> NDArray[np.uint8]:
    """Return strokes in pixels as a round pen leaves them, white on black, [side, side]."""
    across, down = np.meshgrid(np.arange(side) + 0.5, np.arange(side) + 0.5)
    nearest = np.full((side, side), np.inf)
    for stroke in strokes:
        for (x, y), (u, v) in itertools.pairwise(stroke):
            length = (u - x) ** 2 + (v - y) ** 2
            along = ((across - x) * (u - x) + (down - y) * (v - y)) / max(length, 1e-9)
            along = np.clip(along, 0, 1)
            away = np.hypot(across - x - along * (u - x), down - y - along * (v - y))
            np.minimum(nearest, away, out=nearest)
    ink: NDArray[np.uint8] = np.rint(255 * np.clip(thickness / 2 + 0.5 - nearest, 0, 1)).astype(
        np.uint8
    )
    return ink


def by_hand(digit: int, seed: int, side: int = 280) -> NDArray[np.uint8]:
    """Return a digit as somebody draws it, white on black, [side, side]."""
    rng = np.random.default_rng([digit, seed])
    height = side * rng.uniform(0.2, 0.85)
    width = height * rng.uniform(0.55, 0.85)
    slant, turn = rng.uniform(-0.3, 0.3), rng.uniform(-0.12, 0.12)
    shear = np.array([[1, -slant], [0, 1]])
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    strokes = []
    for points in STROKES[digit]:
        unsteady = np.array(points) + rng.normal(0, 0.02, (len(points), 2))
        curve = (smooth([(x, y) for x, y in unsteady.tolist()]) - 0.5) * (width, height)
        strokes.append(curve @ (rotation @ shear).T)
    every = np.concatenate(strokes)
    thickness = height * rng.uniform(0.05, 0.2)
    least, most = every.min(axis=0) - thickness / 2, every.max(axis=0) + thickness / 2
    shift = rng.uniform(np.minimum(-least, side - most), np.maximum(-least, side - most))
    return drawn_with_a_pen([stroke + shift for stroke in strokes], side, thickness)


def main() -> None:
    """Print how many each trial reads."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--count", type=int, default=100)
    asked = parser.parse_args()
    run = Run(asked.directory)
    for centre in (True, False):
        read: dict[tuple[str, int], list[int]] = {}
        for number in range(asked.count):
            digit = number % 10
            canvas = png(photograph(by_hand(digit, number)[None], light_on_dark=False))
            image = drawn(canvas, run.form, centre=centre).image
            assert image is not None
            for answer in run.trained.answers(image):
                for seed, said in zip(answer.seeds, answer.probabilities, strict=True):
                    read.setdefault((answer.entrant, seed), []).append(int(said.argmax()) == digit)
        print("with centring" if centre else "without")
        for (entrant, seed), right in read.items():
            print(f"  {entrant} seed {seed}: {sum(right)} of {len(right)}")


if __name__ == "__main__":
    main()
