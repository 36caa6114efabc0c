"""What a study could show, in points."""

from __future__ import annotations

import pytest

from bakeoff.comparison.statistics.reach import smallest_difference
from bakeoff.findings.reach import PARTING, pairs_of, smallest_differences
from bakeoff.study.study import Decision

from ..factories import entrant, study

TWO = study(entrant("a"), entrant("b"), seeds=3)
FOUR = study(*(entrant(name) for name in "abcd"), seeds=3)


def test_each_two_entrants_are_a_pair() -> None:
    assert (pairs_of(study()), pairs_of(TWO), pairs_of(FOUR)) == (0, 1, 6)


def test_with_a_baseline_only_its_pairs_count() -> None:
    against = FOUR.model_copy(update={"decision": Decision(baseline="b")})
    assert pairs_of(against) == 3


def test_differences_are_points_and_pay_for_all_pairs() -> None:
    assert smallest_differences(TWO, 10_000)[0.1] == pytest.approx(
        100 * (smallest_difference(10_000, 3, 0.1, 0.05) or 0)
    )
    assert smallest_differences(FOUR, 10_000)[0.1] == pytest.approx(
        100 * (smallest_difference(10_000, 3, 0.1, 0.05 / 6) or 0)
    )


def test_a_bolder_rule_finds_smaller_ones() -> None:
    bold = TWO.model_copy(update={"decision": Decision(confidence=0.8)})
    assert (smallest_differences(bold, 10_000)[0.1] or 9) < (
        smallest_differences(TWO, 10_000)[0.1] or 0
    )


def test_one_seed_and_few_images_find_nothing() -> None:
    alone = TWO.model_copy(update={"seeds": 1})
    assert smallest_differences(alone, 10_000) == dict.fromkeys(PARTING)
    assert smallest_differences(TWO, 20)[0.01] is None
