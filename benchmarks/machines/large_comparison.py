"""Measure the comparison of 50 entrants with 200 seeds each on 10,000 test images.

    python -m benchmarks.machines.large_comparison [--entrants 50] [--seeds 200] [--images 10000]

Predictions are drawn: each image has a difficulty that all entrants share and one for each of them,
each answer its own chance. From there on they go the way of `bakeoff compare`: scores of each
entrant, each pair with its interval, Holm's correction over all of them, and the JSON.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bakeoff.comparison.compare import compare
from bakeoff.comparison.outcome import EntrantOutcome, TargetTimes
from benchmarks.publish import Table, add_results_option, machine, publish

CLASSES = 10
KNOWN_WRONG = (3, 5, 9)
# What Linux counts in KiB, macOS counts in bytes.
BYTES = 1 if sys.platform == "darwin" else 1024


def drawn(
    entrants: int, seeds: int, images: int, *, target: bool
) -> tuple[list[EntrantOutcome], NDArray[np.int64]]:
    """Return the outcomes of a bake-off that never was, and the labels of its images."""
    rng = np.random.default_rng(0)
    labels, difficulty = rng.integers(CLASSES, size=images), rng.normal(size=images)
    outcomes = []
    for number in range(entrants):
        own = difficulty + 0.4 * rng.normal(size=images)
        predicted = np.empty((seeds, images), np.int64)
        for row in predicted:
            wrong = own + 0.6 * rng.normal(size=images) + 0.05 * rng.normal() > 2 + number / 50
            row[:] = (labels + wrong * rng.integers(1, CLASSES, images)) % CLASSES
        epochs = rng.integers(5, 20, seeds).astype(np.float64)
        outcomes.append(
            EntrantOutcome(
                name=f"entrant-{number}",
                predicted=predicted,
                seeds=tuple(range(seeds)),
                seconds=1.5 * epochs,
                epochs=epochs,
                target=TargetTimes(1.5 * epochs, epochs, epochs < 18, 0.98) if target else None,
                seconds_per_example=1e-4 * rng.uniform(1, 1.1, 7),
            )
        )
    return outcomes, labels


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--entrants", type=int, default=50)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--target", action="store_true", help="with log-rank tests of a target")
    add_results_option(parser)
    options = parser.parse_args(arguments)

    size = options.entrants, options.seeds, options.images
    outcomes, labels = drawn(*size, target=options.target)
    began, processor = time.perf_counter(), time.process_time()
    found = compare(outcomes, labels, CLASSES, known_wrong=KNOWN_WRONG)
    text = json.dumps(found.to_dict())
    figures = {
        "pairs": len(found.pairs),
        "seconds": time.perf_counter() - began,
        "processor seconds": time.process_time() - processor,
        "peak bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES,
        "bytes of JSON": len(text),
    }
    rows = (
        ("pairs", f"{figures['pairs']:,}"),
        ("wall seconds", f"{figures['seconds']:.1f}"),
        ("processor seconds, one thread", f"{figures['processor seconds']:.1f}"),
        (
            "peak memory, predictions included, GB",
            f"{figures['peak bytes'] / 1e9:.2f}",
        ),
        ("comparison.json, MB", f"{figures['bytes of JSON'] / 1e6:.1f}"),
    )
    publish(
        "large_comparison-target" if options.target else "large_comparison",
        [Table(("comparison", ""), rows)],
        setting={
            "entrants": options.entrants,
            "seeds": options.seeds,
            "test images": options.images,
            "target": "yes" if options.target else "none",
        },
        figures=figures,
        machine=machine(),
        folder=options.results,
    )


if __name__ == "__main__":
    main()
