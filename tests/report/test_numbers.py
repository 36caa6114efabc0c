"""Every number that a table of the page prints, traced to the records or comparison.json.

The table of all entrants has its test in test_sections.py, the charts theirs in test_drawings.py.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import fmean
from typing import Any

import pytest

from bakeoff.findings.findings import Findings
from tests.report.bakeoffs import clean_seconds
from tests.report.page_reading import Element


def section(page: Element, name: str) -> Element:
    (found,) = (each for each in page.all("section") if each.attributes.get("id") == name)
    return found


def rows_of(table: Element) -> dict[str, list[str]]:
    """Return the cells of each row by the text of its heading."""
    rows = table.all("tbody")[0].all("tr")
    return {row.all("th")[0].text: [cell.text for cell in row.all("td")] for row in rows}


def printed(text: str) -> list[float]:
    """Return the numbers in a text."""
    plain = text.replace("\N{MINUS SIGN}", "-").replace(",", "")
    return [float(number) for number in re.findall(r"[-+]?\d+(?:\.\d+)?", plain)]


def assert_prints(text: str, values: Sequence[float]) -> None:
    """Assert that the numbers in a text are these, each rounded as it is printed."""
    numbers = re.findall(r"\d+(?:\.\d+)?", text.replace(",", ""))
    assert len(numbers) == len(values), (text, values)
    for number, shown, value in zip(numbers, printed(text), values, strict=True):
        places = len(number.partition(".")[2])
        assert shown == pytest.approx(value, abs=0.5000001 * 10**-places), (text, values)


def test_published_figures_and_differences(page: Element, one_seed: Findings) -> None:
    rows = rows_of(page.all("table", "published")[0])
    assert len(rows) == len(one_seed.study.entrants)
    for entrant in one_seed.study.entrants:
        told = entrant.published
        (trial,) = one_seed.complete(entrant.name)
        assert told is not None
        assert trial.test is not None
        assert told.test_accuracy is not None
        assert told.test_balanced_accuracy is not None
        assert told.training_seconds is not None
        losses = [epoch.train_loss for epoch in trial.epochs]
        *cells, gaps = rows[entrant.name]
        assert cells[0] == f"{trial.parameters:,} {trial.parameters:,} same"
        for cell, ours, theirs in zip(
            cells[1:],
            (trial.test.accuracy, trial.test.balanced_accuracy, losses[-1], len(losses),
             clean_seconds(one_seed.study, entrant.name, len(losses))),
            (told.test_accuracy, told.test_balanced_accuracy, told.train_loss[-1],
             len(told.train_loss), told.training_seconds),
            strict=True,
        ):  # fmt: skip
            shown = cell.replace("same", "0")
            assert_prints(shown, [ours, theirs, ours - theirs])
        apart = [abs(a - b) for a, b in zip(losses, told.train_loss, strict=False)]
        scores = [abs(a - b) for a, b in zip(trial.test.f1, told.f1, strict=True)]
        found = re.fullmatch(r"([\d.]+) loss, epoch (\d+) ([\d.]+) F1, class (\d)", gaps)
        assert found is not None
        assert int(found[2]) == apart.index(max(apart)) + 1
        assert int(found[4]) == scores.index(max(scores))
        assert_prints(found[1], [max(apart)])
        assert_prints(found[3], [max(scores)])


@pytest.mark.parametrize(("which", "source"), [("page", "one_seed"), ("fair_page", "five_seeds")])
def test_batch_sizes(which: str, source: str, request: pytest.FixtureRequest) -> None:
    findings: Findings = request.getfixturevalue(source)
    rows = rows_of(section(request.getfixturevalue(which), "target").all("table", "batches")[0])
    assert list(rows) == ["cnn-2conv-dropout-batch-50", "cnn-2conv-dropout-batch-100"]
    for name, (batch, reached, *cells) in rows.items():
        trials = findings.complete(name)
        assert batch == name.rpartition("-")[2]
        assert reached == f"{len(trials)} of {len(trials)}"
        values = [
            fmean(t.stopped.epoch for t in trials),
            clean_seconds(findings.study, name, fmean(t.stopped.epoch for t in trials)),
            fmean(t.validation.balanced_accuracy for t in trials if t.validation),
            fmean(t.test.balanced_accuracy for t in trials if t.test),
        ]
        for cell, value in zip(cells, values, strict=True):
            assert_prints(cell, [value])


def pairs_by_name(findings: Findings) -> dict[tuple[str, str], dict[str, Any]]:
    return {(pair["a"], pair["b"]): pair for pair in findings.comparison.to_dict()["pairs"]}


@pytest.mark.parametrize(("which", "source"), [("page", "one_seed"), ("fair_page", "five_seeds")])
def test_the_matrix_is_that_of_comparison_json(
    which: str, source: str, request: pytest.FixtureRequest
) -> None:
    pairs = pairs_by_name(request.getfixturevalue(source))
    (table,) = request.getfixturevalue(which).all("table", "matrix")
    columns = [head.text for head in table.all("thead")[0].all("th")]
    rows = rows_of(table)
    assert list(rows) == columns
    for row, cells in rows.items():
        for column, cell in zip(columns, cells, strict=True):
            if row == column:
                assert cell == ""
            elif (row, column) in pairs:
                assert printed(cell) == [round(100 * pairs[row, column]["difference"], 2)]
            else:
                assert printed(cell) == [round(-100 * pairs[column, row]["difference"], 2)]


def test_pairs_of_one_seed_are_those_of_comparison_json(page: Element, one_seed: Findings) -> None:
    pairs = pairs_by_name(one_seed)
    rows = rows_of(page.all("table", "pairs")[0])
    assert len(rows) == len(pairs) == 15
    for heading, cells in rows.items():
        a, _, b = heading.partition(" against ")
        sign, pair = (1, pairs[a, b]) if (a, b) in pairs else (-1, pairs[b, a])
        alone = [pair["mcnemar"]["only_a"], pair["mcnemar"]["only_b"]][::sign]
        assert_prints(cells[0], [sign * 100 * pair["difference"]])
        assert [printed(cell) for cell in cells[1:3]] == [[alone[0]], [alone[1]]]
        assert_p_value(cells[3], pair["mcnemar"]["p_value"])


def test_pairs_of_several_seeds_are_those_of_comparison_json(
    fair_page: Element, five_seeds: Findings
) -> None:
    pairs = pairs_by_name(five_seeds)
    rows = fair_page.all("table", "pairs")[0].all("tbody")[0].all("tr")
    assert len(rows) == len(pairs) == 15
    for row in rows:
        a, b = (each.text for each in row.all("th")[0].all("span", "entrant"))
        sign, pair = (1, pairs[a, b]) if (a, b) in pairs else (-1, pairs[b, a])
        cells = [cell.text for cell in row.all("td")]
        ends = sorted(sign * 100 * pair[end] for end in ("low", "high"))
        assert_prints(cells[0], [sign * 100 * pair["difference"]])
        assert_prints(cells[1], ends)
        after = pair.get("corrected", pair)
        assert_prints(cells[2], sorted(sign * 100 * after[end] for end in ("low", "high")))
        assert_p_value(cells[3], pair["p_value"])
        assert_p_value(cells[4], pair["p_value_holm"])
        assert_p_value(cells[5], pair["equivalence_p_holm"])
        assert_prints(cells[6], [100 * pair["seed_share"]])


def assert_p_value(text: str, value: float) -> None:
    if value < 0.001:
        assert text == "< 0.001"
    else:
        assert_prints(text, [value])


def test_ratios_of_time_are_those_of_comparison_json(page: Element, one_seed: Findings) -> None:
    pairs = pairs_by_name(one_seed)
    table = section(page, "cost").all("table")[-1]
    rows = table.all("tbody")[0].all("tr")
    assert len(rows) == 5
    for row in rows:
        a, b = (each.text for each in row.all("th")[0].all("span", "entrant"))
        inverted = (a, b) not in pairs
        told = (pairs[b, a] if inverted else pairs[a, b])["time_ratio"]
        values = [told["ratio"], told["low"], told["high"]]
        if inverted:
            values = [1 / told["ratio"], 1 / told["high"], 1 / told["low"]]
        cells = [cell.text for cell in row.all("td")]
        assert_prints(" ".join(cells), [*values, told["rounds"]])


def test_accuracy_without_wrong_labels_is_that_of_comparison_json(
    page: Element, one_seed: Findings
) -> None:
    (table,) = section(page, "images").all("table")
    rows = rows_of(table)
    assert len(rows) == 6
    for told in one_seed.comparison.to_dict()["entrants"]:
        assert_prints(
            " ".join(rows[told["name"]]),
            [told["accuracy"]["mean"], told["accuracy_without_known_wrong"]["mean"]],
        )


@pytest.mark.parametrize(("which", "source"), [("page", "one_seed"), ("fair_page", "five_seeds")])
def test_calibration_is_that_of_the_records(
    which: str, source: str, request: pytest.FixtureRequest
) -> None:
    findings: Findings = request.getfixturevalue(source)
    rows = rows_of(request.getfixturevalue(which).all("table", "calibration")[0])
    assert list(rows) == [row.entrant for row in findings.standings]
    for name, cells in rows.items():
        tests = [trial.test for trial in findings.complete(name) if trial.test]
        accuracy = fmean(each.accuracy for each in tests)
        # Each answer of the fixture is 0.9 sure: all images are in one bin.
        error = fmean(abs(each.accuracy - 0.9) for each in tests)
        loss = fmean(each.loss for each in tests)
        assert_prints(" ".join(cells), [loss, 0.9, accuracy, error])
