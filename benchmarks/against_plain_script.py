"""Time bakeoff's training beside that of the plain script that most people write.

    python -m benchmarks.against_plain_script [--precision bfloat16] [--rounds 5] [--examples 1500]

The plain script stands in plain_script.py and trains in float32; `--precision` is bakeoff's. Both
train the networks of the study `assignment`, with the same batch sizes, on the same images, and
score 6,000 validation images after every epoch. Training steps and validation passes of both take
turns, so that a drifting machine is fair to both. An epoch is the time of the steps, brought to
54,000 examples, and one validation pass; the whole study is the sum of its six trainings with the
published epochs.

`--whole ENTRANT` also trains that entrant in both ways from start to end, and says what accuracy
each reached.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np
import torch

from bakeoff.study.study import Entrant, Study
from bakeoff.training.timing_pass import all_examples, make_burst
from benchmarks.interleaved import Turns, always_ready, ratio, take_turns
from benchmarks.plain_script import loader_of, write_plain_script
from benchmarks.publish import Table, add_results_option, machine, publish
from benchmarks.task import (
    CPU,
    PRECISIONS,
    TRAIN_EXAMPLES,
    VALIDATION_EXAMPLES,
    Task,
    accuracy,
    assignment,
    start_fit,
    validation_pass,
)

PUBLISHED_EPOCHS = (11, 11, 11, 11, 15, 15)


@dataclass(frozen=True)
class Whole:
    """One whole training of both: wall seconds with validation, accuracy on the test images."""

    entrant: str
    epochs: int
    plain_seconds: float
    plain_accuracy: float
    bakeoff_seconds: float
    bakeoff_accuracy: float


def time_entrant(task: Task, rounds: int) -> Turns:
    """Return the seconds of steps and validation passes, of the plain script and of bakeoff."""
    script = write_plain_script(task)
    burst = make_burst(
        task.study,
        task.entrant,
        task.dataset,
        all_examples(task.dataset, CPU),
        precision=task.precision,
        examples=task.examples,
    )
    works = {
        "plain steps": script.train_epoch,
        "bakeoff steps": burst,
        "plain validation": script.validate,
        "bakeoff validation": validation_pass(task),
    }
    return take_turns({name: always_ready(work) for name, work in works.items()}, rounds)


def epochs_of(turns: Turns, task: Task) -> Turns:
    """Return the seconds of a whole epoch with its validation pass, of both, in every round."""
    steps, passes = TRAIN_EXAMPLES / task.examples, VALIDATION_EXAMPLES / task.validation
    sides = ("plain", "bakeoff")
    seconds = [
        turns.of(f"{side} steps") * steps + turns.of(f"{side} validation") * passes
        for side in sides
    ]
    return Turns(sides, np.array(seconds))


def plain_alone(task: Task) -> tuple[float, float]:
    """Return the seconds of a whole training by the plain script, and its test accuracy."""
    torch.manual_seed(0)
    script = write_plain_script(task)
    started = time.perf_counter()
    for _ in range(task.epochs):
        script.train_epoch()
        script.validate()
    seconds = time.perf_counter() - started
    return seconds, script.accuracy(loader_of(task, task.test(), shuffle=False))


def bakeoff_alone(task: Task) -> tuple[float, float]:
    """Return the seconds of a whole training by bakeoff, and its test accuracy."""
    ours = start_fit(task)
    started = time.perf_counter()
    ours.fit()
    seconds = time.perf_counter() - started
    test = task.test()
    return seconds, accuracy(ours.logits(test.images), test.labels)


def train_whole(task: Task) -> Whole:
    """Train a task in both ways from the same weights, one after the other.

    Each has a process of its own: flushing denormal numbers to zero is a setting of the threads,
    which bakeoff makes and the plain script does not.
    """
    fresh = get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=fresh, max_tasks_per_child=1) as alone:
        plain, ours = alone.submit(plain_alone, task), alone.submit(bakeoff_alone, task)
        return Whole(task.entrant.name, task.epochs, *plain.result(), *ours.result())


def epoch_table(epochs: dict[str, Turns], steps: dict[str, Turns]) -> Table:
    """Return the table of seconds per epoch, with the whole study in its last row."""
    rows = [
        (
            name,
            f"{turns.median('plain'):.2f}",
            f"{turns.median('bakeoff'):.2f}",
            str(turns.ratio("plain", "bakeoff")),
            str(steps[name].ratio("plain steps", "bakeoff steps")),
        )
        for name, turns in epochs.items()
    ]
    if len(epochs) == len(PUBLISHED_EPOCHS):
        plain, ours = (
            sum(
                turns.of(side) * number
                for turns, number in zip(epochs.values(), PUBLISHED_EPOCHS, strict=True)
            )
            / 60
            for side in ("plain", "bakeoff")
        )
        rows.append(
            (
                f"the six trainings, {' + '.join(map(str, PUBLISHED_EPOCHS))} epochs, minutes",
                f"{np.median(plain):.1f}",
                f"{np.median(ours):.1f}",
                str(ratio(np.asarray(plain), np.asarray(ours))),
                "",
            )
        )
    columns = ("entrant", "plain script, s/epoch", "bakeoff, s/epoch", "ratio", "ratio, steps only")
    return Table(columns, tuple(rows))


def whole_table(trainings: Sequence[Whole]) -> Table:
    """Return the table of whole trainings."""
    rows = tuple(
        (
            whole.entrant,
            str(whole.epochs),
            f"{whole.plain_seconds:.1f}",
            f"{whole.bakeoff_seconds:.1f}",
            f"{whole.plain_seconds / whole.bakeoff_seconds:.2f}",
            f"{whole.plain_accuracy:.4f}",
            f"{whole.bakeoff_accuracy:.4f}",
        )
        for whole in trainings
    )
    columns = (
        "whole training", "epochs", "plain script, s", "bakeoff, s", "ratio",
        "test accuracy, plain script", "test accuracy, bakeoff",
    )  # fmt: skip
    return Table(columns, rows)


def chosen(study: Study, names: Sequence[str] | None) -> list[tuple[Entrant, int]]:
    """Return the entrants called `names`, or all, each with its published epochs."""
    pairs = zip(study.entrants, PUBLISHED_EPOCHS, strict=True)
    return [
        (entrant, epochs) for entrant, epochs in pairs if names is None or entrant.name in names
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and keep the tables."""
    study = assignment()
    names = [entrant.name for entrant in study.entrants]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--precision", choices=PRECISIONS, default="float32", help="bakeoff's")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--examples", type=int, default=1500, help="trained on in each turn")
    parser.add_argument("--validation", type=int, default=1500, help="scored in each turn")
    parser.add_argument("--only", nargs="+", choices=names, help="these entrants alone")
    parser.add_argument("--whole", nargs="+", choices=names, default=[], metavar="ENTRANT")
    parser.add_argument("--whole-epochs", type=int, help="instead of the published ones")
    parser.add_argument("--whole-examples", type=int, default=TRAIN_EXAMPLES)
    add_results_option(parser)
    options = parser.parse_args(arguments)

    steps, epochs, trainings = {}, {}, []
    for entrant, published in chosen(study, options.only):
        print(f"{entrant.name} ...", file=sys.stderr, flush=True)
        task = Task(study, entrant, options.examples, options.validation, 1, options.precision)
        steps[entrant.name] = time_entrant(task, options.rounds)
        epochs[entrant.name] = epochs_of(steps[entrant.name], task)
        if entrant.name in options.whole:
            whole = replace(
                task,
                examples=options.whole_examples,
                validation=VALIDATION_EXAMPLES,
                epochs=options.whole_epochs or published,
            )
            trainings.append(train_whole(whole))
    tables = [epoch_table(epochs, steps)]
    if trainings:
        tables.append(whole_table(trainings))
    publish(
        f"against_plain_script-{options.precision}",
        tables,
        setting={
            "bakeoff's precision": options.precision,
            "plain script's precision": "float32",
            "rounds": options.rounds,
            "examples per turn": options.examples,
            "validation images per turn": options.validation,
        },
        figures={
            "seconds": {name: turns.to_dict() for name, turns in steps.items()},
            "whole": [vars(whole) for whole in trainings],
        },
        machine=machine(),
        folder=options.results,
    )


if __name__ == "__main__":
    main()
