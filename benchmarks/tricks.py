"""Time the training step with each trick of the engine left out.

    python -m benchmarks.tricks [--precision float32 bfloat16] [--rounds 7] [--examples 1000]

For every network of the study `assignment`, in both precisions: the step as it is, and the step
without one trick at a time, taking turns. A figure above 1 says how many times longer the step
takes without the trick; where a trick does not apply (dropout in a network that has none) it is 1
but for noise.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import torch
from torch import nn

from bakeoff.data.readers.mnist import load_mnist
from bakeoff.engine import adam, linear, twin
from bakeoff.engine import step as steps
from bakeoff.study.recipe import Recipe
from bakeoff.study.study import Entrant, Study
from bakeoff.training import moving
from bakeoff.training import timing_pass as bursts
from bakeoff.training import trial as trials
from benchmarks.interleaved import Turns, always_ready, take_turns
from benchmarks.publish import Table, add_results_option, machine, publish
from benchmarks.task import CPU, PRECISIONS, assignment

ALL = "all tricks"


@dataclass(frozen=True)
class Trick:
    """A trick, and what stands in its place when it is left out."""

    module: Any
    name: str
    instead: object

    def left_out(self) -> Any:
        """Return the context in which the trick is left out."""
        return patch.object(self.module, self.name, self.instead)


def _unfused(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    return torch.optim.Adam(model.parameters(), lr=recipe.learning_rate)


TRICKS = {
    "fused optimizer": Trick(moving, "make_optimizer", _unfused),
    "lean optimizer": Trick(steps, "lean", lambda optimizer, _: optimizer),
    "backward pass by hand": Trick(twin, "as_chain", lambda _: None),
    "channels last": Trick(trials, "place", lambda model, _: model),
    "kernels of pooling": Trick(twin, "kernels", lambda: None),
    "kernels of large layers": Trick(adam, "factored", lambda *_: []),
    "pooling before ReLU": Trick(twin, "_merged", lambda layers: layers),
    "small layers in float32": Trick(twin, "SmallLinear", lambda layer: layer),
    "gradients in place": Trick(twin, "_LARGE", 1 << 62),
    "dropout from blocks of bits": Trick(twin, "BlockDropout", nn.Dropout),
    "flattening channels last": Trick(twin, "ChannelsLastFlatten", nn.Flatten),
    "rounded products": Trick(linear, "_rounded", nullcontext),
}


def burst(
    study: Study, entrant: Entrant, precision: str, examples: int, trick: Trick | None
) -> Callable[[], object]:
    """Return training over `examples` examples with all tricks but `trick`."""
    with ExitStack() as without:
        if trick is not None:
            without.enter_context(trick.left_out())
        take_steps = bursts.make_burst(
            study,
            entrant,
            load_mnist(),
            bursts.all_examples(load_mnist(), CPU),
            precision=precision,
            examples=examples,
        )
    if trick is None:
        return take_steps

    def run() -> object:
        with trick.left_out():
            return take_steps()

    return run


def time_entrant(
    study: Study, entrant: Entrant, precision: str, rounds: int, examples: int
) -> Turns:
    """Return the seconds of all tricks and of each left out."""
    works = {ALL: always_ready(burst(study, entrant, precision, examples, None))}
    for name, trick in TRICKS.items():
        works[name] = always_ready(burst(study, entrant, precision, examples, trick))
    return take_turns(works, rounds)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and keep the table."""
    study = assignment()
    names = [entrant.name for entrant in study.entrants]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--precision", nargs="+", choices=PRECISIONS, default=list(PRECISIONS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--examples", type=int, default=1000, help="trained on in each turn")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    add_results_option(parser)
    options = parser.parse_args(arguments)

    lines, figures = [], {}
    for precision in options.precision:
        for entrant in study.entrants:
            if entrant.name not in options.only:
                continue
            print(f"{entrant.name}, {precision} ...", file=sys.stderr, flush=True)
            turns = time_entrant(study, entrant, precision, options.rounds, options.examples)
            figures[f"{entrant.name}, {precision}"] = turns.to_dict()
            per_step = 1e3 * turns.median(ALL) * entrant.recipe.batch_size / options.examples
            without = [f"{turns.ratio(name, ALL).median:.2f}" for name in TRICKS]
            lines.append((entrant.name, precision, f"{per_step:.2f}", *without))
    publish(
        "tricks",
        [Table(("entrant", "precision", "ms per step", *TRICKS), tuple(lines))],
        setting={"rounds": options.rounds, "examples per turn": options.examples},
        figures={"seconds": figures},
        machine=machine(),
        folder=options.results,
    )


if __name__ == "__main__":
    main()
