"""Where labels go: names in few characters, and places that do not overlap."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CHARACTER = 0.62
"""Width of a character as a share of the size of text: generous, for fonts differ."""


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
    fitting = [place for place in breaks if place <= width and len(name) - place <= width]
    place = min(fitting, key=lambda cut: abs(2 * cut - len(name)), default=width)
    return f"{name[:place]}\n{name[place:]}"


def spread(wanted: Sequence[float], sizes: Sequence[float], low: float, high: float) -> list[float]:
    """Return centres as near as possible to those wanted, apart by sizes, between low and high.

    Neighbours that would overlap are merged into blocks, which sit at the mean of what their
    members want (the pool-adjacent-violators way).
    """
    order = sorted(range(len(wanted)), key=lambda place: wanted[place])
    blocks: list[list[int]] = []

    def start(block: list[int]) -> float:
        """Return where a block begins, if all its members have their say."""
        offset, starts = 0.0, []
        for member in block:
            starts.append(wanted[member] - offset - sizes[member] / 2)
            offset += sizes[member]
        return min(max(sum(starts) / len(starts), low), high - offset)

    def end(block: list[int]) -> float:
        return start(block) + sum(sizes[member] for member in block)

    for place in order:
        blocks.append([place])
        while len(blocks) > 1 and end(blocks[-2]) > start(blocks[-1]):
            last = blocks.pop()
            blocks[-1] = blocks[-1] + last
    centres = [0.0] * len(wanted)
    for block in blocks:
        top = start(block)
        for member in block:
            centres[member] = top + sizes[member] / 2
            top += sizes[member]
    return centres


@dataclass(frozen=True)
class Box:
    """A rectangle in units of the sheet."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """Width times height."""
        return (self.right - self.left) * (self.bottom - self.top)

    def overlap(self, other: Box) -> float:
        """Return the area that both cover."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0.0) * max(height, 0.0)


@dataclass(frozen=True)
class Placed:
    """A label's place: where its text is anchored, and how it is aligned."""

    x: float
    y: float
    align: str
    box: Box


_NOWHERE = Placed(0.0, 0.0, "left", Box(0.0, 0.0, 0.0, 0.0))
_WAYS = (
    (1.0, 0.0, "left"),
    (-1.0, 0.0, "right"),
    (0.8, -0.8, "left"),
    (0.8, 0.8, "left"),
    (-0.8, -0.8, "right"),
    (-0.8, 0.8, "right"),
    (0.0, -1.2, "center"),
    (0.0, 1.2, "center"),
)
"""Right, down (in distances), and which end of the text is anchored there."""
_DISTANCES = (12.0, 22.0, 36.0, 52.0, 70.0, 90.0, 112.0)
_ORDERS = 12
"""How many orders of labels are tried."""
_NEAR = 22.0
"""Up to here a label needs no line to its point."""
_OUTSIDE = 4.0
"""How much worse a label outside is than one that covers another."""
_ON_LINE = 0.4
"""How bad it is to lie on a line, beside lying on a label."""


def _candidates(
    point: tuple[float, float], width: float, height: float
) -> Iterator[tuple[float, Placed]]:
    """Yield places for a label of this size, with how far each is from its point."""
    for distance in _DISTANCES:
        for right, down, align in _WAYS:
            x = point[0] + right * distance
            y = point[1] + down * distance + (height / 2 - 6) * down
            left = {"left": x, "right": x - width, "center": x - width / 2}[align]
            box = Box(left, y - height / 2, left + width, y + height / 2)
            yield distance, Placed(x, y, align, box)


def place_beside(
    points: Sequence[tuple[float, float]],
    texts: Sequence[str],
    size: float,
    inside: Box,
    lines: Sequence[Box] = (),
) -> list[Placed]:
    """Return a place for the label of each point: near it, inside, and apart from the others.

    Each label takes the place that covers least of labels, points and `lines`. What comes first
    takes the best places, so several orders are tried and the best whole is kept.
    """
    marks = [Box(x - 8, y - 8, x + 8, y + 8) for x, y in points]
    sizes = [
        (max(map(len, text.split("\n"))) * size * CHARACTER, (text.count("\n") + 1) * size * 1.2)
        for text in texts
    ]

    def leader(point: tuple[float, float], placed: Placed) -> list[Box]:
        """Return the line from a point to its label as a chain of small boxes."""
        steps = [share / 10 for share in range(2, 10)]
        chain = [
            (point[0] + step * (placed.x - point[0]), point[1] + step * (placed.y - point[1]))
            for step in steps
        ]
        return [Box(x - 3, y - 3, x + 3, y + 3) for x, y in chain]

    def arrange(order: Sequence[int]) -> tuple[float, dict[int, Placed]]:
        found: dict[int, Placed] = {}
        leaders: list[Box] = []
        total = 0.0
        for place in order:
            best: tuple[float, Placed] = (math.inf, _NOWHERE)
            for distance, candidate in _candidates(points[place], *sizes[place]):
                if distance * distance / 10 >= best[0]:
                    break  # what follows is further still
                box = candidate.box
                covered = sum(box.overlap(other.box) for other in found.values())
                covered += sum(box.overlap(mark) for mark in marks)
                covered += _ON_LINE * sum(box.overlap(line) for line in (*lines, *leaders))
                for link in leader(points[place], candidate) if distance > _NEAR else ():
                    covered += sum(link.overlap(other.box) for other in found.values())
                covered += _OUTSIDE * (box.area - box.overlap(inside))
                cost = 4 * covered + distance * distance / 10
                if cost < best[0]:
                    best = (cost, candidate)
            total += best[0]
            found[place] = best[1]
            leaders += leader(points[place], best[1])
        return total, found

    base = sorted(range(len(points)), key=lambda place: points[place])
    orders = [base[turn:] + base[:turn] for turn in range(len(base))]
    orders += [order[::-1] for order in orders]
    arranged = [arrange(order) for order in orders[:_ORDERS]]
    found = min(arranged, key=lambda each: each[0])[1] if arranged else {}
    return [found[place] for place in range(len(points))]
