from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import growth
from benchmarks.growth import KINDS, Kind, main, small_study, study_table
from benchmarks.interleaved import Turns

from .results import figures_of, first_cells


def test_each_kind_changes_one_thing() -> None:
    smallest = small_study()
    for kind in KINDS:
        assert kind.study(kind.sizes[0]).asked() == smallest.asked()
    images, seeds, entrants = (kind.study(kind.sizes[-1]) for kind in KINDS)
    assert images.protocol.train_examples == 8000
    assert (images.seeds, len(images.entrants)) == (1, 1)
    assert (seeds.seeds, seeds.asked()) == (8, smallest.asked())
    assert (entrants.seeds, len(entrants.entrants)) == (1, 8)
    assert len({entrant.architecture for entrant in entrants.entrants}) == 1


def test_cost_is_shown_beside_the_smallest_of_its_kind() -> None:
    turns = Turns(("1000", "4000"), np.array([[1.0, 2.0, 3.0], [3.0, 5.0, 6.0]]))
    assert study_table(KINDS[0], turns).rows == (
        ("1,000", "2.00", "", ""),
        ("4,000", "5.00", "2.50 (2.00 to 3.00)", "4"),
    )


def test_the_benchmark_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds = Kind("seeds", (1, 2), lambda size: small_study(images=50, seeds=size))
    monkeypatch.setattr(growth, "KINDS", (seeds,))
    counts = "--rounds 1 --examples 30 --only logistic-regression cnn-1conv"
    main([*counts.split(), "--results", str(tmp_path)])
    figures = figures_of(tmp_path, "growth")
    assert figures["batch sizes"]["cnn-1conv"].keys() == {"10", "25"}
    assert figures["studies"]["seeds"].keys() == {"1", "2"}
    assert first_cells(tmp_path, "growth") == [
        "microseconds per example, in batches of", "logistic-regression", "cnn-1conv",
        "seeds", "1", "2",
    ]  # fmt: skip
