"""Charts as data and as SVG."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from itertools import combinations, pairwise
from statistics import fmean
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from bakeoff.findings.findings import Findings
from bakeoff.report import Report, draw_report
from bakeoff.report.charts.canvas import WIDTH, own_settings
from bakeoff.report.charts.curves import _shown, learning_curves
from bakeoff.report.charts.dots import draw_dots
from bakeoff.report.charts.labels import (
    Box,
    Placed,
    elided,
    legible,
    place_beside,
    spread,
    two_lines,
)
from bakeoff.report.palette import TONES, styles
from bakeoff.report.sections.classes import class_tables
from tests.report.page_reading import Element

SVG = "{http://www.w3.org/2000/svg}"


def read_svg(text: str) -> ET.Element:
    """Return the tree; fails where the text is not well-formed."""
    return ET.fromstring(text)  # noqa: S314  # drawn by ourselves


@pytest.fixture(scope="module")
def drawn(small: Findings) -> Mapping[str, str]:
    return draw_report(small).figures


def test_figures_are_well_formed_and_of_their_own(drawn: Mapping[str, str]) -> None:
    assert {"train-loss", "seeds", "accuracy-against-parameters", "classes-f1", "inside"} <= {
        *drawn
    }
    for name, text in drawn.items():
        root = read_svg(text)
        assert root.tag == f"{SVG}svg", name
        assert "var(" not in text, name
        assert not any(tone.stand_in in text for tone in TONES.values()), name
        assert root.get("aria-label"), name


def test_figures_are_the_same_every_time(drawn: Mapping[str, str], small: Findings) -> None:
    assert draw_report(small).figures == drawn


def test_text_stays_text(drawn: Mapping[str, str]) -> None:
    texts = {"".join(t.itertext()) for t in read_svg(drawn["seeds"]).iter(f"{SVG}text")}
    assert {"cnn-1conv", "mlp-2x200"} <= texts


def test_curves_are_the_epochs_of_the_records(five_seeds: Findings) -> None:
    curves = learning_curves(five_seeds, "validation_loss")
    trial = five_seeds.trials("cnn-2conv")[2]
    assert curves["cnn-2conv"].seeds[2].tolist() == [
        [e.epoch, e.validation_loss] for e in trial.epochs
    ]
    # The diverged trial is drawn as far as it came, and is no part of the mean.
    assert [len(points) for points in curves["mlp-2x200"].seeds.values()] == [8, 8, 8, 2, 8]
    assert len(curves["mlp-2x200"].mean) == 8


def test_class_scores_and_confusions_are_those_of_the_records(five_seeds: Findings) -> None:
    rows = class_tables(five_seeds)["recall"].values
    trials = five_seeds.complete("mlp-2x200")
    assert len(trials) == 4
    recalls = np.array([t.test.recall for t in trials if t.test])
    assert rows["mlp-2x200"] == pytest.approx(recalls.mean(axis=0).tolist())
    (found,) = (c for c in five_seeds.confusions if c.entrant == "mlp-2x200")
    recorded = np.sum([t.test.confusion for t in trials if t.test], axis=0)
    np.testing.assert_array_equal(found.counts[:, :-1], recorded)


def test_dots_and_bands_lie_where_comparison_and_records_have_them(five_seeds: Findings) -> None:
    with own_settings():
        chart = draw_dots(
            five_seeds.comparison,
            five_seeds.scores,
            [each.name for each in five_seeds.study.entrants],
        )
    assert chart is not None
    root = read_svg(chart.drawn)
    ticks = {
        math.log(1 - float(accuracy)): float(text.get("x", "nan"))
        for text in root.iter(f"{SVG}text")
        if (accuracy := "".join(text.itertext())).startswith("0.")
    }
    slope, start = np.polyfit(list(ticks), list(ticks.values()), 1)
    bands = [
        [float(x) for x in re.findall(r"[ML] ([\d.]+)", path.get("d", ""))]
        for path in root.iter(f"{SVG}path")
        if "stroke-width: 2.5" in path.get("style", "")
    ]
    # Of the marks those of the seeds come after the two ends of each interval.
    marks = [
        float(use.get("x", "nan"))
        for row in range(len(bands))
        for use in root.findall(f".//*[@id='said-{2 * row + 1}']//{SVG}use")
    ]
    told = five_seeds.comparison.to_dict()["entrants"]
    for entrant, band in zip(told, bands, strict=True):
        ends = [entrant["balanced_accuracy"][end] for end in ("low", "high")]
        assert band == pytest.approx([start + slope * math.log(1 - end) for end in ends], abs=0.01)
    tests = [t.test for each in told for t in five_seeds.complete(each["name"])]
    expected = [start + slope * math.log(1 - test.balanced_accuracy) for test in tests if test]
    assert marks == pytest.approx(expected, abs=0.01)


def test_every_mark_says_what_it_is(fair_report: Report, five_seeds: Findings) -> None:
    def said(name: str) -> list[str]:
        titles = read_svg(fair_report.figures[name]).iter(f"{SVG}title")
        return [title.text or "" for title in titles]

    for entrant in five_seeds.comparison.to_dict()["entrants"]:
        name, score = entrant["name"], entrant["balanced_accuracy"]
        trials = five_seeds.complete(name)
        for trial in trials:
            assert trial.test is not None
            assert f"{name}, seed {trial.seed}: {trial.test.balanced_accuracy:.4f}" in said("seeds")
            last = f"epoch {len(trial.epochs)}: {trial.epochs[-1].validation_loss:.4f}"
            assert f"{name}, seed {trial.seed}, {last}" in said("validation-loss")
        interval = f"({score['low']:.4f} to {score['high']:.4f})"
        assert f"{name}: mean {score['mean']:.4f} {interval}" in said("seeds")
        third = fmean(trial.epochs[2].validation_loss for trial in trials)
        assert f"{name}, epoch 3: {third:.4f}" in said("validation-loss")
        told = f"{name}: {score['mean']:.4f} {interval}, {trials[0].parameters:,} parameters"
        offers = said("accuracy-against-parameters")
        assert any(each == told or each.startswith(f"{told}; beaten by ") for each in offers)


def test_every_chart_has_its_numbers_as_a_table(fair_page: Element, five_seeds: Findings) -> None:
    charts = fair_page.all("figure", "chart-box")
    tables = {chart.all("svg")[0].attributes["aria-label"]: chart.all("table") for chart in charts}
    assert all(len(found) == 1 for found in tables.values())
    label = "Line chart: validation loss of each entrant, by epoch."
    names = [head.text for head in tables[label][0].all("thead")[0].all("th")][1:]
    rows = tables[label][0].all("tbody")[0].all("tr")
    assert [row.all("th")[0].text for row in rows] == [str(epoch + 1) for epoch in range(len(rows))]
    for name, cell in zip(names, rows[4].all("td"), strict=True):
        fifth = fmean(trial.epochs[4].validation_loss for trial in five_seeds.complete(name))
        assert cell.text == f"{fifth:.4f}"


def test_of_long_curves_so_many_points_are_shown() -> None:
    assert _shown(3) == [0, 1, 2]
    assert _shown(39) == list(range(0, 39, 2))
    assert len(_shown(1000)) == 20


@pytest.mark.parametrize("which", ["report", "fair_report"])
def test_lines_are_opaque_and_text_reads_on_a_phone(
    which: str, request: pytest.FixtureRequest
) -> None:
    """On 390 pixels a chart has 358."""
    found: Report = request.getfixturevalue(which)
    for name, figure in found.figures.items():
        if name == "inside":
            continue
        for element in read_svg(figure).iter():
            style = element.get("style", "")
            faint = re.search(r"(?:^|stroke-|; )opacity: (0?\.\d+)", style)
            assert faint is None or element.tag == f"{SVG}rect", (name, style)
            size = re.search(r"font(?:-size)?: (?:bold )?([\d.]+)px", style)
            if element.tag == f"{SVG}text":
                assert size is not None, (name, style)
                assert float(size[1]) * 358 / WIDTH >= 11, name


def test_labels_do_not_overlap() -> None:
    wanted, sizes = [5.0, 6.0, 6.5, 60.0], [10.0, 20.0, 10.0, 10.0]
    centres = spread(wanted, sizes, 0.0, 100.0)
    ends = sorted((c - s / 2, c + s / 2) for c, s in zip(centres, sizes, strict=True))
    assert ends[0][0] >= 0
    assert all(a[1] <= b[0] + 1e-9 for a, b in pairwise(ends))
    assert centres[3] == 60.0


def test_labels_of_one_point_find_places_apart() -> None:
    inside = (0.0, 0.0, 400.0, 300.0)
    places = place_beside([(200.0, 100.0)] * 3, [(30.0, 15.0)] * 3, inside)
    assert all(apart(a.box, b.box) for a, b in combinations(places, 2))


def test_a_label_stays_inside_and_off_lines() -> None:
    # To the right there is no room, and a line runs to the left.
    (placed,) = place_beside([(90.0, 50.0)], [(40.0, 15.0)], (0, 0, 100, 100), [(0, 47, 90, 53)])
    left, low, right, high = placed.box
    assert (left >= 0, right <= 100, low >= 0, high <= 100) == (True,) * 4
    assert apart(placed.box, (0, 47, 90, 53))
    assert placed.align == "right"


def test_of_labels_that_cover_each_other_the_first_is_shown() -> None:
    boxes = [(0, 0, 40, 10), (20, 0, 60, 10), (39, 0, 79, 10), (0, 50, 40, 60)]
    labels = [Placed((0.0, 0.0), "left", box) for box in boxes]
    # The first two cover a half of each other, the first and third a fortieth.
    assert legible(labels, [0, 1, 2, 3]) == {0, 2, 3}
    assert legible(labels, [1, 0, 2, 3]) == {1, 3}


def apart(one: Box, other: Box) -> bool:
    """Return whether two rectangles cover nothing together."""
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_names_are_shortened_in_the_middle() -> None:
    assert elided("abcdefghij", 5) == "ab…ij"
    assert two_lines("cnn-2conv-dropout-batch-100") == "cnn-2conv-\ndropout-batch-100"
    assert two_lines("logistic-regression-rate-0p008") == "logistic-regression-\nrate-0p008"
    assert max(map(len, two_lines("x" * 64).split("\n"))) <= 18


def test_entrants_differ_in_colour_or_shape() -> None:
    found = styles(tuple(f"e{n}" for n in range(20)))
    assert len({(style.number, style.marker) for style in found.values()}) == 20


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("side", ["light", "dark"])
def test_contrast_meets_aa(side: str) -> None:
    """Text at 4.5:1, marks of charts at 3:1 (WCAG 2.2, 1.4.3 and 1.4.11)."""
    paper, panel = getattr(TONES["paper"], side), getattr(TONES["panel"], side)
    for role, tone in TONES.items():
        colour = getattr(tone, side)
        if role in {"ink", "muted", "accent", "good", "warn"} or role.endswith("-text"):
            assert _contrast(colour, paper) >= 4.5, role
            assert role.endswith("-text") or _contrast(colour, panel) >= 4.5, role
        elif role == "grid" or role.startswith("series-"):
            assert _contrast(colour, paper) >= 3, role
