from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from bakeoff.comparison.statistics.checks import Floats, Integers
from bakeoff.comparison.statistics.crossed import (
    paired_difference,
    paired_difference_of_balanced_accuracy,
    paired_difference_of_scores,
)
from bakeoff.comparison.statistics.groups import Groups, groups_of
from bakeoff.comparison.statistics.layout import layout_of
from bakeoff.comparison.statistics.variance import (
    Strata,
    crossed_parts,
    one_stratum,
    strata_of_classes,
)
from bakeoff.errors import DataError

UNEQUAL = np.repeat(np.arange(8), [1, 2, 3, 5, 8, 10, 20, 3])


def without(d: Floats, strata: Strata, index: Integers, group: int) -> float:
    """The weighted mean of class means without one group, in a plain loop."""
    found = 0.0
    for stratum, weight in enumerate(strata.weights):
        kept = (strata.index == stratum) & (index != group)
        found += weight * d[kept].mean()
    return found


def clustered(d: Floats, groups: Groups) -> float:
    """The squared standard error of the mean of one row."""
    twice = np.stack([d, d])
    return groups.crossed_parts(twice.mean(axis=1), twice).raw_images


def test_the_spread_is_that_of_the_jackknife() -> None:
    rng = np.random.default_rng(0)
    d = rng.normal(size=len(UNEQUAL))
    strata = one_stratum(len(d))
    away = [without(d, strata, UNEQUAL, group) - d.mean() for group in range(8)]
    found = clustered(d, groups_of(UNEQUAL, strata, 1.0))
    assert found == pytest.approx(7 / 8 * float(np.sum(np.square(away))))
    # With classes: of each class so many groups as hold some of it.
    strata = strata_of_classes(np.arange(len(d)) % 2)
    sums = groups_of(UNEQUAL, strata, 1.0).sums(d[None])[0]
    for group in range(8):
        expected = 0.0
        for stratum in (0, 1):
            mine = strata.index == stratum
            held_by = len(np.unique(UNEQUAL[mine]))
            pull = d[mine].mean() - d[mine & (group != UNEQUAL)].mean()
            expected += 0.5 * pull * np.sqrt((held_by - 1) / held_by)
        assert sums[group] == pytest.approx(expected), group


@pytest.mark.parametrize("classes", [1, 3])
def test_the_degrees_of_freedom_are_satterthwaites(classes: int) -> None:
    """With all matrices written out: what a unit of each item does to each group's sum."""
    labels = np.random.default_rng(0).integers(0, classes, len(UNEQUAL))
    found = groups_of(UNEQUAL, strata_of_classes(labels), 1.0)
    effects = found.sums(np.eye(len(UNEQUAL)))
    covariance = effects.T @ effects
    expected = np.trace(covariance) ** 2 / (covariance**2).sum()
    assert found.degrees_of_freedom == pytest.approx(expected)


def test_equal_groups_have_one_degree_of_freedom_less_than_they_are() -> None:
    found = groups_of(np.repeat(np.arange(12), 7), one_stratum(84), 1.0)
    assert found.degrees_of_freedom == pytest.approx(11)


def test_groups_of_one_item_are_items() -> None:
    rng = np.random.default_rng(1)
    d = rng.integers(-1, 2, (5, 40)).astype(np.float64)
    for strata in (one_stratum(40), strata_of_classes(rng.integers(0, 3, 40))):
        alone, by_seed = groups_of(rng.permutation(40), strata, 1.0), strata.means(d)
        found, expected = alone.crossed_parts(by_seed, d), crossed_parts(by_seed, d, strata, 1.0)
        for name in ("seeds", "images", "residual", "raw_images"):
            assert getattr(found, name) == pytest.approx(getattr(expected, name)), name
        assert alone.degrees_of_freedom == pytest.approx(strata.degrees_of_freedom)


def test_the_standard_error_of_equal_groups_is_statsmodels() -> None:
    index = np.repeat(np.arange(30), 5)
    rng = np.random.default_rng(2)
    d = rng.normal(size=150) + rng.normal(size=30)[index]
    fit = sm.OLS(d, np.ones(150)).fit(cov_type="cluster", cov_kwds={"groups": index})
    found = clustered(d, groups_of(index, one_stratum(150), 1.0))
    assert found**0.5 == pytest.approx(float(fit.bse[0]), rel=1e-9)


@pytest.mark.parametrize("balanced", [False, True])
def test_the_standard_error_is_that_of_a_bootstrap_over_groups(balanced: bool) -> None:
    rng = np.random.default_rng(4)
    sizes = rng.integers(1, 12, 300)
    index = np.repeat(np.arange(300), sizes)
    labels = rng.integers(0, 3, len(index)) * balanced
    d = rng.normal(size=len(index)) + rng.normal(size=300)[index]
    strata = strata_of_classes(labels)

    def mean_of(weight: Floats) -> float:
        per_class = [
            weight[labels == c] @ d[labels == c] / weight[labels == c].sum()
            for c in range(1 + 2 * balanced)
        ]
        return float(np.mean(per_class))

    drawn = [
        mean_of(np.bincount(rng.integers(0, 300, 300), minlength=300)[index].astype(float))
        for _ in range(2000)
    ]
    found = clustered(d, groups_of(index, strata, 1.0)) ** 0.5
    assert found == pytest.approx(float(np.std(drawn)), rel=0.06)


def test_doubled_images_are_worth_what_single_ones_are() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.random((2, 5, 400)) < [[[0.9]], [[0.85]]]
    alone = paired_difference(a, b)
    a_twice, b_twice = np.repeat(a, 2, axis=1), np.repeat(b, 2, axis=1)
    found = paired_difference(a_twice, b_twice, groups=np.repeat(np.arange(400), 2))
    for name in ("difference", "p_value", "seed_part", "image_part", "low", "high"):
        assert getattr(found, name) == pytest.approx(getattr(alone, name), rel=5e-3), name
    assert (found.groups, found.images) == (400, 800)
    assert paired_difference(a_twice, b_twice).p_value < alone.p_value


def test_few_groups_are_judged_by_a_t_distribution_of_their_own() -> None:
    rng = np.random.default_rng(6)
    index = np.repeat(np.arange(6), 50)
    scores = rng.normal(size=(2, 40, 300)) + rng.normal(size=(2, 1, 6))[..., index]
    found = paired_difference_of_scores(*scores, groups=index)
    assert found.image_degrees_of_freedom == pytest.approx(5)
    assert found.image_share > 0.95
    assert 5 < found.degrees_of_freedom < 6


def test_a_class_that_one_group_holds_shows_no_spread_of_its_own() -> None:
    labels, index = np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 1, 1, 2, 2])
    right = np.ones((2, 6), dtype=bool)
    found = paired_difference_of_balanced_accuracy(right, right, labels, groups=index)
    # A variance of one is assumed of the mean of class 1, which weighs a half.
    assert found.image_part == pytest.approx(0.25)
    assert found.image_degrees_of_freedom == pytest.approx(1)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([0, 1], "groups has 2 entries for 3 images: give one per image"),
        (
            [4, 4, 4],
            "groups: all images are of one group, which shows nothing of others: give at least two",
        ),
        (
            [0.5, 1, 2],
            "groups has dtype float64, not an integer type: give class numbers from 0 up",
        ),
    ],
)
def test_groups_that_do_not_fit_are_refused(groups: list[float], message: str) -> None:
    with pytest.raises(DataError) as caught:
        layout_of(3, None, groups)
    assert str(caught.value) == message
