"""Count how often a difference is claimed between two names of one network, on real trainings.

    bakeoff run benchmarks/two_names.toml
    python -m benchmarks.two_names runs/two-names [--splits 25]

Entrants with the same network and recipe are one entrant under two names: of each seed they share
split and order, and their initialisations are drawn apart. So no difference that is claimed between
them is true. The seeds are dealt out to bake-offs of 3, 5 and 10, over and over, and which training
bears which name is tossed for anew, since that changes nothing. Beside them as many bake-offs whose
answers are tossed for, each image as often right as it was in all trainings.

Bake-offs that share trainings are not independent. So the seeds are parted into blocks that share
none, and the standard error is that of the mean of their rates.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bakeoff.comparison.statistics.crossed import paired_difference_of_balanced_accuracy
from bakeoff.comparison.statistics.equivalence import equivalence_p
from bakeoff.data.catalogue import load_dataset
from bakeoff.errors import BakeoffError, StoreError
from bakeoff.findings.predicted import read_predicted
from bakeoff.records.folder import RunFolder
from benchmarks.publish import Table

Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]

SEEDS = (3, 5, 10)
LEVEL = 0.05
# The two margins, proportions: the usual one, and one that so few test images can show.
MARGINS = (0.0025, 0.01)
BLOCKS = 10


@dataclass(frozen=True)
class TwoNames:
    """What all trainings of one network got right.

    Attributes:
        network: the first of the two names.
        right: boolean [2 names, seeds, images].
        labels: integer [images].

    """

    network: str
    right: Bools
    labels: Integers


@dataclass(frozen=True)
class Claims:
    """What one bake-off claims, or the shares of several that do."""

    difference: float
    difference_on_these_images: float
    equivalence: float
    equivalence_within_a_point: float


def two_names(folder: RunFolder) -> list[TwoNames]:
    """Return each network of a run that two entrants have in common.

    Raises StoreError where there is none, or too few seeds for the blocks.
    """
    study, records = folder.study, folder.read_records()
    dataset = load_dataset(study.protocol, Path())
    predicted = read_predicted(folder, records, dataset)
    pairs = [
        (a.name, b.name)
        for a, b in itertools.combinations(study.entrants, 2)
        if (a.network, a.recipe) == (b.network, b.recipe)
    ]
    if not pairs:
        raise StoreError(f"{folder.path}: no two entrants have the same network and recipe")
    found = []
    for names in pairs:
        seeds = [seed for seed in study.trial_seeds if all((n, seed) in predicted for n in names)]
        if len(seeds) < BLOCKS * max(SEEDS):
            raise StoreError(
                f"{folder.path}: {len(seeds)} seeds are too few for {BLOCKS} blocks of "
                f"{max(SEEDS)}: run it with --seeds 400"
            )
        answers = np.array([[predicted[n, seed].classes for seed in seeds] for n in names])
        found.append(TwoNames(names[0], answers == dataset.test_labels, dataset.test_labels))
    return found


def dealt(right: Bools, seeds: int, splits: int, rng: np.random.Generator) -> Iterator[Bools]:
    """Yield bake-offs [2, seeds, images] of trainings [2, all seeds, images].

    In each split every training takes part once at most.
    """
    for _ in range(splits):
        order = rng.permutation(right.shape[1])
        for first in range(0, len(order) - seeds + 1, seeds):
            chosen = order[first : first + seeds]
            bears = rng.integers(2, size=seeds)
            yield right[np.array([bears, 1 - bears]), chosen]


def tossed(right: Bools, seeds: int, number: int, rng: np.random.Generator) -> Iterator[Bools]:
    """Yield bake-offs [2, seeds, images] whose answers are right as often as those in `right`."""
    share = right.mean(axis=(0, 1))
    for _ in range(number):
        yield rng.random((2, seeds, len(share))) < share


def claims(bakeoffs: Iterable[Bools], labels: Integers) -> Claims:
    """Return which share of these bake-offs claims what, by balanced accuracy."""
    found = []
    for a, b in bakeoffs:
        paired = paired_difference_of_balanced_accuracy(a, b, labels, 1 - LEVEL)
        p_values = [paired.p_value, paired.fixed_test_set.p_value]
        found.append([*p_values, *(equivalence_p(paired, margin) for margin in MARGINS)])
    return Claims(*(np.array(found) < LEVEL).mean(axis=0).tolist())


def rows(of: TwoNames, splits: int) -> Iterator[tuple[str, ...]]:
    """Yield the rows of one network, one for each number of seeds."""
    blocks = np.array_split(of.right, BLOCKS, axis=1)
    for seeds in SEEDS:
        rng = np.random.default_rng([seeds])
        of_blocks = [claims(dealt(each, seeds, splits, rng), of.labels) for each in blocks]
        number = splits * sum(each.shape[1] // seeds for each in blocks)
        simulated = claims(tossed(of.right, seeds, number, rng), of.labels)
        difference, fixed, *equivalence = zip(*map(astuple, of_blocks), strict=True)
        yield (
            of.network,
            str(seeds),
            f"{number:,}",
            _percent(difference),
            _percent([simulated.difference]),
            _percent(fixed),
            *map(_percent, equivalence),
        )


def _percent(rates: Sequence[float]) -> str:
    """Return the mean of the blocks' rates in per cent, with its standard error."""
    mean = f"{100 * np.mean(rates):.1f}"
    if len(rates) < 2:
        return mean
    return f"{mean} ± {100 * np.std(rates, ddof=1) / math.sqrt(len(rates)):.1f}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table of docs/statistics.md; return the exit code."""
    parser = argparse.ArgumentParser(description="Count differences claimed where there are none.")
    parser.add_argument("directory", type=Path, help="the folder of the run")
    parser.add_argument("--splits", type=int, default=25, help="of the seeds into bake-offs")
    given = parser.parse_args(arguments)
    try:
        networks = two_names(RunFolder.open(given.directory))
    except BakeoffError as error:
        print(f"two_names: {error}", file=sys.stderr)
        return error.exit_code
    columns = (
        "network",
        "seeds",
        "bake-offs",
        "difference",
        "(tossed answers)",
        "on these images",
        "equivalent within 0.25",
        "within 1 point",
    )
    found = tuple(row for each in networks for row in rows(each, given.splits))
    print(Table(columns, found).to_markdown(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
