from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bakeoff.study.toml import find_study, read_study
from benchmarks import start_up_and_memory
from benchmarks.start_up_and_memory import main, peak_bytes, small

from ..factories import study
from .results import figures_of, first_cells

ROOT = Path(start_up_and_memory.__file__).parent.parent


def test_the_peak_is_that_of_the_child_even_after_it_gave_memory_back() -> None:
    # In a process of its own, since this one is larger than what it would measure.
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from benchmarks.start_up_and_memory import peak_bytes
assert "torch" not in sys.modules
print(peak_bytes(["-c", "pass"]), peak_bytes(["-c", "x = b'1' * 300_000_000; del x"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    without, with_memory = map(int, done.stdout.split())
    assert with_memory - without > 200_000_000
    assert with_memory < 400_000_000


def test_a_command_that_fails_is_an_error_and_no_figure() -> None:
    with pytest.raises(subprocess.CalledProcessError, match="exit status 3"):
        peak_bytes(["-c", "raise SystemExit(3)"])


def test_the_small_study_has_all_entrants_and_validation_images() -> None:
    whole = read_study(find_study("assignment"))
    less = small(whole, 100)
    assert less.protocol.train_examples == 100
    assert less.protocol.validation_examples == 6000
    assert {entrant.recipe.epochs for entrant in less.entrants} == {1}
    assert [entrant.name for entrant in less.entrants] == [one.name for one in whole.entrants]


def test_the_benchmark_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_up_and_memory, "read_study", lambda _: study())
    commands = {"bare": ("-c", "pass"), "help": ("-m", "bakeoff", "--help")}
    monkeypatch.setattr(start_up_and_memory, "COMMANDS", commands)
    counts = "--repeats 2 --train-examples 100 --precision float32"
    main([*counts.split(), "--results", str(tmp_path)])
    figures = figures_of(tmp_path, "start_up_and_memory")
    assert {name: len(rounds) for name, rounds in figures["seconds"].items()} == {
        "bare": 2, "help": 2,
    }  # fmt: skip
    assert figures["peak bytes"]["float32"] > 50_000_000
    assert first_cells(tmp_path, "start_up_and_memory") == [
        "fresh process", "bare", "help", "`bakeoff run assignment`, precision", "float32",
    ]  # fmt: skip
