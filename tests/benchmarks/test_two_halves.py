from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bakeoff.data.readers.digits import load_digits
from bakeoff.data.split import split_of
from bakeoff.records.folder import RunFolder
from bakeoff.study.study import Study
from benchmarks.two_halves import halves, main

from ..factories import WEIGHTS, entrant, record, scored, study

DIGITS = load_digits()


def predictions(of: Study, seed: int, wrong: int) -> dict[str, NDArray[Any]]:
    """Return what a trial would leave that gets this many test images wrong."""
    answers = DIGITS.test_labels.copy()
    chosen = np.random.default_rng([seed, wrong]).permutation(len(answers))[:wrong]
    answers[chosen] = (answers[chosen] + 1) % 10
    split = split_of(of, seed, DIGITS)
    labels = DIGITS.train_labels[split.validation]
    return {
        "validation_index": split.validation,
        "validation_logits": np.eye(10, dtype=np.float32)[labels],
        "validation_labels": labels,
        "test_logits": np.eye(10, dtype=np.float32)[answers],
        "test_labels": DIGITS.test_labels,
    }


def run_folder(path: Path, wrong_of_b: tuple[int, ...]) -> RunFolder:
    """A run of two entrants: `a` errs on 30 images in every trial, `b` on these many."""
    asked = study(entrant("a"), entrant("b"), seeds=len(wrong_of_b))
    folder = RunFolder.create(path, asked)
    for seed, wrong in enumerate(wrong_of_b):
        for name, number in (("a", 30), ("b", wrong)):
            found = predictions(asked, seed, number)
            folder.write_trial(scored(record(asked, name, seed), found), WEIGHTS, found)
    return folder


def test_halves_that_agree(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run_folder(tmp_path / "run", (120, 121, 122, 123, 124, 125, 126, 127))
    (pair,) = halves(folder)
    assert (pair.first.seeds, pair.second.seeds) == ((0, 1, 2, 3), (4, 5, 6, 7))
    assert (pair.first.verdict.better, pair.second.verdict.better) == ("a", "a")
    assert main([str(folder.path)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "a, b"
    assert told[1] == f"  first half:  {pair.first.verdict.sentence}"
    assert "left out" not in told[1]
    assert told[-1] == "1 pairs: 1 with the same verdict, 0 contradict"


def test_undecided_contradicts_nothing(tmp_path: Path) -> None:
    (pair,) = halves(run_folder(tmp_path / "run", (31, 32, 33, 120, 121, 122)))
    assert (pair.first.verdict.better, pair.second.verdict.better) == (None, "a")
    assert not pair.contradicts


def test_halves_that_contradict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run_folder(tmp_path / "run", (2, 3, 4, 5, 120, 121, 122, 123))
    (pair,) = halves(folder)
    assert (pair.first.verdict.better, pair.second.verdict.better) == ("b", "a")
    assert main([str(folder.path)]) == 1
    assert "a, b: CONTRADICTION" in capsys.readouterr().out


def test_too_few_seeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run_folder(tmp_path / "run", (2, 3, 4))
    assert main([str(folder.path)]) == 1
    assert capsys.readouterr().err == (
        f"two_halves: {folder.path}: 3 seeds are too few to halve: run it with --seeds 10\n"
    )
