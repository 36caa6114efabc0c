"""Class by class: legible with many classes and with long names, and honest about what is shown."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from bakeoff.comparison.compare import compare
from bakeoff.comparison.outcome import EntrantOutcome
from bakeoff.findings.findings import Findings
from bakeoff.findings.mistakes import MOST_CLASSES_SHOWN
from bakeoff.report import Report, draw_report
from bakeoff.report.charts.canvas import WIDTH, own_settings
from bakeoff.report.charts.grids import draw_class_table, draw_confusion
from bakeoff.report.sections.classes import class_tables
from tests.report.bakeoffs import confusion, scores
from tests.report.page_reading import Element, read_page

NAMES = ("mlp-2x200", "cnn-1conv")
# The widest digit of a common typeface is so wide, as a share of the size of text.
DIGIT = 0.56
# On a phone of 390 pixels a chart has so many.
PHONE = 358


def of_classes(base: Findings, classes: tuple[str, ...]) -> Findings:
    """Return two entrants, each class with 20 test images, the last classes with most mistakes.

    With a hundred of them, class c is taken for the next one c // 10 times by the first entrant,
    and once more by the second. The very last is taken for class 0.
    """
    number = len(classes)
    labels = np.repeat(np.arange(number), 20)
    place = np.tile(np.arange(20), number)
    following = (labels + 1) % number
    predicted = {
        name: np.where(place < labels * 10 // number + more, following, labels)
        for more, name in enumerate(NAMES)
    }
    records = tuple(
        record.model_copy(
            update={"test": scores(predicted[record.entrant], labels, 0.1, classes=number)}
        )
        for record in base.records
    )
    ones = np.ones(1)
    outcomes = [
        EntrantOutcome(row.entrant, predicted[row.entrant][None], (0,), ones, ones)
        for row in base.standings
    ]
    comparison = compare(outcomes, labels, number)
    return replace(
        base,
        records=records,
        comparison=comparison,
        classes=classes,
        confusions=tuple(
            confusion(row.entrant, [predicted[row.entrant]], labels, number)
            for row in base.standings
        ),
        view=None,
        other_views=(),
        mistakes=(),
        hardest=(),
        disagreements=(),
    )


@pytest.fixture(scope="module")
def hundred(small: Findings) -> Findings:
    return of_classes(small, tuple(f"kind of bird {number}" for number in range(100)))


@pytest.fixture(scope="module")
def drawn(hundred: Findings) -> Report:
    return draw_report(hundred)


@pytest.fixture(scope="module")
def section(drawn: Report) -> Element:
    page = read_page(drawn.page)
    (found,) = (each for each in page.all("section") if each.attributes.get("id") == "classes")
    return found


def texts(drawing: str) -> list[ET.Element]:
    root = ET.fromstring(drawing)  # noqa: S314  # drawn by ourselves
    return list(root.iter("{http://www.w3.org/2000/svg}text"))


def words(text: ET.Element) -> str:
    return "".join(text.itertext()).strip()


def size(text: ET.Element) -> float:
    found = re.search(r"([\d.]+)px", text.get("style", ""))
    assert found is not None
    return float(found[1])


def test_of_a_hundred_classes_the_worst_are_shown_the_lowest_first(hundred: Findings) -> None:
    recall = class_tables(hundred)["recall"]
    assert len(recall.shown) == MOST_CLASSES_SHOWN
    # Classes 90 to 99 lose nine or ten images of twenty, 80 to 89 one less.
    assert recall.shown == tuple(range(90, 100))
    assert [len(values) for values in recall.values.values()] == [100, 100]


def test_few_classes_are_all_shown_in_their_order(one_seed: Findings) -> None:
    assert class_tables(one_seed)["f1"].shown == tuple(range(10))
    assert all(found.shown == tuple(range(10)) for found in one_seed.confusions)


def test_of_a_hundred_classes_those_most_often_confused_stand_side_by_side(
    hundred: Findings,
) -> None:
    for found in hundred.confusions:
        # The pairs (0, 99), (90, 91), (91, 92), ... have most, so that (97, 98) is left out.
        assert found.shown == (0, 99, *range(90, 98))


def test_charts_and_page_say_that_not_all_classes_are_shown(
    drawn: Report, section: Element
) -> None:
    for score in ("f1", "recall", "precision"):
        said = [words(text) for text in texts(drawn.figures[f"classes-{score}"])]
        assert "the 10 lowest of 100 classes" in said
    said = [words(text) for text in texts(drawn.figures["confusion-cnn-1conv"])]
    assert "the 10 most confused of 100 classes" in said
    assert "There are 100 classes. Each chart shows the 10" in section.text
    assert "Of 100 classes each matrix shows the 10" in section.text
    assert "The 10 lowest of 100 classes; comparison.json has all." in section.text
    assert len(section.all("table", "by-class")[0].all("tbody")[0].all("tr")) == 10


def test_few_classes_need_no_such_words(page: Element) -> None:
    (section,) = (each for each in page.all("section") if each.attributes.get("id") == "classes")
    assert "lowest" not in section.text
    assert "confuses most" not in section.text


@pytest.mark.parametrize("number", [3, 10, 12, 13, 100, 300])
@pytest.mark.parametrize(
    "name", ["{}", "airplane {}", "a class whose name has forty characters {}"]
)
def test_texts_of_the_charts_are_legible_and_apart(number: int, name: str, small: Findings) -> None:
    findings = of_classes(small, tuple(name.format(n) for n in range(number)))
    with own_settings():
        charts = (
            draw_class_table(class_tables(findings)["f1"], findings.classes),
            draw_confusion(findings.confusions[0], findings.classes),
        )
    for chart in charts:
        assert chart is not None
        drawing = chart.drawn
        assert len(texts(drawing)) > 2 * min(number, MOST_CLASSES_SHOWN)
        rows: dict[float, list[tuple[float, float]]] = {}
        for text in texts(drawing):
            said = words(text)
            assert size(text) * PHONE / WIDTH >= 11, said
            if "middle" in text.get("style", "") and "rotate" not in text.get("transform", ""):
                half = DIGIT * size(text) * len(said) / 2
                x, y = float(text.get("x", "nan")), float(text.get("y", "nan"))
                rows.setdefault(round(y), []).append((x - half, x + half))
            elif "end" in text.get("style", ""):
                assert float(text.get("x", "nan")) - DIGIT * size(text) * len(said) >= 0, said
        for row in rows.values():
            row.sort()
            assert all(left[1] <= right[0] for left, right in pairwise(row))


def test_each_cell_says_what_it_is_to_the_pointer(small: Findings) -> None:
    chart = draw_confusion(small.confusions[0], small.classes)
    root = ET.fromstring(chart.inline())  # noqa: S314  # drawn by ourselves
    titles = [each.text for each in root.iter("{http://www.w3.org/2000/svg}title")]
    shown = len(small.confusions[0].shown)
    counts = small.confusions[0].counts[:, :shown]
    assert len(titles) == shown**2
    a, b = small.classes[0], small.classes[1]
    assert titles[:2] == [
        f"{a} taken for {a}: {counts[0, 0]}",
        f"{a} taken for {b}: {counts[0, 1]}",
    ]


def test_what_is_taken_for_a_class_that_is_not_shown_is_counted(hundred: Findings) -> None:
    (found,) = (each for each in hundred.confusions if each.entrant == "mlp-2x200")
    with own_settings():
        chart = draw_confusion(found, hundred.classes)
    counted = [int(t) for t in map(words, texts(chart.drawn)) if t.isdigit()]
    # Each row has all 20 images of its class.
    assert sum(counted) == 20 * MOST_CLASSES_SHOWN
