from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from bakeoff.comparison.statistics.crossed import PairedDifference, paired_difference
from bakeoff.comparison.statistics.equivalence import equivalence_p
from bakeoff.comparison.statistics.mcnemar import mcnemar
from bakeoff.comparison.statistics.power import (
    DecisionRule,
    Plan,
    chance_of_decision,
    what_would_decide,
)
from bakeoff.comparison.statistics.spending import price
from bakeoff.comparison.verdict import (
    Evidence,
    Nearness,
    verdict,
    verdict_of_one_seed,
)
from bakeoff.comparison.words import left_out_text, p_text, points
from bakeoff.errors import DataError


def result(difference: float, low: float, high: float) -> PairedDifference:
    """A paired difference with these numbers, five seeds and 10,000 images."""
    right = np.ones((5, 10_000), dtype=bool)
    return replace(paired_difference(right, right), difference=difference, low=low, high=high)


def with_parts(difference: float, seed_part: float, image_part: float) -> PairedDifference:
    return replace(
        result(difference, -1, 1),
        seed_variance=5 * seed_part,
        seed_part=seed_part,
        image_part=image_part,
        image_step=0.0,
    )


def evidence(p_value: float, near: float = 0.9, pairs: int = 1, factor: float = 1) -> Evidence:
    nearness = Nearness(0.0025, near, min(near * factor, 1))
    return Evidence(p_value, min(p_value * factor, 1), nearness, pairs, 0.05)


def test_better() -> None:
    found = verdict("A", "B", result(0.0031, 0.0012, 0.005), evidence(0.002))
    assert (found.kind, found.better, found.plan) == ("better", "A", None)
    assert found.sentence == "A is better than B by 0.31 points (0.12 to 0.50), p = 0.002"


def test_another_confidence_than_95_per_cent_is_named() -> None:
    paired = replace(result(0.0031, 0.0012, 0.005), confidence=0.99)
    ninety_nine = replace(evidence(0.002), level=0.01)
    assert verdict("A", "B", paired, ninety_nine).sentence == (
        "A is better than B by 0.31 points (99 % interval 0.12 to 0.50), p = 0.002"
    )
    near = replace(evidence(0.4, near=0.001), level=0.001001)
    most = replace(result(0.0004, -0.0008, 0.0016), confidence=0.998999)
    assert verdict("A", "B", most, near).sentence == (
        "A and B are equivalent within 0.25 points, p = 0.001: "
        "A is 0.04 points ahead of B (99.8999 % interval 0.08 behind to 0.16 ahead)"
    )


def test_better_the_other_way_round() -> None:
    found = verdict("A", "B", result(-0.0031, -0.005, -0.0012), evidence(0.0002))
    assert found.better == "B"
    assert found.sentence == "B is better than A by 0.31 points (0.12 to 0.50), p < 0.001"


def test_equivalent() -> None:
    found = verdict("A", "B", result(0.0004, -0.0008, 0.0016), evidence(0.4, near=0.001))
    assert (found.kind, found.better) == ("equivalent", None)
    assert found.sentence == (
        "A and B are equivalent within 0.25 points, p = 0.001: "
        "A is 0.04 points ahead of B (0.08 behind to 0.16 ahead)"
    )


def test_better_by_less_than_matters_is_equivalent_and_says_both() -> None:
    found = verdict("A", "B", result(-0.001, -0.0016, -0.0004), evidence(0.004, near=0.001))
    assert (found.kind, found.better) == ("equivalent", "B")
    assert found.sentence == (
        "A and B are equivalent within 0.25 points, p = 0.001: "
        "B is better, but only by 0.10 points (0.04 to 0.16), p = 0.004"
    )


def test_holm_can_turn_better_into_undecided_and_both_p_values_are_said() -> None:
    paired = with_parts(-0.003, 1.5e-6, 1e-8)
    # t with four degrees of freedom: 2.776 standard errors alone, 4.8 at 0.05 / 7.
    paired = replace(paired, low=-0.003 - 2.776 * 1.23e-3, high=-0.0002)
    found = verdict("A", "B", paired, evidence(0.03, pairs=10, factor=7))
    assert (found.kind, found.better, found.ahead) == ("undecided", None, "B")
    assert found.sentence.startswith(
        "not yet proven: B is 0.30 points ahead of A "
        "(0.02 to 0.64 for this pair alone, 0.32 behind to 0.92 ahead after correction), "
        "p = 0.21 after Holm's correction for 10 pairs (0.030 alone); about "
    )


