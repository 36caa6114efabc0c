"""Test images with what was said of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bakeoff.findings.findings import Findings
from bakeoff.findings.mistakes import Mistake
from bakeoff.report import words
from bakeoff.report.pictures.raster import photograph
from bakeoff.report.pictures.views import Picture


@dataclass(frozen=True)
class Card:
    """One image with its caption."""

    picture: Picture
    label: str
    said: str
    """The wrong class that most trials say."""
    details: tuple[str, ...]
    """How many of the trials are wrong, where several were asked, and how sure they are."""
    index: int
    known_wrong_label: bool


def cards(mistakes: Sequence[Mistake], findings: Findings) -> tuple[Card, ...]:
    """Return a card for each of the mistakes."""
    return tuple(_card(mistake, findings) for mistake in mistakes)


def _card(mistake: Mistake, findings: Findings) -> Card:
    label, said = findings.classes[mistake.label], findings.classes[mistake.predicted]
    sure = f"{words.percent(mistake.probability)} sure"
    wrong = f"{mistake.wrong} of {mistake.trials} wrong"
    return Card(
        picture=Picture(
            photograph(mistake.image, light_on_dark=findings.light_on_dark),
            f"labelled {label}, taken for {said}",
        ),
        label=label,
        said=said,
        details=(sure,) if mistake.trials == 1 else (wrong, sure),
        index=mistake.index,
        known_wrong_label=mistake.known_wrong_label,
    )
