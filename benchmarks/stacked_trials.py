"""Time the seeds of an entrant trained together beside the same seeds trained one by one.

    python -m benchmarks.stacked_trials [--device auto] [--precision auto] [--seeds 10]
        [--rounds 3] [--examples 2000] [--only ENTRANT ...]

Both take the steps of one epoch of `--examples` images for all seeds, and take turns, so that a
drifting machine is fair to both. The networks are those of the study `assignment`. On a GPU the
steps are recorded CUDA graphs on either side. The table gives medians over the rounds, in seconds
per seed and epoch of that many images, and the ratio: above 1, the stack is faster.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence

import torch

from bakeoff.data.order import epoch_order
from bakeoff.data.readers.mnist import load_mnist
from bakeoff.engine.devices import DEVICES, choose_device, choose_precision
from bakeoff.engine.recorded import make_step
from bakeoff.study.study import Entrant, Study
from bakeoff.training.stacking.stack import Stack
from bakeoff.training.timing_pass import all_examples, make_burst
from bakeoff.training.trial import autocast_for, build_entrant, pixels_of
from benchmarks.interleaved import Turns, always_ready, take_turns
from benchmarks.publish import Table, add_results_option, machine, publish
from benchmarks.task import PRECISIONS, assignment


def stacked_burst(
    study: Study, entrant: Entrant, seeds: int, examples: int, device: torch.device, precision: str
) -> Callable[[], object]:
    """Return a function that takes the steps of one epoch for all seeds together."""
    dataset, recipe = load_mnist(), entrant.recipe
    stack = Stack(
        [build_entrant(study, entrant, seed, dataset, device) for seed in range(seeds)],
        recipe,
        math.ceil(examples / recipe.batch_size),
        pixels=pixels_of(study.protocol, dataset, device),
        autocast=autocast_for(device, precision),
    )
    step = make_step(stack.update, stack.schedule, recipe.batch_size, device)
    images = torch.tensor(dataset.train_images, device=device)
    labels = torch.tensor(dataset.train_labels, device=device)
    order = torch.stack(
        [
            epoch_order(len(labels), study_seed=0, trial_seed=s, epoch=0)[:examples]
            for s in range(seeds)
        ]
    ).to(device)

    def train() -> float:
        loss = torch.zeros(seeds, device=device)
        with stack.seeded(range(seeds)):
            for chosen in order.split(recipe.batch_size, dim=1):
                loss = step(images[chosen], labels[chosen])
        # Reading a number waits for a device that works on its own.
        return loss.sum().item()

    return train


def time_entrant(
    study: Study,
    entrant: Entrant,
    *,
    seeds: int,
    examples: int,
    rounds: int,
    device: torch.device,
    precision: str,
) -> Turns:
    """Return the seconds of an epoch of `examples` for all seeds, one by one and together."""
    burst = make_burst(
        study,
        entrant,
        load_mnist(),
        all_examples(load_mnist(), device),
        precision=precision,
        examples=examples,
    )

    def one_by_one() -> None:
        for _ in range(seeds):
            burst()

    together = stacked_burst(study, entrant, seeds, examples, device, precision)
    return take_turns(
        {"one by one": always_ready(one_by_one), "together": always_ready(together)}, rounds
    )


def row(name: str, turns: Turns, seeds: int) -> tuple[str, ...]:
    """Return the line of the table: seconds per seed, and how often together goes into alone."""
    alone, together = (f"{turns.median(work) / seeds:.4f}" for work in turns.works)
    return name, alone, together, str(turns.ratio("one by one", "together"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and keep the table."""
    study = assignment()
    names = [entrant.name for entrant in study.entrants]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--precision", choices=("auto", *PRECISIONS), default="auto")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="ENTRANT")
    add_results_option(parser)
    options = parser.parse_args(arguments)

    device = choose_device(options.device)
    precision = choose_precision(options.precision, device)
    by_entrant = {}
    for name in options.only:
        print(f"{name} ...", file=sys.stderr, flush=True)
        by_entrant[name] = time_entrant(
            study,
            study.entrant(name),
            seeds=options.seeds,
            examples=options.examples,
            rounds=options.rounds,
            device=device,
            precision=precision,
        )
    columns = ("seconds per seed and epoch", "one by one", "together", "ratio (min to max)")
    rows = tuple(row(name, turns, options.seeds) for name, turns in by_entrant.items())
    publish(
        "stacked_trials",
        [Table(columns, rows)],
        setting={
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
            "precision": precision,
            "seeds": options.seeds,
            "rounds": options.rounds,
            "images in an epoch": options.examples,
        },
        figures={name: turns.to_dict() for name, turns in by_entrant.items()},
        machine=machine(),
        folder=options.results,
    )


if __name__ == "__main__":
    main()
