"""Say how hard the validation images are that a study seed draws.

    python -m benchmarks.split_difficulty

Validation accuracy is a figure of the network and of the images that happen to validate. Ten
networks are trained, each without a tenth of MNIST's training images, and asked about that tenth;
so every image is judged by a network that never saw it. The table gives the share that is judged
wrongly among all images, and among those that each study seed draws for trial seed 0.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset
from bakeoff.data.readers.mnist import load_mnist
from bakeoff.data.split import split_examples
from bakeoff.engine.devices import place
from bakeoff.engine.pixels import Pixels
from bakeoff.networks.build import build
from bakeoff.study.recipe import Recipe
from bakeoff.training.fit import Streams, fit
from bakeoff.training.predict import predict_logits
from bakeoff.training.trial import autocast_for, to_device

from .publish import Table, add_results_option, machine, publish
from .task import CPU, VALIDATION_EXAMPLES

ARCHITECTURE = "cnn-3conv"
RECIPE = Recipe(learning_rate=0.006, schedule="one-cycle", batch_size=100, epochs=3)
PIXEL_SCALE = 1 / 255


def held_out_errors(dataset: Dataset, folds: int, repeat: int, recipe: Recipe) -> NDArray[np.bool_]:
    """Return which training images a network that never saw them gets wrong: bool [n]."""
    examples = len(dataset.train_labels)
    shuffled = np.random.default_rng([repeat]).permutation(examples)
    wrong = np.zeros(examples, dtype=np.bool_)
    for fold, held_out in enumerate(np.array_split(shuffled, folds)):
        model = build(
            ARCHITECTURE,
            dataset.image_shape,
            len(dataset.classes),
            initialisation=recipe.initialisation,
            seed=repeat * folds + fold,
        )
        rest = np.setdiff1d(shuffled, held_out)
        train, judged = (
            to_device(dataset.train_images, dataset.train_labels, part, CPU)
            for part in (rest, held_out)
        )
        fit(
            place(model, CPU),
            recipe,
            train,
            judged,
            Streams(study_seed=fold, trial_seed=repeat, entrant=ARCHITECTURE),
            pixels=Pixels(PIXEL_SCALE),
            autocast=autocast_for(CPU, "float32"),
            on_epoch=lambda _: None,
        )
        answers = predict_logits(model, judged.images, Pixels(PIXEL_SCALE)).argmax(1)
        wrong[held_out] = (answers != judged.labels).numpy()
        print(f"repeat {repeat}, part {fold + 1} of {folds}: {wrong[held_out].mean():.2%} wrong")
    return wrong


def table(errors: NDArray[np.float64], study_seeds: range) -> Table:
    """Return the share of errors [n] among all images, and among those that each seed draws."""
    rows = [("all", f"{errors.mean():.2%}")]
    for seed in study_seeds:
        split = split_examples(len(errors), VALIDATION_EXAMPLES, study_seed=seed, trial_seed=0)
        rows.append((str(seed), f"{errors[split.validation].mean():.2%}"))
    return Table(("study seed", "wrong"), tuple(rows))


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.split_difficulty")
    parser.add_argument("--repeats", type=int, default=2, help="networks that judge each image")
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=10, help="study seeds from 0")
    parser.add_argument("--epochs", type=int, default=RECIPE.epochs)
    add_results_option(parser)
    asked = parser.parse_args(arguments)
    recipe = RECIPE.model_copy(update={"epochs": asked.epochs})
    dataset = load_mnist()
    errors = np.mean(
        [held_out_errors(dataset, asked.folds, each, recipe) for each in range(asked.repeats)],
        axis=0,
    )
    publish(
        "split_difficulty",
        [table(errors, range(asked.seeds))],
        setting={"repeats": asked.repeats, "folds": asked.folds, "epochs": asked.epochs},
        figures={"share_wrong": float(errors.mean())},
        machine=machine(),
        folder=asked.results,
    )


if __name__ == "__main__":
    main()
