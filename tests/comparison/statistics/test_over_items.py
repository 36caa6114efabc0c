from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from bakeoff.comparison.statistics.difference import Difference, of_answers, of_means, of_scores
from bakeoff.comparison.statistics.equivalence import equivalence_p
from bakeoff.comparison.statistics.layout import layout_of
from bakeoff.comparison.statistics.over_items import OverItems, over_items


def told(
    found: Difference, labels: np.ndarray | None = None, confidence: float = 0.95
) -> OverItems:
    layout = layout_of(found.d.shape[1], labels, None)
    return over_items(found, layout, (1, 1), confidence)


def parted(only_a: int, only_b: int, items: int) -> Difference:
    """Models that part on so many items."""
    a, b = np.ones((2, 1, items), dtype=bool)
    b[:, :only_a] = False
    a[:, only_a : only_a + only_b] = False
    return of_answers(a, b)


def test_right_and_wrong_are_judged_by_mcnemars_score() -> None:
    found = told(parted(30, 12, 100_000))
    assert found.difference == 0.00018
    # (30 - 12) / sqrt(30 + 12) by the normal distribution; terms of one in 100,000 apart.
    assert found.p_value == pytest.approx(2 * stats.norm.sf(18 / 42**0.5), rel=1e-3)


@pytest.mark.parametrize(("only_a", "only_b"), [(9, 3), (3, 9), (5, 0), (20, 20), (0, 1)])
def test_the_interval_is_tangos_where_few_items_part_the_models(only_a: int, only_b: int) -> None:
    items = 100_000
    found = told(parted(only_a, only_b, items))
    for end in (found.low, found.high):
        # Tango (1998): the constrained maximum likelihood estimate of the share of b alone.
        b = (2 * items - only_a + only_b) * end - only_a - only_b
        root = np.sqrt(b**2 + 8 * items * only_b * end * (1 - end))
        q = (root - b) / (4 * items)
        score = (only_a - only_b - items * end) / np.sqrt(items * (2 * q + end * (1 - end)))
        assert abs(score) == pytest.approx(1.96, rel=2e-3)


def test_without_a_disagreement_the_rule_of_three_at_two_sides_is_left() -> None:
    found = told(parted(0, 0, 10_000))
    assert (found.difference, found.p_value) == (0.0, 1.0)
    assert (found.low, found.high) == pytest.approx((-3.84e-4, 3.84e-4), rel=1e-3)


def test_the_interval_leaves_out_zero_just_where_p_is_below_five_per_cent() -> None:
    for only_a in range(3, 30):
        found = told(parted(only_a, 4, 500))
        assert (found.low > 0) == (found.p_value < 0.05), only_a


def test_scores_are_judged_by_the_paired_t_test() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.gamma(1, 1, (2, 1, 60))
    found = told(of_scores(a, b))
    fit = sm.OLS((a - b)[0], np.ones(60)).fit()
    assert found.standard_error == pytest.approx(float(fit.bse[0]))
    assert found.p_value == pytest.approx(float(fit.pvalues[0]))
    assert (found.low, found.high) == pytest.approx(tuple(fit.conf_int()[0]))
    # Turned round, it is the same.
    turned = told(of_scores(b, a))
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))


def test_several_runs_are_averaged_before_anything_else() -> None:
    rng = np.random.default_rng(1)
    runs = rng.random((4, 300)) < rng.random(300)
    mean = runs.mean(axis=0, keepdims=True)
    found = told(of_means(mean, np.zeros((1, 300))))
    assert found.difference == pytest.approx(runs.mean())
    assert found.standard_error == pytest.approx(mean[0].std(ddof=1) / 300**0.5)


def test_classes_weigh_the_same_and_few_items_bring_few_degrees_of_freedom() -> None:
    labels = np.array([0] * 100 + [1] * 3)
    rng = np.random.default_rng(2)
    a, b = rng.random((2, 1, 103)) < 0.5
    found = told(of_answers(a, b), labels)
    d = (a * 1.0 - b)[0]
    assert found.difference == pytest.approx((d[:100].mean() + d[100:].mean()) / 2)
    variance = (d[:100].var(ddof=1) / 100 + d[100:].var(ddof=1) / 3) / 4
    assert found.standard_error == pytest.approx(variance**0.5)
    # Satterthwaite's, were the variance of all items the same.
    expected = (1 / 100 + 1 / 3) ** 2 / (1 / 100**2 / 99 + 1 / 3**2 / 2)
    assert found.degrees_of_freedom == pytest.approx(expected)


def test_equivalence_asks_for_both_sides_with_the_largest_spread() -> None:
    found = told(parted(40, 36, 10_000))
    margin = 0.003
    distance = margin - found.difference
    spread = (found.standard_error**2 + 1.5 * found.step * distance) ** 0.5
    assert equivalence_p(found, margin) == pytest.approx(stats.t.sf(distance / spread, 9999))
    assert equivalence_p(found, 0.0001) > 0.5


def test_items_that_all_differ_alike_are_not_known_to_go_on_so() -> None:
    found = told(of_scores(np.ones((1, 3)), np.zeros((1, 3))))
    assert found.difference == 1
    assert 0.01 < found.p_value < 0.2
    assert found.low < 1 < found.high


def test_scores_that_are_all_the_same_leave_room() -> None:
    found = told(of_scores(np.full((1, 100), 7.0), np.full((1, 100), 7.0)))
    assert (found.difference, found.p_value) == (0.0, 1.0)
    assert found.low < 0 < found.high
