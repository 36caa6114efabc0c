from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.machines.ray_efficiency import main

from ..results import figures_of, first_cells


@pytest.mark.filterwarnings("ignore")  # Ray's own.
def test_the_benchmark_runs(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    main(["--seconds", "0.1", "--together", "0.1", "--results", str(tmp_path)])
    [(name, figures)] = figures_of(tmp_path, "ray_efficiency").items()
    assert (name, figures["trials"]) == ("0.1 s", 2)
    assert 0 < figures["efficiency"] < 1
    assert len(first_cells(tmp_path, "ray_efficiency")) == 2
