"""Time bakeoff's `fit` beside a bare loop with the same tricks: the harness's own overhead.

    python -m benchmarks.against_bare_loop [--precision float32 bfloat16] [--rounds 7] [--seconds 2]

Three ways to train the same network from the same weights on the same examples, with a validation
pass after every epoch: bakeoff's real `fit` (order of the examples, history, schedule, loss of
every epoch, stopping rule), a bare loop around the same model, optimizer and precision, and a bare
loop without any trick (default memory layout, unfused Adam, float32). They take turns. Building the
network is timed for none of them; `fit` and the loop without tricks build their optimizer.

The examples of a turn are as many as bakeoff trains in `--seconds`, and a ninth as many validate,
as in the study. The bar: `fit` takes at most 3 % longer than the bare loop with the same tricks.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

import torch

from benchmarks.bare_loop import with_same_tricks, without_tricks
from benchmarks.interleaved import Turns, take_turns
from benchmarks.publish import Table, add_results_option, machine, publish
from benchmarks.task import PRECISIONS, Task, assignment, same_tricks, sized, start_fit, tasks


def time_task(task: Task, rounds: int) -> Turns:
    """Return the seconds of the three ways to train a task."""
    train, validation = task.data()
    recipe = task.recipe

    def fit() -> Callable[[], object]:
        return start_fit(task).fit

    def same() -> Callable[[], object]:
        tricks = same_tricks(task)
        return lambda: with_same_tricks(
            tricks,
            train,
            validation,
            scale=task.scale,
            batch_size=recipe.batch_size,
            epochs=recipe.epochs,
        )

    def without() -> Callable[[], object]:
        model = task.network()
        return lambda: without_tricks(
            model,
            train,
            validation,
            learning_rate=recipe.learning_rate,
            scale=task.scale,
            batch_size=recipe.batch_size,
            epochs=recipe.epochs,
        )

    return take_turns({"fit": fit, "same tricks": same, "no tricks": without}, rounds)


def row(task: Task, turns: Turns) -> tuple[str, ...]:
    """Return the line of one entrant and precision."""
    return (
        task.entrant.name,
        task.precision,
        f"{task.examples:,}",
        f"{turns.median('fit'):.2f}",
        f"{turns.median('same tricks'):.2f}",
        turns.ratio("fit", "same tricks").overhead(),
        f"{turns.median('no tricks'):.2f}",
        str(turns.ratio("no tricks", "fit")),
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and keep the table."""
    study = assignment()
    names = [entrant.name for entrant in study.entrants]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--precision", nargs="+", choices=PRECISIONS, default=list(PRECISIONS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2, help="what one `fit` takes, about")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    add_results_option(parser)
    options = parser.parse_args(arguments)

    rows, figures = [], []
    for rough in tasks(study, options.only, options.precision, options.epochs):
        print(f"{rough.entrant.name}, {rough.precision} ...", file=sys.stderr, flush=True)
        # The bare loops draw from the global random state.
        torch.manual_seed(0)
        task = sized(rough, options.seconds)
        turns = time_task(task, options.rounds)
        rows.append(row(task, turns))
        figures.append(
            {"entrant": task.entrant.name, "precision": task.precision, **turns.to_dict()}
        )
    columns = (
        "entrant", "precision", "examples", "`fit`, s", "bare loop, same tricks, s",
        "overhead of `fit`", "bare loop, no tricks, float32, s", "no tricks / `fit`",
    )  # fmt: skip
    publish(
        "against_bare_loop",
        [Table(columns, tuple(rows))],
        setting={"rounds": options.rounds, "epochs per turn": options.epochs},
        figures={"seconds": figures},
        machine=machine(),
        folder=options.results,
    )


if __name__ == "__main__":
    main()
