"""Measure how cost grows: with the batch size, and with images, seeds and entrants of a study.

    python -m benchmarks.growth [--precision float32] [--rounds 5] [--examples 1000]

By batch size: training steps of every network over the same examples. By images, seeds and
entrants: wall seconds of whole small studies through `run_study` (training, scoring, timing pass,
comparison, report), each in a temporary folder of its own. All sizes of a kind take turns.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bakeoff import run_study
from bakeoff.data.readers.mnist import load_mnist
from bakeoff.study.protocol import Protocol
from bakeoff.study.recipe import Recipe
from bakeoff.study.study import Entrant, Study
from bakeoff.training.timing_pass import all_examples, make_burst
from benchmarks.interleaved import Turns, Work, always_ready, take_turns
from benchmarks.publish import Table, add_results_option, machine, publish
from benchmarks.task import CPU, PRECISIONS, assignment

BATCH_SIZES = (10, 25, 50, 100, 250, 500)
SMALLEST = 500
"""Training images of the smallest study."""


@dataclass(frozen=True)
class Kind:
    """One way in which a study can be larger."""

    name: str
    sizes: tuple[int, ...]
    study: Callable[[int], Study]


def small_study(
    *, images: int = SMALLEST, seeds: int = 1, entrants: int = 1, architecture: str = "mlp-2x200"
) -> Study:
    """Return a study of two epochs on MNIST; its entrants differ in name alone."""
    recipe = Recipe(epochs=2)
    return Study(
        name="growth",
        seeds=seeds,
        protocol=Protocol(train_examples=images, validation_examples=SMALLEST),
        entrants=tuple(
            Entrant(name=f"entrant-{number}", architecture=architecture, recipe=recipe)
            for number in range(entrants)
        ),
    )


KINDS = (
    Kind("training images", (500, 2000, 8000), lambda size: small_study(images=size)),
    Kind("seeds", (1, 2, 4, 8), lambda size: small_study(seeds=size)),
    Kind("entrants", (1, 2, 4, 8), lambda size: small_study(entrants=size)),
)


def run_in(folder: Path, study: Study, precision: str) -> Work:
    """Return the work of running a study in a folder of its own each time."""

    def ready() -> Callable[[], object]:
        out = Path(tempfile.mkdtemp(dir=folder)) / "run"
        return lambda: run_study(study, out, device="cpu", precision=precision)

    return ready


def time_studies(kind: Kind, precision: str, rounds: int) -> Turns:
    """Return the seconds of the studies of every size."""
    with tempfile.TemporaryDirectory() as folder:
        works = {
            str(size): run_in(Path(folder), kind.study(size), precision) for size in kind.sizes
        }
        return take_turns(works, rounds)


def time_batch_sizes(
    study: Study, entrant: Entrant, sizes: Sequence[int], precision: str, rounds: int, examples: int
) -> Turns:
    """Return the seconds of steps over the same examples in batches of every size."""
    works = {}
    images = all_examples(load_mnist(), CPU)
    for size in sizes:
        recipe = entrant.recipe.model_copy(update={"batch_size": size})
        burst = make_burst(
            study,
            entrant.model_copy(update={"recipe": recipe}),
            load_mnist(),
            images,
            precision=precision,
            examples=examples,
        )
        works[str(size)] = always_ready(burst)
    return take_turns(works, rounds)


def batch_table(by_entrant: dict[str, Turns], examples: int) -> Table:
    """Return microseconds per example, a line for each entrant and a column for each batch size."""
    sizes = next(iter(by_entrant.values())).works
    rows = tuple(
        (name, *(f"{1e6 * turns.median(size) / examples:.0f}" for size in sizes))
        for name, turns in by_entrant.items()
    )
    columns = ("microseconds per example, in batches of", *sizes)
    return Table(columns, rows)


def study_table(kind: Kind, turns: Turns) -> Table:
    """Return the seconds of the studies of one kind, and each beside the smallest."""
    smallest = turns.works[0]
    rows = tuple(
        (
            f"{int(size):,}",
            f"{turns.median(size):.2f}",
            "" if size == smallest else str(turns.ratio(size, smallest)),
            "" if size == smallest else f"{int(size) / int(smallest):.0f}",
        )
        for size in turns.works
    )
    return Table((kind.name, "study, s", "times the smallest", "times its size"), rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and keep the tables."""
    study = assignment()
    names = [entrant.name for entrant in study.entrants]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--examples", type=int, default=1000, help="for the batch sizes")
    parser.add_argument("--only", nargs="+", choices=names, default=names[:4], metavar="ENTRANT")
    parser.add_argument("--kinds", nargs="+", choices=[kind.name for kind in KINDS])
    add_results_option(parser)
    options = parser.parse_args(arguments)

    by_entrant = {}
    for name in options.only:
        print(f"batch sizes, {name} ...", file=sys.stderr, flush=True)
        by_entrant[name] = time_batch_sizes(
            study,
            study.entrant(name),
            [size for size in BATCH_SIZES if size <= options.examples],
            options.precision,
            options.rounds,
            options.examples,
        )
    by_kind = {}
    kinds = [kind for kind in KINDS if options.kinds is None or kind.name in options.kinds]
    for kind in kinds:
        print(f"studies by {kind.name} ...", file=sys.stderr, flush=True)
        by_kind[kind.name] = time_studies(kind, options.precision, options.rounds)
    publish(
        "growth",
        [
            batch_table(by_entrant, options.examples),
            *(study_table(kind, by_kind[kind.name]) for kind in kinds),
        ],
        setting={
            "precision": options.precision,
            "rounds": options.rounds,
            "examples per turn, for the batch sizes": options.examples,
            "studies": f"mlp-2x200, 2 epochs, {SMALLEST} training images, 1 seed, 1 entrant "
            "unless the table says otherwise",
        },
        figures={
            "batch sizes": {name: turns.to_dict() for name, turns in by_entrant.items()},
            "studies": {name: turns.to_dict() for name, turns in by_kind.items()},
        },
        machine=machine(),
        folder=options.results,
    )


if __name__ == "__main__":
    main()
