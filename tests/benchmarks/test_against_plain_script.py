from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from benchmarks.against_plain_script import PUBLISHED_EPOCHS, epoch_table, epochs_of, main
from benchmarks.interleaved import Turns
from benchmarks.plain_script import loader_of, write_plain_script
from benchmarks.task import Task, assignment, start_fit

from .results import figures_of, first_cells

WORKS = ("plain steps", "bakeoff steps", "plain validation", "bakeoff validation")


def test_an_epoch_is_all_its_steps_and_one_validation_pass() -> None:
    study = assignment()
    task = Task(study, study.entrants[0], 540, 600, 1, "float32")
    turns = Turns(WORKS, np.array([[3.0, 3.0], [1.0, 2.0], [0.5, 0.5], [0.1, 0.2]]))
    epochs = epochs_of(turns, task)
    assert epochs.works == ("plain", "bakeoff")
    np.testing.assert_allclose(epochs.seconds, [[305, 305], [101, 202]])


def test_the_whole_study_is_the_sum_over_its_published_epochs() -> None:
    steps = Turns(WORKS, np.ones((4, 1)))
    one = Turns(("plain", "bakeoff"), np.array([[60.0], [15.0]]))
    two = Turns(("plain", "bakeoff"), np.array([[120.0], [60.0]]))
    epochs = dict(zip("abcdef", (one, one, one, one, one, two), strict=True))
    assert PUBLISHED_EPOCHS == (11, 11, 11, 11, 15, 15)
    last = epoch_table(epochs, dict.fromkeys("abcdef", steps)).rows[-1]
    # Plain: 59 + 2 x 15 minutes; bakeoff: 59 / 4 + 15 minutes.
    assert last[1:4] == ("89.0", "29.8", "2.99 (2.99 to 2.99)")


def test_the_plain_script_trains_what_bakeoff_trains() -> None:
    # In one batch, where the order of the examples is of no account.
    study = assignment()
    task = Task(study, study.entrant("mlp-2x200"), 50, 40, 3, "float32")
    script, ours = write_plain_script(task), start_fit(task)
    losses = [script.train_epoch() for _ in range(3)]
    history = ours.fit()
    np.testing.assert_allclose(losses, [epoch.train_loss for epoch in history], rtol=1e-4)
    assert script.validate() == history[-1].validation_accuracy


def test_the_plain_script_scores_every_example() -> None:
    study = assignment()
    task = Task(study, study.entrants[0], 50, 70, 1, "float32")
    script = write_plain_script(task)
    _, validation = task.data()
    with torch.no_grad():
        logits = script.model(validation.images.float() * task.scale)
    right = int((logits.argmax(1) == validation.labels).sum())
    assert script.accuracy(loader_of(task, validation, shuffle=True)) == right / 70


def test_the_benchmark_runs_and_keeps_every_round(tmp_path: Path) -> None:
    counts = "--rounds 2 --examples 60 --validation 30 --whole-epochs 1 --whole-examples 100"
    names = "--only logistic-regression mlp-2x200 --whole logistic-regression"
    main([*counts.split(), *names.split(), "--precision", "bfloat16", "--results", str(tmp_path)])
    figures = figures_of(tmp_path, "against_plain_script-bfloat16")
    assert figures["seconds"].keys() == {"logistic-regression", "mlp-2x200"}
    assert {work: len(rounds) for work, rounds in figures["seconds"]["mlp-2x200"].items()} == (
        dict.fromkeys(WORKS, 2)
    )
    (whole,) = figures["whole"]
    assert (whole["entrant"], whole["epochs"]) == ("logistic-regression", 1)
    assert 0 < whole["plain_accuracy"] < 1
    assert 0 < whole["bakeoff_accuracy"] < 1
    assert first_cells(tmp_path, "against_plain_script-bfloat16") == [
        "entrant", "logistic-regression", "mlp-2x200", "whole training", "logistic-regression",
    ]  # fmt: skip
