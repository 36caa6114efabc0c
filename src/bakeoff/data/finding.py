"""What a look at the data finds that whoever trains on them should know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bakeoff.text import shortened, visible

Example = tuple[int, ...]
"""Indices of images that show it together: one, or two that are alike."""

LISTED = 3
"""Examples that a line names."""
_KEPT = 8
_LONGEST_NAME = 60


@dataclass(frozen=True)
class Finding:
    """One thing that matters, in a line with numbers and the first names."""

    kind: str
    """`leak`, `contradiction`, `near-leak`, `near`, `near-contradiction`, `repeated`, `constant`,
    `validation`, `few` or `imbalance`."""
    line: str
    images: int
    """How many it is about."""
    examples: tuple[Example, ...] = ()
    """The first of them."""


def finding(
    kind: str, said: str, examples: Sequence[Example], names: Sequence[str], sign: str = ""
) -> Finding:
    """Return a finding whose line is what is said, with the names of its first examples.

    examples: of every image that it is about; sign: what stands between the names of two.
    """
    shown = [f" {sign} ".join(shown_name(names[each]) for each in one) for one in examples[:LISTED]]
    line = f"{said}: {listed(shown, len(examples))}"
    return Finding(kind, line, len(examples), tuple(examples[:_KEPT]))


def listed(first: Sequence[str], total: int) -> str:
    """Return the first words of a list, and how many more of the `total` there are."""
    more = total - len(first)
    return ", ".join(first) + (f" and {more:,} more" if more else "")


def shown_name(name: str) -> str:
    """Return the name of a file, line or class as it fits into a line."""
    return shortened(visible(name), _LONGEST_NAME)
