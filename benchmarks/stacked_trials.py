"""Time the seeds of an entrant trained together beside the same seeds trained one by one.

    python benchmarks/stacked_trials.py [--device auto] [--precision auto] [--seeds 10]
        [--rounds 3] [--examples 2000] [--entrants NAME ...]

Both take the steps of one epoch of `--examples` images for all seeds, and take turns, so that a
drifting machine is fair to both. The networks are those of the study `assignment`. On a GPU the
steps are recorded CUDA graphs on either side. The table gives medians over the rounds, in seconds
per seed and epoch of that many images, and the ratio: above 1, the stack is faster.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable

import torch

from bakeoff.data.batches import epoch_order
from bakeoff.data.mnist import load_mnist
from bakeoff.study import Entrant, Study
from bakeoff.study_file import find_study, read_study
from bakeoff.training.bursts import make_burst
from bakeoff.training.devices import choose_device, choose_precision, place
from bakeoff.training.graphs import make_step
from bakeoff.training.stack import Stack
from bakeoff.training.trial import autocast_for, build_entrant, pixel_scale


def stacked_burst(
    study: Study, entrant: Entrant, seeds: int, examples: int, device: torch.device, precision: str
) -> Callable[[], object]:
    """Return a function that takes the steps of one epoch for all seeds together."""
    dataset, recipe = load_mnist(), entrant.recipe
    stack = Stack(
        [place(build_entrant(study, entrant, seed, dataset), device) for seed in range(seeds)],
        recipe,
        math.ceil(examples / recipe.batch_size),
        pixel_scale=pixel_scale(study.protocol),
        autocast=autocast_for(device, precision),
    )
    stack.reseed(list(range(seeds)))
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
        for chosen in order.split(recipe.batch_size, dim=1):
            loss = step(images[chosen], labels[chosen])
        # Reading a number waits for a device that works on its own.
        return loss.sum().item()

    return train


def seconds(work: Callable[[], object]) -> float:
    """Return the wall seconds that one call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--examples", type=int, default=2000)
    parser.add_argument("--entrants", nargs="*", help="all of `assignment` without it")
    options = parser.parse_args()

    study = read_study(find_study("assignment"))
    device = choose_device(options.device)
    precision = choose_precision(options.precision, device)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(
        f"{name}, {precision}, {torch.get_num_threads()} threads, {options.seeds} seeds, "
        f"{options.examples} images an epoch, medians of {options.rounds} rounds"
    )
    print("| entrant | one by one, s/seed-epoch | together, s/seed-epoch | ratio (min to max) |")
    print("|---|---|---|---|")
    for entrant in study.entrants:
        if options.entrants and entrant.name not in options.entrants:
            continue
        one = make_burst(
            study,
            entrant,
            load_mnist(),
            device=device,
            precision=precision,
            examples=options.examples,
        )
        together = stacked_burst(study, entrant, options.seeds, options.examples, device, precision)

        def one_by_one(one: Callable[[], float] = one) -> None:
            for _ in range(options.seeds):
                one()

        one(), together()
        pairs = [(seconds(one_by_one), seconds(together)) for _ in range(options.rounds)]
        ratios = sorted(alone / stacked for alone, stacked in pairs)
        medians = [statistics.median(side) / options.seeds for side in zip(*pairs, strict=True)]
        print(
            f"| {entrant.name} | {medians[0]:.4f} | {medians[1]:.4f} | "
            f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) |",
            flush=True,
        )


if __name__ == "__main__":
    main()
