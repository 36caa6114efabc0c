"""What is said of the winner, and never more than its trials tell."""

from __future__ import annotations

from typing import Literal

import numpy as np

from bakeoff.comparison.compare import compare
from bakeoff.comparison.outcome import EntrantOutcome
from bakeoff.findings.answer import answer, beats_all
from bakeoff.findings.standings import standings

from ..factories import entrant, record, study

LABELS = np.arange(3000) % 3


def outcome(name: str, wrong: tuple[int, ...]) -> EntrantOutcome:
    """An entrant that errs on so many images with seed 0, 1, ..., drawn alike for all entrants."""
    predicted = np.tile(LABELS, (len(wrong), 1))
    for seed, number in enumerate(wrong):
        chosen = np.random.default_rng(seed).permutation(3000)[:number]
        predicted[seed, chosen] = (LABELS[chosen] + 1) % 3
    times = np.ones(len(wrong))
    return EntrantOutcome(name, predicted, tuple(range(len(wrong))), times, times)


def answered(
    wrong_of_a: tuple[int, ...],
    wrong_of_b: tuple[int, ...],
    about: Literal["architectures", "models"] = "architectures",
) -> str:
    asked = study(entrant("a"), entrant("b"), seeds=max(len(wrong_of_a), len(wrong_of_b)))
    records = [
        record(asked, name, seed, value)
        if seed < len(wrong)
        else record(asked, name, seed, status="diverged", validation=None, test=None, cost=None)
        for name, value, wrong in (("a", 0.9, wrong_of_a), ("b", 0.8, wrong_of_b))
        for seed in asked.trial_seeds
    ]
    outcomes = [outcome("a", wrong_of_a), outcome("b", wrong_of_b)]
    compared = compare(outcomes, LABELS, 3, about=about)
    return answer(asked, standings(asked, records), compared)


FIRST = (
    "a stands first on validation data, with a balanced accuracy of 0.9000 there and 0.4500 on the "
    "test images"
)


def test_a_verdict_is_told_from_the_side_of_the_winner() -> None:
    assert (
        answered((60, 60, 60), (600, 600, 600))
        == f"{FIRST}. On the test images it is better than b."
    )
    assert answered((60, 60, 60), (2, 2, 2)) == f"{FIRST}. On the test images it is worse than b."
    assert (
        answered((60, 60, 60), (61, 61, 61))
        == f"{FIRST}. On the test images it is equivalent to b."
    )
    assert (
        answered((60, 60, 60), (61, 69, 77))
        == f"{FIRST}. On the test images it cannot be told from b."
    )


def test_one_training_of_each_ranks_trained_networks() -> None:
    assert answered((60,), (600,)) == (
        f"{FIRST}. That is one training of each network, so it ranks these trained networks; it "
        "cannot tell which architecture is better."
    )


def test_one_training_of_the_winner_alone_is_not_one_of_each() -> None:
    assert answered((60,), (600, 600, 600)) == (
        f"{FIRST}. That is one training of a, so it says something of this trained network; it "
        "cannot tell which architecture is better."
    )


def test_nobody_to_compare_with() -> None:
    assert answered((60, 60, 60), ()) == f"{FIRST}; there is no other entrant to compare it with."


def test_of_these_models_one_training_of_each_can_tell() -> None:
    assert answered((60,), (600,), about="models") == (
        f"{FIRST}. Of these trained models, on new test images, it is better than b."
    )


def test_with_a_baseline_the_winner_is_held_against_it_alone() -> None:
    asked = study(entrant("a"), entrant("b"), entrant("c"), seeds=3)
    records = [
        record(asked, name, seed, value)
        for name, value in (("a", 0.9), ("b", 0.8), ("c", 0.7))
        for seed in range(3)
    ]
    outcomes = [outcome("a", (60,) * 3), outcome("b", (600,) * 3), outcome("c", (900,) * 3)]
    compared = compare(outcomes, LABELS, 3, baseline="c")
    assert answer(asked, standings(asked, records), compared) == (
        f"{FIRST}. On the test images it is better than c."
    )


def test_while_trials_are_missing_there_is_no_finding() -> None:
    asked = study(entrant("a"), entrant("b"), seeds=3)
    records = [record(asked, name, 0, 0.9) for name in ("a", "b")]
    compared = compare([outcome("a", (60,)), outcome("b", (600,))], LABELS, 3)
    said = answer(asked, standings(asked, records), compared)
    assert said == "2 of 6 trials; no finding yet."


def test_to_beat_all_takes_a_verdict_against_each() -> None:
    best, next_best, near = (60, 60, 60), (600, 600, 600), (61, 69, 77)

    def beats(*others: tuple[int, ...]) -> bool:
        outcomes = [outcome("a", best), *(outcome(f"b{n}", w) for n, w in enumerate(others))]
        return beats_all("a", compare(outcomes, LABELS, 3))

    assert beats(next_best, next_best)
    assert not beats(next_best, near)
    assert not beats((61, 61, 61))
    assert not beats()
    assert not beats_all("b0", compare([outcome("a", best), outcome("b0", next_best)], LABELS, 3))
