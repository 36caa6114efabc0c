from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.fraction_of_peak import PRODUCTS, entrants, main, operations_per_example, rows
from benchmarks.interleaved import Turns
from benchmarks.task import assignment

from .results import figures_of, first_cells

# Multiply-adds of each layer, forward, of one image: output places x weights of one of them.
CONV1, CONV2 = 28 * 28 * 25 * 32, 14 * 14 * 25 * 32 * 64
MULTIPLY_ADDS = {
    "logistic-regression": (784 * 10,),
    "mlp-2x200": (784 * 200, 200 * 200, 200 * 10),
    "cnn-1conv": (CONV1, 14 * 14 * 32 * 1024, 1024 * 10),
    "cnn-2conv": (CONV1, CONV2, 7 * 7 * 64 * 1024, 1024 * 10),
    "cnn-2conv-dropout-batch-50": (CONV1, CONV2, 7 * 7 * 64 * 1024, 1024 * 10),
}


@pytest.mark.parametrize(("name", "layers"), MULTIPLY_ADDS.items(), ids=MULTIPLY_ADDS)
def test_a_step_counts_forward_and_both_gradients_but_that_of_the_images(
    name: str, layers: tuple[int, ...]
) -> None:
    study = assignment()
    expected = 2 * (3 * sum(layers) - layers[0])
    assert operations_per_example(study, study.entrant(name)) == expected


def test_cnn_2conv_is_measured_with_batches_of_100_too() -> None:
    last = entrants(assignment())[-1]
    assert (last.name, last.architecture) == ("cnn-2conv-batch-100", "cnn-2conv")
    assert last.recipe.batch_size == 100


def test_fractions_are_speeds_over_the_speed_of_the_product_in_the_same_round() -> None:
    study = assignment()
    linear = study.entrant("logistic-regression")
    # 15,680 multiply-adds a step; the product has 2048 ** 3 of them, several times a turn.
    examples = 2048**3 * PRODUCTS["float32"] // 15_680
    turns = Turns(("product", linear.name), np.array([[1.0, 2.0, 1.0], [4.0, 4.0, 5.0]]))
    product, steps = rows(study, [linear], "float32", turns, examples)
    assert product[4] == f"{2 * 2048**3 * PRODUCTS['float32'] / 1e9:.0f}"
    assert steps[5] == "25.0 % (20.0 to 50.0)"


def test_the_benchmark_runs_for_both_precisions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without matrix units, products of the real size take minutes in bfloat16.
    monkeypatch.setattr("benchmarks.fraction_of_peak.SIZE", 64)
    counts = "--rounds 2 --examples 50 --only mlp-2x200 cnn-2conv-batch-100"
    main([*counts.split(), "--results", str(tmp_path)])
    figures = figures_of(tmp_path, "fraction_of_peak")
    assert figures["operations per example"]["cnn-2conv-batch-100"] == 82_049_024
    for precision in ("float32", "bfloat16"):
        rounds = figures["seconds"][precision]
        assert rounds.keys() == {"product", "mlp-2x200", "cnn-2conv-batch-100"}
    lines = ["64 x 64 x 64 product", "mlp-2x200", "cnn-2conv-batch-100"]
    assert first_cells(tmp_path, "fraction_of_peak") == ["entrant", *lines, *lines]