def test_undecided_says_what_would_decide() -> None:
    paired = replace(with_parts(0.001, 5e-7, 1e-8), low=-0.002, high=0.004)
    found = verdict("A", "B", paired, evidence(0.31))
    assert (found.ahead, found.plan) == (None, Plan(2, None, seeds=7, fewest=6, most=11))
    assert found.sentence == (
        "cannot be told apart: A is 0.10 points ahead of B (0.20 behind to 0.40 ahead), p = 0.31; "
        "about 7 seeds (6 to 20) would probably decide it"
    )


def test_undecided_says_when_only_images_can_decide() -> None:
    paired = replace(with_parts(0.001, 1e-8, 2e-6), low=-0.002, high=0.004)
    found = verdict("A", "B", paired, evidence(0.31))
    assert isinstance(found.plan, Plan)
    assert found.plan.test_images is not None
    assert found.plan == Plan(0, 33_000, seeds=5, fewest=27_000, most=33_000)
    assert found.sentence.endswith(
        "; more seeds alone cannot decide it; about 40,000 test images (20,000 to 40,000) and "
        "5 seeds probably would"
    )


def test_one_seed_never_becomes_a_claim() -> None:
    a = np.array([True] * 90 + [False] * 10)
    b = np.array([True] * 60 + [False] * 40)
    found = verdict_of_one_seed("A", "B", mcnemar(a, b), "A")
    assert (found.kind, found.better, found.ahead) == ("undecided", None, "A")
    assert found.sentence == (
        "these two trained models differ: A gets 30.00 points more of the test images right than B "
        "(alone right on 30 and 0), exact McNemar p < 0.001"
    )
    turned = verdict_of_one_seed("A", "B", mcnemar(b, a), None)
    assert turned.sentence.startswith(
        "these two trained models cannot be told apart: "
        "B gets 30.00 points more of the test images right than A"
    )


def test_left_out_trials_are_named_by_reason_and_counted_where_there_are_many() -> None:
    lost = [(2, "A diverged"), (1, "B_b missing"), (4, "A diverged")]
    assert left_out_text(lost) == "left out: seeds 2, 4 (A diverged), seed 1 (B_b missing)"
    many = [(seed, "A missing") for seed in range(1200)]
    assert left_out_text(many) == "left out: 1,200 seeds (A missing)"


def test_words_for_numbers() -> None:
    assert [p_text(p) for p in (0.0004, 0.0019, 0.0496, 0.312, 1.0)] == [
        "p < 0.001",
        "p = 0.002",
        "p = 0.0496",
        "p = 0.31",
        "p = 1.00",
    ]
    # The side of the level on which the number lies is the side on which it reads.
    assert p_text(0.00996, 0.01) == "p = 0.00996"
    assert p_text(0.0996, 0.1) == "p = 0.0996"
    assert p_text(0.1004, 0.1) == "p = 0.1004"
    assert p_text(0.1, 0.1) == "p = 0.10"
    assert p_text(0.0007, 0.0005) == "p = 0.001"
    assert p_text(0.0003, 0.0005) == "p < 0.0005"
    assert points(-0.00001) == "0.00"
    assert points(0.000123, finest=0.0001) == "0.012"


class TestEquivalence:
    def test_is_the_one_sided_test_against_the_margin(self) -> None:
        paired = with_parts(0.001, 1e-6, 0.0)
        expected = stats.t.sf((0.0025 - 0.001) / 1e-3, 4)
        assert equivalence_p(paired, 0.0025) == pytest.approx(expected)
        assert equivalence_p(replace(paired, difference=-0.001), 0.0025) == pytest.approx(expected)

    def test_beyond_the_margin_it_is_above_one_half(self) -> None:
        assert equivalence_p(with_parts(0.003, 1e-6, 0.0), 0.0025) > 0.5

    def test_identical_predictions_are_equivalent_only_on_enough_images(self) -> None:
        few, many = (np.ones((5, images), dtype=bool) for images in (500, 10_000))
        assert equivalence_p(paired_difference(few, few), 0.0025) > 0.05
        assert equivalence_p(paired_difference(many, many), 0.0025) < 0.001

    @pytest.mark.parametrize("margin", [0.0, -0.1, math.nan, math.inf])
    def test_margin_must_be_a_margin(self, margin: float) -> None:
        with pytest.raises(DataError, match="give a proportion above 0"):
            equivalence_p(with_parts(0.0, 1e-6, 0.0), margin)


