from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import benchmarks.two_names
from bakeoff.comparison.compare import compare
from bakeoff.comparison.outcome import EntrantOutcome
from bakeoff.data.readers.digits import load_digits
from bakeoff.records.folder import RunFolder
from bakeoff.study.toml import find_study, read_study
from benchmarks.two_names import claims, dealt, main, tossed, two_names

from ..factories import WEIGHTS, entrant, record, scored, study
from .test_two_halves import predictions

LABELS = load_digits().test_labels
RNG = np.random.default_rng(0)


def run_folder(path: Path, seeds: int, learning_rate_of_b: float = 0.001) -> RunFolder:
    """A run of two names of one network, on which every training errs on other 30 images."""
    asked = study(entrant("a"), entrant("b", learning_rate=learning_rate_of_b), seeds=seeds)
    folder = RunFolder.create(path, asked)
    for seed in range(seeds):
        for name, wrong in (("a", 30), ("b", 31)):
            found = predictions(asked, seed, wrong)
            folder.write_trial(scored(record(asked, name, seed), found), WEIGHTS, found)
    return folder


def test_each_training_takes_part_once_in_a_split() -> None:
    right = np.zeros((2, 7, 14), np.bool_)
    for name, seed in np.ndindex(2, 7):
        right[name, seed, 7 * name + seed] = True
    bakeoffs = list(dealt(right, 3, 2, RNG))
    assert [each.shape for each in bakeoffs] == [(2, 3, 14)] * 4
    for split in (bakeoffs[:2], bakeoffs[2:]):
        assert sum(each.sum() for each in split) == 12
        assert np.sum(split, axis=(0, 1, 2)).max() == 1
    for a, b in bakeoffs:  # A training and the one with its seed under the other name.
        assert np.array_equal(a.argmax(axis=1) % 7, b.argmax(axis=1) % 7)


def test_either_training_bears_either_name() -> None:
    right = np.zeros((2, 20, 1), np.bool_)
    right[1] = True
    of_a = np.concatenate([a for a, _ in dealt(right, 5, 20, RNG)])
    assert abs(of_a.mean() - 0.5) < 0.15


def test_tossed_answers_are_right_as_often_as_the_trainings_were() -> None:
    right = np.zeros((2, 4, 3), np.bool_)
    right[:, :, 1] = True
    right[:, :2, 2] = True
    mean = np.mean(list(tossed(right, 5, 200, RNG)), axis=(0, 1, 2))
    assert mean[:2].tolist() == [0, 1]
    assert abs(mean[2] - 0.5) < 0.06


def test_claims_are_those_of_a_comparison() -> None:
    wrong = RNG.random((40, 2, 3, 500)) < np.linspace(0, 0.4, 40)[:, None, None, None]
    wrong[:, 1] &= RNG.random((40, 3, 500)) < 0.9
    said = set()
    for pair in ~wrong:
        outcomes = [
            EntrantOutcome(
                name,
                np.where(right, LABELS, (LABELS + 1) % 10),
                (0, 1, 2),
                np.zeros(3),
                np.zeros(3),
            )
            for name, right in zip("ab", pair, strict=True)
        ]
        (found,) = compare(outcomes, LABELS, 10, equivalence_margin=0.01).pairs
        told = claims([pair], LABELS)
        assert told.difference == (found.verdict.better is not None)
        assert told.equivalence_within_a_point == (found.verdict.kind == "equivalent")
        said.add(found.verdict.kind)
    assert said == {"better", "equivalent", "undecided"}


def test_a_run_of_two_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmarks.two_names, "BLOCKS", 2)
    monkeypatch.setattr(benchmarks.two_names, "SEEDS", (3,))
    folder = run_folder(tmp_path / "run", 6)
    (found,) = two_names(folder)
    assert (~found.right).sum(axis=2).tolist() == [[30] * 6, [31] * 6]
    assert main([str(folder.path), "--splits", "2"]) == 0
    *_, row = capsys.readouterr().out.splitlines()
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:3] == ["a", "3", "4"]
    assert len(cells) == 8


@pytest.mark.parametrize(
    ("seeds", "learning_rate", "complaint"),
    [
        (2, 0.001, "2 seeds are too few for 10 blocks of 10: run it with --seeds 400"),
        (2, 0.002, "no two entrants have the same network and recipe"),
    ],
)
def test_runs_that_say_nothing(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    seeds: int,
    learning_rate: float,
    complaint: str,
) -> None:
    folder = run_folder(tmp_path / "run", seeds, learning_rate)
    assert main([str(folder.path)]) == 1
    assert capsys.readouterr().err == f"two_names: {folder.path}: {complaint}\n"


def test_the_study_has_two_names_of_two_networks() -> None:
    asked = read_study(Path(benchmarks.two_names.__file__).with_suffix(".toml"))
    a, a_again, b, b_again = asked.entrants
    assert (a.network, a.recipe) == (a_again.network, a_again.recipe)
    assert (b.network, b.recipe) == (b_again.network, b_again.recipe)
    assert a.network != b.network
    quick = {each.name: each for each in read_study(find_study("quick")).entrants}
    assert [quick[each.name].recipe for each in (a, b)] == [a.recipe, b.recipe]
