"""Time bakeoff's `fit` beside what people would pick instead: Lightning, Keras 3 on JAX, skorch.

    python -m benchmarks.against_other_trainers [--precision float32] [--rounds 5] [--seconds 1]

Each trains the same network from the same weights, on the same images in memory, with the same
batch size, Adam and number of epochs, and scores the same validation images after every epoch. Each
is set up as its documentation says, with all that is optional switched off; how stands in
trainers/. Each stands in a requirements file of its own, and one that is not installed is left out.

Whole calls of `fit` are timed, in turns, and beside each a call on a single batch. The difference
is what an epoch takes, brought to 54,000 examples and 6,000 validation images: neither setting up
nor compiling counts for or against anybody. What a call on a single batch takes has a column of
its own. The accuracy is that on all test images after the last timed `fit`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from importlib.util import find_spec

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.interleaved import Turns, ratio, take_turns
from benchmarks.publish import Table, add_results_option, machine, publish
from benchmarks.task import (
    PRECISIONS,
    TRAIN_EXAMPLES,
    Task,
    accuracy,
    assignment,
    sized,
    tasks,
    with_examples,
)
from benchmarks.trainers.contract import Trainer
from benchmarks.trainers.with_bakeoff import WithBakeoff

# The libraries that each trainer needs, and the class that trains with them.
LIBRARIES = {"lightning": ("lightning",), "keras": ("keras", "jax"), "skorch": ("skorch",)}
CLASSES = {"lightning": "WithLightning", "keras": "WithKeras", "skorch": "WithSkorch"}
ONE_BATCH = ", one batch"

MakeTrainer = Callable[[Task], Trainer]


def missing(trainer: str) -> str | None:
    """Return the line for a trainer that is not installed, None for one that is."""
    if all(find_spec(library) for library in LIBRARIES[trainer]):
        return None
    return (
        f"{trainer} is not installed and left out; to add it: pip install "
        f"-r benchmarks/requirements/{trainer}.txt -c constraints/pinned.txt"
    )


def installed(precision: str, names: Sequence[str]) -> dict[str, MakeTrainer]:
    """Return bakeoff and those of the named trainers that are there and have the precision."""
    makers: dict[str, MakeTrainer] = {"bakeoff": WithBakeoff}
    for name in names:
        if missing(name) is None:
            module = import_module(f"benchmarks.trainers.with_{name}")
            if precision in module.PRECISIONS:
                makers[name] = getattr(module, CLASSES[name])
    return makers


def make_ready(trainer: Trainer) -> Callable[[], object]:
    """Bring a trainer to its start; return what is timed."""
    trainer.fresh()
    return trainer.fit


def race(
    task: Task, makers: Mapping[str, MakeTrainer], rounds: int
) -> tuple[Turns, dict[str, float]]:
    """Return the seconds of every trainer's `fit`, and the test accuracy that each reached."""
    one_batch = replace(with_examples(task, task.recipe.batch_size), epochs=1)
    trainers = {name: make(task) for name, make in makers.items()}
    small = {f"{name}{ONE_BATCH}": make(one_batch) for name, make in makers.items()}
    works = {name: partial(make_ready, each) for name, each in (trainers | small).items()}
    turns = take_turns(works, rounds)
    test = task.test()
    reached = {
        name: accuracy(trainer.logits(test.images), test.labels)
        for name, trainer in trainers.items()
    }
    return turns, reached


def epoch_seconds(turns: Turns, name: str, task: Task) -> NDArray[np.float64]:
    """Return what 54,000 examples take, without what a `fit` takes however few there are."""
    examples = task.examples * task.epochs - task.recipe.batch_size
    difference = turns.of(name) - turns.of(f"{name}{ONE_BATCH}")
    return np.asarray(difference / examples * TRAIN_EXAMPLES)


def rows(task: Task, turns: Turns, reached: Mapping[str, float]) -> list[tuple[str, ...]]:
    """Return a line for each trainer."""
    ours = epoch_seconds(turns, "bakeoff", task)
    lines: list[tuple[str, ...]] = []
    for name, right in reached.items():
        theirs = epoch_seconds(turns, name, task)
        lines.append(
            (
                task.entrant.name,
                task.precision,
                name,
                f"{np.median(theirs):.2f}",
                "" if name == "bakeoff" else str(ratio(theirs, ours)),
                f"{1000 * turns.median(f'{name}{ONE_BATCH}'):.0f}",
                f"{right:.4f}",
                f"{task.epochs} x {task.examples:,}",
            )
        )
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and keep the table."""
    study = assignment()
    names = [entrant.name for entrant in study.entrants]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--precision", nargs="+", choices=PRECISIONS, default=list(PRECISIONS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1, help="what bakeoff's `fit` takes")
    parser.add_argument("--examples", type=int, help="this many, instead of `--seconds`")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="ENTRANT")
    parser.add_argument("--trainers", nargs="+", choices=LIBRARIES, default=list(LIBRARIES))
    add_results_option(parser)
    options = parser.parse_args(arguments)

    for line in filter(None, map(missing, options.trainers)):
        print(line, file=sys.stderr, flush=True)
    lines, figures = [], []
    for rough in tasks(study, options.only, options.precision, options.epochs):
        print(f"{rough.entrant.name}, {rough.precision} ...", file=sys.stderr, flush=True)
        torch.manual_seed(0)
        task = (
            with_examples(rough, options.examples)
            if options.examples
            else sized(rough, options.seconds)
        )
        turns, reached = race(task, installed(task.precision, options.trainers), options.rounds)
        lines += rows(task, turns, reached)
        figures.append(
            {
                "entrant": task.entrant.name,
                "precision": task.precision,
                "examples": task.examples,
                "seconds": turns.to_dict(),
                "test accuracy": reached,
            }
        )
    columns = (
        "entrant", "precision", "trainer", "s/epoch", "trainer / bakeoff", "fit on one batch, ms",
        "test accuracy", "after epochs x examples",
    )  # fmt: skip
    left_out = [name for name in options.trainers if missing(name)]
    there = [name for name in options.trainers if name not in left_out]
    publish(
        "against_other_trainers",
        [Table(columns, tuple(lines))],
        setting={"rounds": options.rounds, "not installed": ", ".join(left_out) or "none"},
        figures={"races": figures},
        machine=machine(("torch", "numpy", *(lib for name in there for lib in LIBRARIES[name]))),
        folder=options.results,
    )


if __name__ == "__main__":
    main()
