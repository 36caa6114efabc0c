"""A look at images before anything is trained: what there is, and what of it will mislead."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bakeoff.data.balance import Counts, balance_findings, count_classes, share_out
from bakeoff.data.copies import PARTS, copy_findings
from bakeoff.data.finding import Example, Finding, finding
from bakeoff.data.likeness import Looks, look_over
from bakeoff.data.parts import arranged
from bakeoff.data.readers.stock import Stock
from bakeoff.errors import StudyError
from bakeoff.study.protocol import Protocol
from bakeoff.text import counted

_ODD = 8
"""So many of the darkest, brightest and smallest images."""
_SIZE = re.compile(r"(\d+) x (\d+)$")
_TITLES = {
    "leak": "equal, in two parts",
    "contradiction": "equal, of two classes",
    "near-leak": "nearly equal, in two parts",
    "near": "nearly equal",
    "near-contradiction": "nearly equal, of two classes",
    "repeated": "equal, in one part",
    "constant": "of one value throughout",
}
"""What the examples of a finding are called on a contact sheet."""


@dataclass(frozen=True, eq=False)
class Survey:
    """What the images of a source are, and what whoever trains on them should know."""

    stock: Stock = field(repr=False)
    counts: Counts
    """By class, in natural order, and by part as it lies there (empty where there are no parts)."""
    shares: Counts
    """By class, what trains, validates and tests with the first seed; empty where nothing can."""
    kinds: Mapping[str, int]
    """How images are stored, the most frequent first, and how many of them."""
    notes: tuple[str, ...]
    """What was passed over or converted and how, what becomes of the parts."""
    findings: tuple[Finding, ...]
    """The gravest first."""
    odd: tuple[tuple[str, tuple[Example, ...]], ...]
    """Images that stand out: in which way, and the first of them."""

    @property
    def parts(self) -> tuple[str, ...]:
        """Those that the source has, in the order of a study; one without a name for no parts."""
        return tuple(part for part in PARTS if part in next(iter(self.counts.values())))

    @property
    def extent(self) -> str:
        """How much there is, in words, and what every image is brought to."""
        channels, height, width = self.stock.image_shape
        colour = {1: "grey", 3: "RGB"}.get(channels, counted(channels, "channel"))
        order = "" if height == width else " (width x height)"
        return (
            f"{counted(len(self.stock.labels), 'image')} of {len(self.classes):,} classes, "
            f"{width} x {height}{order} {colour}"
        )

    @property
    def classes(self) -> tuple[str, ...]:
        """Their names, in natural order."""
        return tuple(self.counts)

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        names = self.stock.names
        return {
            "source": self.stock.where,
            "sha256": self.stock.sha256,
            "images": len(names),
            "image_shape": list(self.stock.image_shape),
            "parts": {
                part or "all": sum(of[part] for of in self.counts.values()) for part in self.parts
            },
            "classes": [
                {
                    "name": name,
                    "images": {part or "all": self.counts[name][part] for part in self.parts},
                    "used_to": self.shares.get(name),
                }
                for name in self.classes
            ],
            "kinds": dict(self.kinds),
            "notes": list(self.notes),
            "findings": [
                {
                    "kind": each.kind,
                    "line": each.line,
                    "images": each.images,
                    "examples": [[names[index] for index in one] for one in each.examples],
                }
                for each in self.findings
            ],
        }


def survey(stock: Stock, protocol: Protocol) -> Survey:
    """Look at every image of a stock once.

    protocol: what parts are drawn by. Raises DataError, as whoever makes a data set of the stock:
    where classes or parts are wrong, or an image cannot be read.
    """
    plan = arranged(stock)
    looks = look_over(stock)
    unsplit: list[Finding] = []
    shares: Counts = {}
    try:
        shares = share_out(plan, looks.digests, protocol)
    except StudyError as error:
        unsplit.append(Finding("validation", str(error), len(stock.labels)))
    findings = (
        *copy_findings(stock, looks),
        *_constant(stock, looks),
        *unsplit,
        *balance_findings(shares),
    )
    return Survey(
        stock=stock,
        counts=count_classes(stock, plan.classes),
        shares=shares,
        notes=(*stock.notes, *plan.notes),
        kinds=dict(Counter(stock.kinds).most_common()),
        findings=findings,
        odd=(*_examples(findings), *_extremes(stock, looks)),
    )


def _constant(stock: Stock, looks: Looks) -> list[Finding]:
    constant: list[Example] = [(each,) for each in np.flatnonzero(looks.constant).tolist()]
    if not constant:
        return []
    has = "has" if len(constant) == 1 else "have"
    said = f"{counted(len(constant), 'image')} {has} one value throughout"
    return [finding("constant", said, constant, stock.names)]


def _examples(findings: Sequence[Finding]) -> list[tuple[str, tuple[Example, ...]]]:
    """Return the examples of findings, of each kind together."""
    odd: dict[str, tuple[Example, ...]] = {}
    for each in findings:
        if each.examples:
            title = _TITLES[each.kind]
            odd[title] = (*odd.get(title, ()), *each.examples)[:_ODD]
    return [*odd.items()]


def _extremes(stock: Stock, looks: Looks) -> list[tuple[str, tuple[Example, ...]]]:
    """Return the darkest and the brightest images and, where sizes differ, the smallest."""
    darkest = np.argsort(looks.brightness, kind="stable")
    odd = [("darkest", darkest[:_ODD]), ("brightest", darkest[: -_ODD - 1 : -1])]
    sizes = {kind: _pixels(kind) for kind in set(stock.kinds)}
    if len(set(sizes.values())) > 1:
        pixels = np.array([sizes[kind] for kind in stock.kinds])
        odd.append(("smallest", np.argsort(pixels, kind="stable")[:_ODD]))
    return [(title, tuple((int(each),) for each in indices)) for title, indices in odd]


def _pixels(kind: str) -> int:
    """Return how many pixels an image of a kind has where it is stored, 0 if that is unknown."""
    size = _SIZE.search(kind)
    return int(size[1]) * int(size[2]) if size else 0
