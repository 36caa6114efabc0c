from __future__ import annotations

import pytest
import torch

from benchmarks.task import Task, accuracy, assignment, sized, start_fit, tasks, validation_for
from benchmarks.task import with_examples as with_examples_of


@pytest.mark.parametrize(("examples", "expected"), [(54_000, 6_000), (900, 100), (5, 1)])
def test_validation_has_the_share_that_it_has_in_the_study(examples: int, expected: int) -> None:
    assert validation_for(examples) == expected


def task() -> Task:
    (one,) = tasks(assignment(), ["mlp-2x200"], ["float32"], epochs=2)
    return with_examples_of(one, 120)


def test_a_task_has_its_examples_apart_from_those_that_validate() -> None:
    train, validation = task().data()
    assert (len(train), len(validation)) == (120, 13)
    rows = [set(map(bytes, part.images.numpy())) for part in (train, validation)]
    assert not rows[0] & rows[1]
    assert len(task().test()) == 10_000


def test_all_epochs_are_trained_even_where_the_study_stops_at_a_target() -> None:
    (one,) = tasks(assignment(), ["cnn-2conv-dropout-batch-50"], ["float32"], epochs=3)
    assert one.entrant.recipe.target_validation_accuracy is not None
    assert (one.recipe.target_validation_accuracy, one.recipe.epochs) == (None, 3)
    assert len(start_fit(with_examples_of(one, 60)).fit()) == 3


def test_a_sized_task_has_whole_batches_and_not_more_than_there_are() -> None:
    small, large = sized(task(), 0.001), sized(task(), 1000)
    assert small.examples >= 100
    assert small.examples % 50 == 0
    assert (large.examples, large.validation) == (54_000, 6_000)


def test_accuracy_is_the_share_of_right_answers() -> None:
    logits = torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 3.0], [1.0, 0.5]])
    assert accuracy(logits, torch.tensor([0, 1, 0, 0])) == 0.75
