from __future__ import annotations

from pathlib import Path

import pytest
import torch

from bakeoff.training.fit import Streams
from benchmarks.against_bare_loop import main
from benchmarks.bare_loop import validate, with_same_tricks, without_tricks
from benchmarks.task import Task, assignment, same_tricks, start_fit

from .results import figures_of

EPOCHS = 2


@pytest.fixture
def task() -> Task:
    study = assignment()
    return Task(study, study.entrant("mlp-2x200"), 120, 40, EPOCHS, "float32")


@pytest.fixture
def same_order(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the bare loops take the examples in the order in which `fit` takes them."""
    streams = Streams(task.study.study_seed, 0, task.entrant.name)
    epochs = iter(range(1, EPOCHS + 1))
    monkeypatch.setattr(torch, "randperm", lambda n: streams.order(n, next(epochs)))


@pytest.mark.usefixtures("same_order")
def test_the_loop_with_the_same_tricks_does_the_work_of_fit(task: Task) -> None:
    ours, tricks = start_fit(task), same_tricks(task)
    history = ours.fit()
    train, validation = task.data()
    right = with_same_tricks(
        tricks, train, validation, scale=task.scale, batch_size=50, epochs=EPOCHS
    )
    for expected, found in zip(ours.model.parameters(), tricks.model.parameters(), strict=True):
        torch.testing.assert_close(found, expected)
    assert right == pytest.approx(history[-1].validation_accuracy)


@pytest.mark.usefixtures("same_order")
def test_the_loop_without_tricks_does_the_work_of_fit(task: Task) -> None:
    ours, model = start_fit(task), task.network()
    ours.fit()
    train, validation = task.data()
    without_tricks(
        model,
        train,
        validation,
        learning_rate=task.recipe.learning_rate,
        scale=task.scale,
        batch_size=50,
        epochs=EPOCHS,
    )
    for expected, found in zip(ours.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-5)


def test_validation_counts_every_example(task: Task) -> None:
    model = task.network()
    _, validation = task.data()
    with torch.no_grad():
        predicted = model(validation.images.float() * task.scale).argmax(1)
    right = int((predicted == validation.labels).sum())
    assert validate(model, validation, task.scale) == pytest.approx(right / 40)


@pytest.mark.parametrize(
    ("precision", "names"),
    # Without matrix units convolutions take a minute in bfloat16.
    [("float32", ["logistic-regression", "cnn-2conv"]), ("bfloat16", ["logistic-regression"])],
)
def test_the_benchmark_runs_for_both_precisions(
    precision: str, names: list[str], tmp_path: Path
) -> None:
    counts = f"--rounds 2 --seconds 0.01 --epochs 1 --precision {precision} --only"
    main([*counts.split(), *names, "--results", str(tmp_path)])
    found = figures_of(tmp_path, "against_bare_loop")["seconds"]
    assert [(each["entrant"], each["precision"]) for each in found] == [
        (name, precision) for name in names
    ]
    for each in found:
        assert {len(each[work]) for work in ("fit", "same tricks", "no tricks")} == {2}