class TestPlan:
    RULE = DecisionRule(level=0.05, margin=0.0025, equivalence_level=0.05)

    def test_the_seeds_it_names_are_the_fewest_that_do(self) -> None:
        paired = with_parts(0.0035, 4e-6, 1e-8)
        plan = what_would_decide(paired, self.RULE)
        assert plan.test_images is None
        assert plan.more_seeds is not None
        assert chance_of_decision(paired, self.RULE, 5 + plan.more_seeds, 1) >= 0.8
        assert chance_of_decision(paired, self.RULE, 4 + plan.more_seeds, 1) < 0.8

    def test_its_range_is_that_of_the_middle_half_of_the_estimates(self) -> None:
        paired = with_parts(0.0035, 4e-6, 0.0)
        plan = what_would_decide(paired, self.RULE)
        # Without a part from images the error is a t of four degrees of freedom, and the spread a
        # chi-square.
        reach = stats.t.ppf(0.75, 4) * 0.002
        needed = []
        for difference in (0.0035 - reach, 0.0035, 0.0035 + reach):
            for quantile in (stats.chi2.ppf(0.25, 4), 4, stats.chi2.ppf(0.75, 4)):
                if (difference == 0.0035) != (quantile == 4):
                    continue
                spread = 4e-6 * 4 / quantile
                other = with_parts(difference, spread, 0.0)
                needed.append(
                    next(
                        seeds
                        for seeds in itertools.count(6)
                        if chance_of_decision(other, self.RULE, seeds, 1) >= 0.8
                    )
                )
        assert (plan.fewest, plan.most) == (min(needed), max(needed))
        assert plan.fewest is not None
        assert plan.most is not None
        assert plan.fewest < plan.most

    def test_the_next_look_has_its_price(self) -> None:
        paired = with_parts(0.0035, 4e-6, 1e-8)
        free = what_would_decide(paired, self.RULE).more_seeds
        second = replace(self.RULE, looks=(5,))
        paid = what_would_decide(paired, second).more_seeds
        assert free is not None
        assert paid is not None
        assert paid > free
        dear = self.RULE.level / price((5, 5 + paid), self.RULE.level)
        rule = replace(self.RULE, level=dear, equivalence_level=dear)
        assert chance_of_decision(paired, rule, 5 + paid, 1) >= 0.8
        assert chance_of_decision(paired, rule, 4 + paid, 1) < 0.8

    def test_after_a_look_at_lost_seeds_the_next_has_more_than_both(self) -> None:
        # Ten were seen, five are left: this look counts as one at eleven.
        rule = replace(self.RULE, looks=(10, 11))
        more = what_would_decide(with_parts(0.1, 4e-6, 1e-8), rule).more_seeds
        assert more == 7

    def test_other_test_images_are_another_study_and_pay_nothing(self) -> None:
        paired = with_parts(0.0, 1e-9, 4e-6)
        second = replace(self.RULE, looks=(3, 5))
        assert what_would_decide(paired, second) == what_would_decide(paired, self.RULE)

    def test_chance_of_decision_against_draws(self) -> None:
        paired = with_parts(0.003, 4e-6, 1e-6)
        chance = chance_of_decision(paired, self.RULE, 20, 1)
        rng = np.random.default_rng(0)
        spread = math.sqrt(4e-6 * 5 / 20 + 1e-6)
        drawn = np.abs(rng.normal(0.003, spread, 200_000))
        # With 20 seeds the mixture is close to normal; its quantiles are a little larger.
        decided = (drawn > 2.04 * spread) | (drawn < max(0.0025 - 1.68 * spread, 0))
        assert chance == pytest.approx(decided.mean(), abs=0.02)

    def test_a_small_difference_is_planned_as_equivalence(self) -> None:
        paired = with_parts(0.0, 4e-6, 1e-8)
        without = DecisionRule(level=0.05, margin=None, equivalence_level=0.05)
        assert what_would_decide(paired, self.RULE).more_seeds is not None
        assert what_would_decide(paired, without).more_seeds is None

    def test_more_images_than_there_are(self) -> None:
        paired = with_parts(0.0, 1e-9, 4e-6)
        plan = what_would_decide(paired, self.RULE)
        assert plan.more_seeds == 0
        assert plan.test_images is not None
        assert chance_of_decision(paired, self.RULE, 5, plan.test_images / 10_000) >= 0.8
        assert chance_of_decision(paired, self.RULE, 5, 0.8 * plan.test_images / 10_000) < 0.8
