"""Which images of a source stand on its contact sheet: some of each class, then the odd ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from bakeoff.data.finding import Example
from bakeoff.data.survey import Survey
from bakeoff.report.pictures.contact_sheet import ContactSheet, Row, Shown, small
from bakeoff.report.pictures.raster import Pixels

MOST_CLASSES = 20
_WIDTHS = {"": 12, "train": 7, "validation": 3, "test": 4}
"""Images of a class that each part shows, at most."""

_Chosen = Mapping[tuple[str, str], Sequence[int]]
"""Class and part -> images."""
_Pictures = Mapping[int, Pixels]


def contact_sheet(survey: Survey) -> ContactSheet:
    """Return what the contact sheet of a source shows; only these images are read."""
    classes = survey.classes[:MOST_CLASSES]
    chosen = _of_classes(survey, classes)
    odd = {index for _, examples in survey.odd for one in examples for index in one}
    pictures = _pictures(survey, odd.union(*chosen.values()))
    more = len(survey.classes) > MOST_CLASSES
    return ContactSheet(
        title=survey.stock.where,
        note=survey.extent + (f"; the first {MOST_CLASSES} classes" if more else ""),
        parts=[(part or "all images", _WIDTHS[part]) for part in survey.parts],
        classes=[_row_of_class(survey, name, chosen, pictures) for name in classes],
        odd=[_odd_row(survey, title, examples, pictures) for title, examples in survey.odd],
    )


def _row_of_class(survey: Survey, name: str, chosen: _Chosen, pictures: _Pictures) -> Row:
    counts = [f"{survey.counts[name][part]:,} {part}".rstrip() for part in survey.parts]
    groups = [[Shown(pictures[each]) for each in chosen[name, part]] for part in survey.parts]
    return Row(name, ", ".join(counts), groups)


def _odd_row(survey: Survey, title: str, examples: Sequence[Example], pictures: _Pictures) -> Row:
    names = survey.stock.names
    # Pairs stand apart, single images in one group. Of a path the name of the file is shown.
    pairs = len(examples[0]) > 1
    groups = examples if pairs else [[each for (each,) in examples]]
    return Row(
        title,
        "",
        [
            [Shown(pictures[each], names[each].rpartition("/")[2]) for each in group]
            for group in groups
        ],
    )


def _of_classes(survey: Survey, classes: Iterable[str]) -> _Chosen:
    """Return some images of each class and part, spread evenly over those that it has."""
    members: dict[tuple[str, str], list[int]] = defaultdict(list)
    stock = survey.stock
    for index, key in enumerate(zip(stock.labels, stock.parts, strict=True)):
        members[key].append(index)
    chosen = {}
    for name in classes:
        for part in survey.parts:
            of = members[name, part]
            places = np.linspace(0, len(of) - 1, min(len(of), _WIDTHS[part])).round().astype(int)
            chosen[name, part] = [of[place] for place in places]
    return chosen


def _pictures(survey: Survey, indices: Iterable[int]) -> _Pictures:
    """Return images as small as they are shown, by index: a few at a time are in memory."""
    ordered = sorted(indices)
    images = (image for block in survey.stock.blocks(ordered) for image in block)
    return {index: small(image) for index, image in zip(ordered, images, strict=True)}
