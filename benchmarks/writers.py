"""How many of MNIST's training images a study's networks get wrong that never saw their writers.

    python -m benchmarks.writers record [--shuffled]

MNIST's images lie in the order of their writers, those of two sources in turns: within a class the
ink of an image tells of the one two places on, and not of its neighbour. Folds of consecutive
images therefore have writers of their own, as test images do; a random split, `--shuffled`, has
each writer on both sides. Every entrant trains on all folds but one, with the recipe, the
augmentation and the pixels of the study, and answers that one. Test images take no part.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset
from bakeoff.data.readers.mnist import load_mnist
from bakeoff.engine import claimed_process
from bakeoff.engine.devices import choose_precision
from bakeoff.study.recipe import Recipe
from bakeoff.study.study import Entrant, Study
from bakeoff.study.toml import find_study, read_study
from bakeoff.training.fit import Streams, fit
from bakeoff.training.predict import predict_logits
from bakeoff.training.trial import augmenter_of, autocast_for, build_entrant, pixels_of, to_device

from .publish import Table, add_results_option, machine, publish
from .task import CPU


def ink_tells(dataset: Dataset, places: int) -> float:
    """Return the correlation of the ink of images so many places apart, within their classes."""
    ink = dataset.train_images.reshape(len(dataset.train_labels), -1).mean(1)
    for label in range(len(dataset.classes)):
        alike = dataset.train_labels == label
        ink[alike] = (ink[alike] - ink[alike].mean()) / ink[alike].std()
    return float((ink[:-places] * ink[places:]).mean())


def held_out_errors(
    study: Study,
    entrant: Entrant,
    recipe: Recipe,
    dataset: Dataset,
    folds: Sequence[NDArray[np.int64]],
) -> NDArray[np.bool_]:
    """Return which training images a network that never saw their fold gets wrong: bool [n]."""
    pixels = pixels_of(study.protocol, dataset, CPU)
    wrong = np.zeros(len(dataset.train_labels), dtype=np.bool_)
    for number, held_out in enumerate(folds):
        rest = np.setdiff1d(np.arange(len(wrong)), held_out)
        train, judged = (
            to_device(dataset.train_images, dataset.train_labels, part, CPU)
            for part in (rest, held_out)
        )
        model = build_entrant(study, entrant, number, dataset, CPU)
        fit(
            model,
            recipe,
            train,
            judged,
            Streams(study.study_seed, number, entrant.name),
            pixels=pixels,
            autocast=autocast_for(CPU, choose_precision("auto", CPU)),
            augmenter=augmenter_of(study, number, dataset),
            on_epoch=lambda _: None,
        )
        answers = predict_logits(model, judged.images, pixels).argmax(1)
        wrong[held_out] = (answers != judged.labels).numpy()
        print(f"{entrant.name}, fold {number + 1} of {len(folds)}: {wrong[held_out].sum()} wrong")
    return wrong


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.writers")
    parser.add_argument("study", help="one that ships, or a TOML file")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--shuffled", action="store_true", help="each writer in every fold")
    add_results_option(parser)
    asked = parser.parse_args(arguments)
    study, dataset = read_study(find_study(asked.study)), load_mnist()
    images = np.arange(len(dataset.train_labels))
    if asked.shuffled:
        images = np.random.default_rng(study.study_seed).permutation(images)
    folds = [np.sort(fold) for fold in np.array_split(images, asked.folds)]
    errors = {}
    with claimed_process(1):
        for entrant in study.entrants:
            recipe = entrant.recipe.model_copy(update={"epochs": asked.epochs})
            errors[entrant.name] = held_out_errors(study, entrant, recipe, dataset, folds)
    rows = tuple((name, str(wrong.sum())) for name, wrong in errors.items())
    publish(
        "writers",
        [Table(("entrant", f"wrong of {len(images)}"), rows)],
        setting={"study": Path(asked.study).stem, "epochs": asked.epochs}
        | {"folds": asked.folds, "shuffled": asked.shuffled},
        figures={
            "wrong": {name: np.flatnonzero(wrong).tolist() for name, wrong in errors.items()},
            "ink": {places: ink_tells(dataset, places) for places in (1, 2, 3, 20, 200, 1000)},
        },
        machine=machine(),
        folder=asked.results,
    )


if __name__ == "__main__":
    main()
