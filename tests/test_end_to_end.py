"""Real MNIST from the command to the report: good enough to be true, not too good."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bakeoff.commands.run import run_study
from bakeoff.study.toml import find_study, read_study, with_overrides

TRAINED = ("logistic-regression", "cnn-2conv-dropout-batch-100")


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two of the assignment's trainings: one epoch of 12,000 images, pixels scaled once."""
    study = read_study(find_study("assignment"))
    shorter = study.model_copy(
        update={"entrants": tuple(e for e in study.entrants if e.name in TRAINED)}
    )
    changed = [
        "protocol.pixels=scaled-once",
        "protocol.train_examples=12000",
        *(f"{name}.epochs=1" for name in TRAINED),
    ]
    out = tmp_path_factory.mktemp("end-to-end") / "run"
    run_study(with_overrides(shorter, changed), out)
    return out


@pytest.mark.parametrize(
    ("entrant", "parameters", "floor", "ceiling"),
    [
        # After one epoch; above the ceiling something leaks, below the floor something is broken.
        ("logistic-regression", 7_850, 0.83, 0.92),
        ("cnn-2conv-dropout-batch-100", 3_274_634, 0.92, 0.985),
    ],
)
def test_accuracy_on_real_mnist(
    run_folder: Path, entrant: str, parameters: int, floor: float, ceiling: float
) -> None:
    record = json.loads((run_folder / "trials" / entrant / "0" / "record.json").read_text())
    assert record["status"] == "complete"
    assert record["parameters"] == parameters
    for part in ("validation", "test"):
        assert floor < record[part]["accuracy"] < ceiling
        assert floor < record[part]["balanced_accuracy"] < ceiling
    assert sum(map(sum, record["test"]["confusion"])) == 10_000
    assert sum(map(sum, record["validation"]["confusion"])) == 6_000


def test_the_report_names_both_and_asks_nothing_of_the_network(run_folder: Path) -> None:
    page = (run_folder / "report.html").read_text()
    assert all(name in page for name in TRAINED)
    assert len(page.encode()) < 5_000_000
    assert 'src="http' not in page
    # What it cites is a click away; nothing is fetched unasked.
    links = re.findall(r'href="(http[^"]*)"', page)
    assert {link.rpartition("/10.")[0] for link in links} == {"https://doi.org"}
    assert "<link" not in page
