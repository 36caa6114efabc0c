from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from bakeoff.data.order import batches, epoch_order


@given(st.integers(1, 300), st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_an_order_is_a_permutation_and_a_pure_function_of_seeds_and_epoch(
    examples: int, study_seed: int, trial_seed: int, epoch: int
) -> None:
    def order() -> list[int]:
        found: list[int] = epoch_order(
            examples, study_seed=study_seed, trial_seed=trial_seed, epoch=epoch
        ).tolist()
        return found

    first = order()
    np.random.default_rng().random()
    torch.rand(1)
    assert order() == first
    assert sorted(first) == list(range(examples))


def test_every_seed_and_epoch_has_an_order_of_its_own() -> None:
    orders = {
        tuple(epoch_order(50, study_seed=a, trial_seed=b, epoch=c).tolist())
        for a in (0, 1)
        for b in (0, 1)
        for c in (1, 2)
    }
    assert len(orders) == 8


def test_epochs_can_be_asked_for_in_any_order() -> None:
    forwards = [epoch_order(9, study_seed=0, trial_seed=0, epoch=e).tolist() for e in (1, 2, 3)]
    backwards = [epoch_order(9, study_seed=0, trial_seed=0, epoch=e).tolist() for e in (3, 2, 1)]
    assert forwards == backwards[::-1]


def test_an_order_leaves_the_global_random_states_alone() -> None:
    before, legacy = torch.random.get_rng_state(), str(np.random.get_state())  # noqa: NPY002
    epoch_order(50, study_seed=0, trial_seed=0, epoch=1)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert str(np.random.get_state()) == legacy  # noqa: NPY002


@given(st.integers(1, 60), st.integers(1, 70))
def test_every_example_comes_once_with_its_own_label(examples: int, batch_size: int) -> None:
    images = torch.arange(examples, dtype=torch.uint8).reshape(-1, 1, 1, 1)
    labels = torch.arange(examples) + 1000
    order = epoch_order(examples, study_seed=0, trial_seed=0, epoch=1)
    seen = list(batches(images, labels, order, batch_size))
    assert torch.equal(torch.cat([i for i, _ in seen]).flatten().long(), order)
    assert torch.equal(torch.cat([y for _, y in seen]), order + 1000)


def test_the_last_batch_is_smaller_where_the_size_does_not_divide() -> None:
    images, labels = torch.zeros(10, 1, 2, 2, dtype=torch.uint8), torch.zeros(10, dtype=torch.int64)
    sizes = [len(y) for _, y in batches(images, labels, torch.arange(10), 4)]
    assert sizes == [4, 4, 2]
    assert all(i.dtype == torch.uint8 for i, _ in batches(images, labels, torch.arange(10), 4))


def test_no_examples_are_no_batch() -> None:
    images, labels = torch.zeros(3, 1, 2, 2, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64)
    assert list(batches(images, labels, torch.arange(0), 2)) == []
