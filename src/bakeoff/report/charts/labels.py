"""Where labels go: names in few characters, and places that do not overlap."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np

CHARACTER = 0.62
"""Width of a character as a share of the size of text: generous, for fonts differ."""

Box = tuple[float, float, float, float]
"""Left, low, right and high end of a rectangle, in units of a sheet."""


def elided(name: str, longest: int) -> str:
    """Return the name in at most `longest` characters, its middle left out where needed."""
    if len(name) <= longest:
        return name
    head = (longest - 1) // 2
    return f"{name[:head]}…{name[len(name) - (longest - 1 - head) :]}"


def two_lines(name: str, width: int = 18) -> str:
    """Return a name on one line, or on two that break after a hyphen, dot or underscore."""
    name = elided(name, 2 * width)
    if len(name) <= width:
        return name
    breaks = [match.end() for match in re.finditer(r"[-._…]", name)]
    # A little wider is better than a broken word.
    fitting = [place for place in breaks if max(place, len(name) - place) <= width + 3]
    place = min(fitting, key=lambda cut: abs(2 * cut - len(name)), default=width)
    return f"{name[:place]}\n{name[place:]}"


def spread(wanted: Sequence[float], sizes: Sequence[float], low: float, high: float) -> list[float]:
    """Return centres as near as possible to those wanted, apart by sizes, between low and high.

    Neighbours that would overlap are merged into blocks, which sit at the mean of what their
    members want (the pool-adjacent-violators way).
    """
    want, size = np.asarray(wanted), np.asarray(sizes)
    blocks: list[list[int]] = []

    def start(block: list[int]) -> float:
        """Return where a block begins, if all its members have their say."""
        ends = size[block].cumsum()
        fair = float((want[block] + size[block] / 2 - ends).mean())
        return min(max(fair, low), high - float(ends[-1]))

    for place in np.argsort(want, kind="stable").tolist():
        blocks.append([place])
        while len(blocks) > 1 and start(blocks[-2]) + size[blocks[-2]].sum() > start(blocks[-1]):
            last = blocks.pop()
            blocks[-1] += last
    centres = np.empty(len(want))
    for block in blocks:
        centres[block] = start(block) + size[block].cumsum() - size[block] / 2
    return centres.tolist()


def extent(text: str, size: float) -> tuple[float, float]:
    """Return how wide and how high a text of a size may be, in units."""
    lines = text.split("\n")
    return CHARACTER * size * max(map(len, lines)), 1.2 * size * len(lines)


class Placed(NamedTuple):
    """A label's place: where its text is anchored, by which end, and what it covers."""

    at: tuple[float, float]
    align: str
    """`left`, `center` or `right`."""
    box: Box


_WAYS = (
    (1.0, 0.0, "left"),
    (-1.0, 0.0, "right"),
    (0.8, 0.8, "left"),
    (0.8, -0.8, "left"),
    (-0.8, 0.8, "right"),
    (-0.8, -0.8, "right"),
    (0.0, 1.2, "center"),
    (0.0, -1.2, "center"),
)
"""Right and up (in distances), and which end of the text is anchored there."""
_DISTANCES = (12.0, 22.0, 36.0, 52.0, 70.0, 90.0, 112.0)
_ROUNDS = 4
"""How often each label looks for its place, from the second time on knowing all the others."""


def _covered(box: Box, others: Sequence[Box]) -> float:
    """Return the area of a box that others cover; what two of them cover counts twice."""
    ours, theirs = np.array(box), np.array(others).reshape(-1, 4)
    sides = np.minimum(ours[2:], theirs[:, 2:]) - np.maximum(ours[:2], theirs[:, :2])
    return float(sides.clip(0).prod(axis=1).sum())


def place_beside(
    points: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    inside: Box,
    lines: Sequence[Box] = (),
) -> list[Placed]:
    """Return a place for a label of this size (width, height) beside each point.

    Each is the one that covers least of other labels, of points, of `lines` and of what is not
    `inside`, and the nearer to its point the better.
    """
    marks = [(x - 8, y - 8, x + 8, y + 8) for x, y in points]
    # From the top, where the best crowd.
    order = sorted(range(len(points)), key=lambda place: -points[place][1])
    found: dict[int, Placed] = {}
    for place in order * _ROUNDS:
        (x, y), (width, height) = points[place], sizes[place]
        others = [each.box for other, each in found.items() if other != place]
        best = math.inf
        for distance, (right, up, align) in product(_DISTANCES, _WAYS):
            anchor = (x + right * distance, y + up * (distance + height / 2 - 6))
            left = anchor[0] - width * {"left": 0.0, "center": 0.5, "right": 1.0}[align]
            low = anchor[1] - height / 2
            box = (left, low, left + width, low + height)
            outside = width * height - _covered(box, [inside])
            covered = _covered(box, [*others, *marks]) + 0.4 * _covered(box, lines) + 4 * outside
            cost = 4 * covered + distance**2 / 10
            if cost < best - 0.01:  # of equals the first
                best, found[place] = cost, Placed(anchor, align, box)
    return [found[place] for place in range(len(points))]


def legible(labels: Sequence[Placed], order: Sequence[int]) -> set[int]:
    """Return those of the labels that cover no other: of two that do, the first in `order`."""
    found: list[int] = []
    for place in order:
        left, low, right, high = box = labels[place].box
        covered = _covered(box, [labels[other].box for other in found])
        # Boxes are generous: a little may overlap.
        if covered <= 0.05 * (right - left) * (high - low):
            found.append(place)
    return set(found)
