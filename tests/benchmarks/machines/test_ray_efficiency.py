from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.machines.ray_efficiency import main, processor_seconds

from ..results import figures_of, first_cells


def test_what_a_child_takes_is_counted_while_it_lives_and_when_it_is_gone() -> None:
    before = processor_seconds()
    busy = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", busy], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert processor_seconds() - before > 0.25
        child.communicate(b"\n")
    assert processor_seconds() - before > 0.25


@pytest.mark.filterwarnings("ignore")  # Ray's own.
def test_the_benchmark_runs(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    main(["--seconds", "0.1", "--together", "0.1", "--results", str(tmp_path)])
    [(name, figures)] = figures_of(tmp_path, "ray_efficiency").items()
    assert (name, figures["trials"]) == ("0.1 s", 2)
    assert 0 < figures["of the wall time"] < figures["of the processor time"] < 1
    assert len(first_cells(tmp_path, "ray_efficiency")) == 2
