"""The test part that is taken by the pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bakeoff.data.held_back import digests_of, drawn_test_part
from bakeoff.errors import StudyError
from tests.data.stocks import images_of


def drawn(
    labels: NDArray[np.int64],
    images: NDArray[np.uint8],
    test: float = 0.2,
    groups: NDArray[np.int64] | None = None,
) -> NDArray[np.bool_]:
    return drawn_test_part(labels, groups, digests_of(images), test)


LABELS = np.repeat([0, 1, 2], [100, 50, 10])
IMAGES = images_of(160)


def counts(labels: NDArray[np.int64]) -> list[int]:
    return np.bincount(labels, minlength=3).tolist()  # type: ignore[no-any-return]


def test_each_class_gives_its_share() -> None:
    assert counts(LABELS[drawn(LABELS, IMAGES)]) == [20, 10, 2]
    assert counts(LABELS[drawn(LABELS, IMAGES, 16)]) == [10, 5, 1]


@given(st.permutations(range(40)))
def test_it_does_not_matter_in_which_order_the_images_lie(order: list[int]) -> None:
    labels, images = LABELS[60:100] % 2, IMAGES[:40]
    labels[::3] = 1
    groups = np.arange(40) // 3
    np.testing.assert_array_equal(drawn(labels[order], images[order]), drawn(labels, images)[order])
    np.testing.assert_array_equal(
        drawn(labels[order], images[order], 0.3, groups[order]),
        drawn(labels, images, 0.3, groups)[order],
    )


@given(st.integers(0, 10_000))
def test_one_more_image_moves_few_others(seed: int) -> None:
    before = drawn(LABELS, IMAGES)
    after = drawn(np.append(LABELS, seed % 3), np.concatenate([IMAGES, images_of(1, seed + 1)]))
    assert (before != after[:-1]).sum() <= 3


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 15)), min_size=20, max_size=60))
def test_equal_images_stay_together_and_each_class_keeps_some(
    rows: list[tuple[int, int]],
) -> None:
    # Two images of each class that no other image equals.
    labels = np.array([label for label, _ in rows] + [0, 0, 1, 1, 2, 2])
    images = IMAGES[[image for _, image in rows] + list(range(20, 26))]
    tests = drawn(labels, images, 0.4)
    digests = digests_of(images)[:, 0]
    assert not set(digests[tests]) & set(digests[~tests])
    assert set(labels[~tests]) == {0, 1, 2}
    assert tests.any()


def test_groups_stay_whole_also_where_equal_images_join_them() -> None:
    groups = np.arange(160) // 4
    images = IMAGES.copy()
    images[0] = images[159]  # The first and the last group are one then.
    tests = drawn(LABELS, images, 0.3, groups)
    assert not set(groups[tests]) & set(groups[~tests])
    assert tests[0] == tests[159]
    assert 40 <= tests.sum() <= 56


@given(st.integers(0, 1000))
def test_groups_of_several_classes_leave_the_shares_nearly_as_they_are(seed: int) -> None:
    labels = np.tile(np.arange(10), 20)
    groups = np.repeat(np.arange(20), 10)  # As twenty writers of ten digits.
    tests = drawn(labels, images_of(200, seed), 0.2, groups)
    assert np.bincount(labels[tests]).tolist() == [4] * 10


@pytest.mark.parametrize(
    ("test", "complaint"),
    [
        (
            160,
            "protocol.test: 160 of 160 images; give a share, or a number from 1 to 159",
        ),
    ],
)
def test_more_than_there_are_is_refused(test: float, complaint: str) -> None:
    with pytest.raises(StudyError) as caught:
        drawn(LABELS, IMAGES, test)
    assert str(caught.value) == complaint


def test_one_group_cannot_be_divided() -> None:
    with pytest.raises(StudyError) as caught:
        drawn(LABELS, IMAGES, 0.2, np.zeros(160, np.int64))
    assert str(caught.value) == (
        "protocol.test: 0.2 of 160 images: each class keeps some to train on, equal ones and those "
        "of a group stay together, and so none is left to test on; give more images, or a test part"
    )
