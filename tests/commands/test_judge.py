"""Predictions made anywhere: from files or arrays to verdicts, a gate, a report; without torch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import bakeoff
from bakeoff.commands.judge import Judged, judge, judge_files
from bakeoff.errors import DataError, UsageError

LABELS = np.arange(400) % 4


def wrong_on(*indices: int) -> Any:
    """Answers [items] that are wrong on these items: the next class."""
    found = LABELS.copy()
    found[list(indices)] = (found[list(indices)] + 1) % 4
    return found


GOOD, BAD = wrong_on(*range(20)), wrong_on(*range(100))


def write(file: Path, answers: Any) -> Path:
    rows = [f"i{place},{LABELS[place]},{each}\n" for place, each in enumerate(answers)]
    file.write_text("item,label,predicted\n" + "".join(rows))
    return file


def test_one_run_each_is_about_these_models() -> None:
    found = judge({"bad": BAD, "good": GOOD}, LABELS)
    assert [row.name for row in found.standings] == ["good", "bad"]
    assert found.comparison.about == "models"
    assert str(found.verdict("bad", "good")).startswith(
        "of these trained models, on new items: good is better than bad by 20.00 points ("
    )
    assert found.answer == "Of these trained models, on new items, good is better than bad."
    assert found.predictions.understood == (
        "arrays: 2 entrants, 2 runs, 400 items; runs are paired by their place",
    )


def test_several_runs_are_about_architectures() -> None:
    found = judge({"good": np.tile(GOOD, (3, 1)), "bad": np.tile(BAD, (3, 1))}, LABELS)
    assert found.comparison.about == "architectures"
    assert found.answer == "With new seeds, on new items, good is better than bad."


def test_losses_are_those_of_the_probability_of_the_label() -> None:
    shares = np.full((1, 400, 4), 0.1, np.float32)
    shares[0, np.arange(400), LABELS] = 0.7
    even = np.full((1, 400, 4), 0.25, np.float32)
    found = judge({"even": even, "sharp": shares}, LABELS, metric="log_loss")
    assert [row.name for row in found.standings] == ["sharp", "even"]
    scores = [found.score_of(row) for row in found.standings]
    assert [each.mean for each in scores if each] == pytest.approx([-np.log(0.7), np.log(4)])
    # (1 - 0.7)^2 + 3 x 0.1^2 and 0.75^2 + 3 x 0.25^2.
    found = judge({"even": even, "sharp": shares}, LABELS, metric="brier")
    scores = [found.score_of(row) for row in found.standings]
    assert [each.mean for each in scores if each] == pytest.approx([0.12, 0.75])


def test_a_label_of_probability_0_has_no_log_loss() -> None:
    shares = np.zeros((1, 400, 4), np.float32)
    shares[0, np.arange(400), GOOD] = 1
    with pytest.raises(DataError) as caught:
        judge(
            {"a": shares, "b": shares}, LABELS, metric="log_loss", items=[f"i{n}" for n in LABELS]
        )
    assert str(caught.value) == (
        "entrant 'a', run 0, item i0: its label has probability 0, so the log loss is infinite; "
        "take --metric brier"
    )


def test_a_margin_is_in_points_or_in_the_unit_of_scores() -> None:
    assert judge({"a": GOOD, "b": BAD}, LABELS).comparison.equivalence_margin == 0.0025
    assert judge({"a": GOOD, "b": BAD}, LABELS, margin=2).comparison.equivalence_margin == 0.02
    scores = {"a": np.linspace(0, 1, 50), "b": np.linspace(1, 0, 50)}
    assert judge(scores).comparison.equivalence_margin is None
    assert judge(scores, margin=2).comparison.equivalence_margin == 2


@pytest.mark.parametrize(
    ("answers", "keys", "complaint"),
    [
        ({"a": GOOD}, {}, "a: classes need labels; give them, or scores as floats"),
        (
            {"a": GOOD, "b": BAD[1:]},
            {"labels": LABELS},
            "b: 399 items, and 400 of labels; give each the same items, as [seeds, items] or "
            "[seeds, items, classes]",
        ),
        (
            {"a": np.array(["x"])},
            {},
            "a: <U1 [1]; give integer [seeds, items], float [seeds, items, classes] or [seeds, "
            "items], or bool [seeds, items]",
        ),
        ({"a": np.array([0.5, np.nan])}, {}, "a: nan at [0, 1]; give finite numbers"),
        (
            {"a": np.full((1, 400, 4), 0.5)},
            {"labels": LABELS},
            "a, run 0, item 0: 2 is the sum of its numbers, not 1; give probabilities",
        ),
        (
            {"a": GOOD},
            {"labels": LABELS / 2},
            "labels: float64 [400]; give class numbers, integer [items]",
        ),
        ({}, {}, "no answers: give an array for each entrant"),
    ],
)
def test_arrays_that_do_not_fit(
    answers: dict[str, Any], keys: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(DataError) as caught:
        judge(answers, **keys)
    assert str(caught.value) == complaint


def test_a_metric_that_is_none() -> None:
    with pytest.raises(UsageError) as caught:
        judge({"a": GOOD, "b": BAD}, LABELS, metric="accurate")
    assert str(caught.value) == "unknown metric 'accurate'; did you mean 'accuracy'?"


def test_a_notebook_shows_table_and_verdicts_and_no_markup_of_names() -> None:
    found = bakeoff.judge({"<b>": GOOD, "bad": BAD}, LABELS)
    assert isinstance(found, Judged)
    page = found._repr_html_()
    assert "&lt;b&gt; is better than bad by 20.00 points" in page
    assert "<b>" not in page
    assert "http" not in page


def test_files_come_to_what_their_arrays_come_to(tmp_path: Path) -> None:
    files = [write(tmp_path / "good.csv", GOOD), write(tmp_path / "bad.csv", BAD)]
    of_files = judge_files(files).comparison.to_dict()
    assert of_files == judge({"good": GOOD, "bad": BAD}, LABELS).comparison.to_dict()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bad.csv", "good.csv"]


def test_a_report_shows_items_with_names_and_pictures(tmp_path: Path) -> None:
    names = [f"photo-{place}" for place in range(400)]
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (300, 200), (9, 8, 7)).save(tmp_path / "photos" / "photo-0.png")
    found = judge({"good": GOOD, "bad": BAD}, LABELS, items=names, classes=["a", "b", "c", "d"])
    page = found.report(tmp_path / "out", images=tmp_path / "photos")
    html = page.read_text()
    assert page == tmp_path / "out" / "report.html"
    assert "The hardest items" in html
    assert "photo-0</p>" in html
    assert html.count('<img class="sample"') == 1
    assert 'width="160" height="107"' in html
    for word in ("clean seconds", "validation", "Parameters", "test images", "trained anew"):
        assert word not in html
    assert json.loads((tmp_path / "out" / "comparison.json").read_text()) == found.to_dict()
    assert sorted(each.name for each in (tmp_path / "out" / "figures").iterdir()) == [
        "classes-f1.svg",
        "classes-precision.svg",
        "classes-recall.svg",
        "confusion-bad.svg",
        "confusion-good.svg",
        "seeds.svg",
    ]


def test_a_report_of_scores_has_no_classes(tmp_path: Path) -> None:
    draw = np.random.default_rng(0).normal
    found = judge({"a": draw(1, 1, (3, 80)), "b": draw(0, 1, (3, 80))}, groups=np.arange(80) // 2)
    html = found.report(tmp_path / "out").read_text()
    assert "40 groups of items were drawn, not single items" in html
    assert 'id="classes"' not in html
    assert "in its own unit" in html


def test_with_a_baseline_the_page_shows_its_pairs_alone(tmp_path: Path) -> None:
    rows = {f"e{number}": wrong_on(*range(10 * number)) for number in range(5)}
    html = judge(rows, LABELS, baseline="e2").report(tmp_path / "out").read_text()
    assert html.count('<span class="quiet">against</span>') == 4
    assert 'class="matrix"' not in html


def test_a_run_folder_keeps_its_own_report(tmp_path: Path) -> None:
    (tmp_path / "study.toml").touch()
    with pytest.raises(UsageError) as caught:
        judge({"a": GOOD, "b": BAD}, LABELS).report(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: a run folder, with a report of its own; give another folder"
    )


def test_pictures_come_from_their_folder_alone(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "secret.png")
    found = judge({"a": GOOD, "b": BAD}, LABELS, items=["../secret"] * 400)
    html = found.report(tmp_path / "out", images=tmp_path / "photos").read_text()
    assert '<img class="sample"' not in html


def test_a_gate_in_a_shell(tmp_path: Path) -> None:
    write(tmp_path / "good.csv", GOOD)
    write(tmp_path / "bad.csv", BAD)
    script = (
        "bakeoff judge good.csv bad.csv --require 'good > bad' > met; echo $?\n"
        "bakeoff judge good.csv bad.csv --require 'bad >= good - 0.25' > refuted; echo $?\n"
        "bakeoff judge good.csv bad.csv --require 'bad < good' > wrong; echo $?\n"
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["0", "3", "2"]
    refused, wrong = done.stderr.splitlines()
    assert refused.startswith(
        "bakeoff: not shown: refuted: bad >= good - 0.25: of these trained models, on new items: "
        "bad is 20.00 points behind good ("
    )
    assert wrong.startswith("bakeoff: cannot read the requirement 'bad < good': ")
    assert "met: good > bad: " in (tmp_path / "met").read_text()


def test_nothing_on_the_way_imports_torch_or_the_studies(tmp_path: Path) -> None:
    files = [str(write(tmp_path / "good.csv", GOOD)), str(write(tmp_path / "bad.csv", BAD))]
    code = (
        "import sys; from bakeoff.cli.main import run\n"
        f"assert run(['judge', *{files!r}]) == 0\n"
        "print(sorted({'torch', 'scipy.optimize', 'matplotlib'} & sys.modules.keys()))\n"
        f"assert run(['judge', *{files!r}, '--out', {str(tmp_path / 'out')!r}]) == 0\n"
        "assert 'torch' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "\n[]\n" in done.stdout
    assert done.stdout.endswith(f"report: {tmp_path / 'out' / 'report.html'}\n")
