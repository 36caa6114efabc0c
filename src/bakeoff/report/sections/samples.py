"""Test images with what was said of them: mistakes, flips, and the hardest."""

from __future__ import annotations

from dataclasses import dataclass

from bakeoff.findings.findings import Findings, HardImage
from bakeoff.findings.look import Mistake
from bakeoff.report import words
from bakeoff.report.pictures.looks import Picture
from bakeoff.report.pictures.raster import photograph


@dataclass(frozen=True)
class Card:
    """One image with its caption."""

    picture: Picture
    label: str
    said: str
    """The predicted class."""
    detail: str
    index: int
    known_wrong_label: bool


@dataclass(frozen=True)
class FlipCards:
    """Images on which two entrants disagree."""

    a: str
    b: str
    seed: int
    count_only_a: int
    count_only_b: int
    only_a: tuple[Card, ...]
    only_b: tuple[Card, ...]


def _name(classes: tuple[str, ...], number: int) -> str:
    return classes[number] if 0 <= number < len(classes) else str(number)


def _mistake(mistake: Mistake, findings: Findings) -> Card:
    classes = findings.classes
    label, said = _name(classes, mistake.label), _name(classes, mistake.predicted)
    pixels = photograph(mistake.image, light_on_dark=findings.light_on_dark)
    return Card(
        picture=Picture(pixels, f"labelled {label}, taken for {said}"),
        label=label,
        said=said,
        detail=words.percent(mistake.probability),
        index=mistake.index,
        known_wrong_label=mistake.known_wrong_label,
    )


def _hard(image: HardImage, findings: Findings) -> Card:
    classes = findings.classes
    label, said = _name(classes, image.label), _name(classes, image.most_common_prediction)
    pixels = photograph(image.image, light_on_dark=findings.light_on_dark)
    return Card(
        picture=Picture(pixels, f"labelled {label}, most often taken for {said}"),
        label=label,
        said=said,
        detail=f"{image.times_wrong} of {image.trials}",
        index=image.index,
        known_wrong_label=image.known_wrong_label,
    )


def mistakes(findings: Findings) -> tuple[Card, ...]:
    """Return the winner's mistakes, the most confident first."""
    return tuple(_mistake(mistake, findings) for mistake in findings.mistakes)


def hardest(findings: Findings) -> tuple[Card, ...]:
    """Return the images that most trials get wrong."""
    return tuple(_hard(image, findings) for image in findings.hardest)


def flips(findings: Findings) -> tuple[FlipCards, ...]:
    """Return the images on which pairs of entrants disagree."""
    return tuple(
        FlipCards(
            a=flip.a,
            b=flip.b,
            seed=flip.seed,
            count_only_a=flip.count_only_a,
            count_only_b=flip.count_only_b,
            only_a=tuple(_mistake(mistake, findings) for mistake in flip.only_a),
            only_b=tuple(_mistake(mistake, findings) for mistake in flip.only_b),
        )
        for flip in findings.flips
    )
