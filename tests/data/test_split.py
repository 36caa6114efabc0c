from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bakeoff.data.split import Split, split_examples, split_stratified
from bakeoff.errors import StudyError

Groups = NDArray[np.int64] | None


def test_mnist_splits_into_54000_and_6000_that_are_everything() -> None:
    split = split_examples(60_000, 6000, study_seed=0, trial_seed=0)
    assert (len(split.train), len(split.validation)) == (54_000, 6000)
    together = np.concatenate([split.train, split.validation])
    np.testing.assert_array_equal(np.sort(together), np.arange(60_000))


@given(st.integers(2, 200), st.integers(0, 99), st.integers(0, 99), st.data())
def test_the_parts_are_ascending_disjoint_and_everything(
    examples: int, study_seed: int, trial_seed: int, data: st.DataObject
) -> None:
    size = data.draw(st.integers(1, examples - 1))
    split = split_examples(examples, size, study_seed=study_seed, trial_seed=trial_seed)
    assert len(split.validation) == size
    assert sorted([*split.train, *split.validation]) == list(range(examples))
    assert (np.diff(split.train) > 0).all()
    assert (np.diff(split.validation) > 0).all()


def test_the_seeds_alone_decide() -> None:
    def validation(study_seed: int, trial_seed: int) -> list[int]:
        split = split_examples(500, 50, study_seed=study_seed, trial_seed=trial_seed)
        found: list[int] = split.validation.tolist()
        return found

    assert validation(0, 0) == validation(0, 0)
    assert len({tuple(validation(*seeds)) for seeds in ((0, 0), (0, 1), (1, 0), (1, 1))}) == 4


def test_the_split_looks_random() -> None:
    # Where 6,000 of 60,000 are drawn at random, the mean of their places is 30,000 +- 5 x 224.
    validation = split_examples(60_000, 6000, study_seed=0, trial_seed=0).validation
    assert abs(validation.mean() - 30_000) < 5 * 224


@pytest.mark.parametrize("size", [1297, 6000, 0, -1])
def test_a_split_that_leaves_nothing_is_refused(size: int) -> None:
    with pytest.raises(StudyError) as caught:
        split_examples(1297, size, study_seed=0, trial_seed=0)
    assert str(caught.value) == (
        f"protocol.validation_examples: {size:,} of 1,297 examples; give a number from 1 to 1,296"
    )


def test_fewer_training_examples_leave_the_validation_part_as_it_is() -> None:
    whole = split_examples(500, 50, study_seed=0, trial_seed=0)
    few = split_examples(500, 50, 20, study_seed=0, trial_seed=0)
    np.testing.assert_array_equal(few.validation, whole.validation)
    assert len(set(few.train)) == 20
    assert set(few.train) < set(whole.train)
    # Not the first 20 of the ascending rest, but 20 drawn at random from all of it.
    assert few.train.max() > 250


def test_all_that_validation_leaves_may_train_and_no_more() -> None:
    assert len(split_examples(500, 50, 450, study_seed=0, trial_seed=0).train) == 450
    with pytest.raises(StudyError) as caught:
        split_examples(500, 50, 451, study_seed=0, trial_seed=0)
    assert str(caught.value) == (
        "protocol.train_examples: 451 of 450 that validation leaves; give a number from 1 to 450"
    )


LABELS = np.repeat([0, 1, 2], [600, 300, 100])


def stratified(validation: float, groups: Groups = None, **options: Any) -> Split:
    seeds = {"study_seed": 0, "trial_seed": 0} | options
    return split_stratified(LABELS, groups, validation, **seeds)


@pytest.mark.parametrize("validation", [0.1, 100])
def test_a_share_or_a_number_takes_the_same_share_of_each_class(validation: float) -> None:
    split = stratified(validation)
    assert np.bincount(LABELS[split.validation]).tolist() == [60, 30, 10]
    assert sorted([*split.train, *split.validation]) == list(range(1000))
    assert split.train.tolist() == sorted(split.train)


def test_what_a_share_leaves_over_goes_to_the_largest_rests() -> None:
    # 0.7 %: 4.2, 2.1 and 0.7 of the classes, and seven in all.
    assert np.bincount(LABELS[stratified(0.007).validation]).tolist() == [4, 2, 1]


def test_no_group_is_divided() -> None:
    groups = np.arange(1000) // 7
    split = stratified(0.2, groups)
    assert not {*groups[split.train]} & {*groups[split.validation]}
    for label, images in enumerate([120, 60, 20]):
        assert images <= np.count_nonzero(LABELS[split.validation] == label) < images + 14


def test_another_seed_draws_other_examples_and_fewer_train_from_the_same_split() -> None:
    one, other = stratified(0.1), stratified(0.1, trial_seed=1)
    assert set(one.validation) != set(other.validation)
    few = stratified(0.1, train_examples=50)
    assert few.validation.tolist() == one.validation.tolist()
    assert set(few.train) < set(one.train)


@pytest.mark.parametrize(
    ("validation", "groups", "said"),
    [
        (1000, None, "1,000 of 1,000 examples; give a share, or a number from 1 to 999"),
        (0.1, np.zeros(1000, dtype=np.int64), "leaves no group to train on"),
    ],
)
def test_too_few_examples_are_refused(validation: float, groups: Groups, said: str) -> None:
    with pytest.raises(StudyError, match=f"^protocol.validation: .*{said}"):
        stratified(validation, groups)
