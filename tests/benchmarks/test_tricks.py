from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bakeoff.engine import adam, linear, twin
from bakeoff.engine import step as steps
from bakeoff.training import moving
from bakeoff.training import trial as trials
from bakeoff.training.loop import EpochLoss
from benchmarks.task import assignment
from benchmarks.tricks import TRICKS, burst, main

from .results import figures_of, first_cells


@pytest.mark.parametrize("name", TRICKS)
def test_a_trick_is_left_out_inside_and_back_afterwards(name: str) -> None:
    trick = TRICKS[name]
    before = getattr(trick.module, trick.name)
    with trick.left_out():
        assert getattr(trick.module, trick.name) is not before
    assert getattr(trick.module, trick.name) is before
    assert trick.module in (moving, trials, steps, adam, linear, twin)


@pytest.mark.parametrize("network", ["mlp-2x200", "cnn-2conv"])
@pytest.mark.parametrize("name", [name for name in TRICKS if "dropout" not in name])
def test_a_step_without_a_trick_is_the_same_step(name: str, network: str) -> None:
    study = assignment()
    entrant = study.entrant(network)
    whole = burst(study, entrant, "float32", 100, None)
    without = burst(study, entrant, "float32", 100, TRICKS[name])
    for tolerance in (1e-3, 1e-2):
        reached, expected = without(), whole()
        assert isinstance(reached, EpochLoss)
        assert isinstance(expected, EpochLoss)
        assert reached.mean == pytest.approx(expected.mean, rel=tolerance)


def test_the_benchmark_runs(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    counts = "--rounds 1 --examples 50 --only mlp-2x200 --precision float32"
    main([*counts.split(), "--results", str(tmp_path)])
    figures = figures_of(tmp_path, "tricks")
    assert figures["seconds"]["mlp-2x200, float32"].keys() == {"all tricks", *TRICKS}
    assert first_cells(tmp_path, "tricks") == ["entrant", "mlp-2x200"]
    assert torch.get_num_threads() == threads
