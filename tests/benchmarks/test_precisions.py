from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from bakeoff.errors import StoreError
from bakeoff.records.folder import RunFolder
from bakeoff.study.study import Decision
from benchmarks.precisions import main, precisions

from ..factories import WEIGHTS, entrant, record, scored, study
from .results import figures_of, first_cells
from .test_two_halves import DIGITS, predictions

LIKE_FLOAT32: Mapping[str, Sequence[int]] = {"a": (10, 10, 10, 10), "b": (30, 31, 32, 33)}


def run_folder(path: Path, precision: str, wrong: Mapping[str, Sequence[int]]) -> RunFolder:
    """A run whose trials err on so many test images: entrant -> one number per seed."""
    # One of the 500 test images is 0.2 points: within the usual margin nothing could be shown.
    asked = study(*map(entrant, wrong), seeds=4, decision=Decision(equivalence_margin=2))
    folder = RunFolder.create(path, asked)
    for name, numbers in wrong.items():
        for seed, number in enumerate(numbers):
            made = record(asked, name, seed, 0.9)
            made = made.model_copy(
                update={"provenance": made.provenance.model_copy(update={"precision": precision})}
            )
            found = predictions(asked, seed, number)
            folder.write_trial(scored(made, found), WEIGHTS, found)
    return folder


def test_the_same_answers_are_equivalent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = [
        run_folder(tmp_path / precision, precision, LIKE_FLOAT32)
        for precision in ("float32", "bfloat16")
    ]
    found = precisions(*folders)
    assert [each.entrant for each in found] == ["a", "b"]
    assert all(each.equivalent for each in found)
    assert found[0].pair.seeds == (0, 1, 2, 3)
    results = tmp_path / "results"
    assert main([*(str(folder.path) for folder in folders), "--results", str(results)]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == "2 of 2 entrants are equivalent in both precisions"
    assert told[-3] == found[0].pair.verdict.sentence
    assert told[-3].startswith("a in bfloat16 and a in float32 are equivalent within 2.00 points")
    assert first_cells(results, "precisions") == ["entrant", "a", "b"]
    assert figures_of(results, "precisions")["b"]["verdict"] == "equivalent"


def test_one_that_is_not_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    float32 = run_folder(tmp_path / "float32", "float32", LIKE_FLOAT32)
    worse = {"a": LIKE_FLOAT32["a"], "b": (120, 121, 122, 123)}
    bfloat16 = run_folder(tmp_path / "bfloat16", "bfloat16", worse)
    alike, apart = precisions(float32, bfloat16)
    assert alike.equivalent
    assert not apart.equivalent
    assert apart.pair.verdict.better == "b in float32"
    # bfloat16 minus float32; the classes are about as frequent as each other.
    paired = apart.pair.paired
    assert paired is not None
    assert paired.difference == pytest.approx(-90 / len(DIGITS.test_labels), rel=0.05)
    folders = [str(float32.path), str(bfloat16.path)]
    assert main([*folders, "--results", str(tmp_path / "results")]) == 1
    told = capsys.readouterr().out
    assert f"{100 * paired.difference:+.3f}" in told
    assert told.endswith("1 of 2 entrants are equivalent in both precisions\n")


def test_one_seed_decides_nothing(tmp_path: Path) -> None:
    folders = [
        run_folder(tmp_path / precision, precision, {"a": (10,)})
        for precision in ("float32", "bfloat16")
    ]
    results = tmp_path / "results"
    assert main([*(str(folder.path) for folder in folders), "--results", str(results)]) == 1
    assert "| a | 1 | - | - | - | undecided |" in (results / "precisions.md").read_text()


def test_folders_given_the_wrong_way_round(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    float32 = run_folder(tmp_path / "float32", "float32", LIKE_FLOAT32)
    bfloat16 = run_folder(tmp_path / "bfloat16", "bfloat16", LIKE_FLOAT32)
    assert main([str(bfloat16.path), str(float32.path)]) == 1
    assert capsys.readouterr().err == (
        f"precisions: {float32.trial('a', 0).path}: trained in float32, not bfloat16; "
        "give the float32 run first\n"
    )


def test_other_studies_are_not_compared(tmp_path: Path) -> None:
    float32 = run_folder(tmp_path / "float32", "float32", LIKE_FLOAT32)
    other = run_folder(tmp_path / "bfloat16", "bfloat16", {"a": (10, 10, 10, 10)})
    with pytest.raises(StoreError) as caught:
        precisions(float32, other)
    assert str(caught.value) == f"{other.path}: another study than that of {float32.path}"
