"""Set the arithmetic of training steps beside the machine's measured matrix-product peak.

    python -m benchmarks.fraction_of_peak [--rounds 7] [--examples 1000]

The peak is that of a 2048 x 2048 x 2048 product in the same precision, which takes its turn between
the training steps. The arithmetic of a step is two operations for every multiply-add of forward and
backward pass, as torch counts them on the plain model (products and convolutions alone; the first
layer needs no gradient of its input). Everything else that a step does (activations, pooling, loss,
optimizer, gathering the batch) takes time and counts as nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from bakeoff.data.readers.mnist import load_mnist
from bakeoff.study.study import Entrant, Study
from bakeoff.training.timing_pass import all_examples, make_burst
from bakeoff.training.trial import build_entrant
from benchmarks.interleaved import Turns, always_ready, take_turns
from benchmarks.publish import Table, add_results_option, machine, publish
from benchmarks.task import CPU, PRECISIONS, assignment

SIZE = 2048
PRODUCTS = {"float32": 3, "bfloat16": 20}
"""How many products make one turn: enough to be timed well."""


def entrants(study: Study) -> list[Entrant]:
    """Return those of the study, and `cnn-2conv` with batches of 100."""
    base = study.entrant("cnn-2conv")
    recipe = base.recipe.model_copy(update={"batch_size": 100})
    changed = base.model_copy(update={"name": "cnn-2conv-batch-100", "recipe": recipe})
    return [*study.entrants, changed]


def operations_per_example(study: Study, entrant: Entrant) -> int:
    """Return twice the multiply-adds of forward and backward pass of one training example."""
    dataset = load_mnist()
    model = build_entrant(study, entrant, 0, dataset, CPU)
    with FlopCounterMode(display=False) as counter:
        loss = F.cross_entropy(model(torch.zeros(1, *dataset.image_shape)), torch.tensor([0]))
        loss.backward()
    operations: int = counter.get_total_flops()
    return operations


def products(precision: str) -> Callable[[], None]:
    """Return a function that computes the products of one turn."""
    dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[precision]
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(SIZE, SIZE, generator=generator).to(dtype) for _ in range(2))
    result = torch.empty_like(left)

    def multiply() -> None:
        for _ in range(PRODUCTS[precision]):
            torch.mm(left, right, out=result)

    return multiply


def time_all(
    study: Study, competitors: Sequence[Entrant], precision: str, rounds: int, examples: int
) -> Turns:
    """Return the seconds of the products and of each entrant's steps over `examples` examples."""
    works = {"product": always_ready(products(precision))}
    images = all_examples(load_mnist(), CPU)
    for entrant in competitors:
        burst = make_burst(
            study, entrant, load_mnist(), images, precision=precision, examples=examples
        )
        works[entrant.name] = always_ready(burst)
    return take_turns(works, rounds)


def rows(
    study: Study, competitors: Sequence[Entrant], precision: str, turns: Turns, examples: int
) -> list[tuple[str, ...]]:
    """Return a line for the product and one for each entrant."""
    of_products = 2 * SIZE**3 * PRODUCTS[precision]
    peak = of_products / turns.median("product")
    product = f"{SIZE} x {SIZE} x {SIZE} product"
    lines: list[tuple[str, ...]] = [(product, "", precision, "", f"{peak / 1e9:.0f}", "")]
    for entrant in competitors:
        of_steps = operations_per_example(study, entrant) * examples
        # Compared within each round: speed of the steps over speed of the products.
        share = turns.ratio("product", entrant.name)
        median, low, high = (
            100 * each * of_steps / of_products for each in (share.median, share.low, share.high)
        )
        lines.append(
            (
                entrant.name,
                str(entrant.recipe.batch_size),
                precision,
                f"{1e6 * turns.median(entrant.name) / examples:.1f}",
                f"{of_steps / turns.median(entrant.name) / 1e9:.1f}",
                f"{median:.1f} % ({low:.1f} to {high:.1f})",
            )
        )
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and keep the table."""
    study = assignment()
    competitors = entrants(study)
    names = [entrant.name for entrant in competitors]
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--precision", nargs="+", choices=PRECISIONS, default=list(PRECISIONS))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--examples", type=int, default=1000, help="trained on in each turn")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    add_results_option(parser)
    options = parser.parse_args(arguments)

    competitors = [entrant for entrant in competitors if entrant.name in options.only]
    lines, figures = [], {}
    for precision in options.precision:
        print(f"{precision} ...", file=sys.stderr, flush=True)
        turns = time_all(study, competitors, precision, options.rounds, options.examples)
        lines += rows(study, competitors, precision, turns, options.examples)
        figures[precision] = turns.to_dict()
    columns = (
        "entrant", "batch", "precision", "microseconds per example", "GFLOP/s",
        "fraction of the product's",
    )  # fmt: skip
    publish(
        "fraction_of_peak",
        [Table(columns, tuple(lines))],
        setting={
            "rounds": options.rounds,
            "examples per turn": options.examples,
            "products per turn": PRODUCTS,
        },
        figures={
            "seconds": figures,
            "operations per example": {
                entrant.name: operations_per_example(study, entrant) for entrant in competitors
            },
        },
        machine=machine(),
        folder=options.results,
    )


if __name__ == "__main__":
    main()
