"""The short version of benchmarks/simulate_failures.py, and where its figure is told."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from bakeoff.report.templating import own_text
from benchmarks.simulate_failures import verdicts

ROOT = Path(__file__).parents[2]
FIGURES = (ROOT / "benchmarks" / "results" / "simulate_failures.md").read_text()
DOCS = (ROOT / "docs" / "statistics.md").read_text()


def test_failures_that_did_not_happen_are_not_seen() -> None:
    found = verdicts(5, "zero", 150, np.random.default_rng(1))
    assert found["equivalent"] + found["better"] + found["undecided"] == 150
    # 0.95^5 is 0.774; the standard error of 150 is 3.4 per cent.
    assert found["none failed"] / 150 == pytest.approx(0.774, abs=0.1)
    assert 0.85 * found["none failed"] < found["equivalent"] <= found["none failed"]


def test_docs_and_page_say_what_was_found() -> None:
    rows = re.findall(r"^\| zero (\| \d.*)$", FIGURES, re.MULTILINE)
    assert len(rows) == 4
    assert all(f"\n{row}\n" in DOCS for row in rows)
    (five,) = (row for row in rows if row.startswith("| 5 "))
    said = f"in {float(five.split(' | ')[1]):.0f} of 100"
    assert f"{said} simulated bake-offs" in DOCS
    assert f"{said} bake-offs (simulated)" in own_text("pairs.html")
