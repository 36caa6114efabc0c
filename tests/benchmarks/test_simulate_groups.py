from __future__ import annotations

import numpy as np

from benchmarks.simulate_groups import in_groups, rejected
from benchmarks.simulate_verdicts import Cell, measure, world

CELL = Cell(0.97, 5, 3000, "zero")


def test_independent_images_part_as_those_of_simulate_verdicts_do() -> None:
    truth, rng = world(CELL), np.random.default_rng(0)
    drawn = [measure(in_groups(CELL, truth, 5, 0.0, rng), 3000).difference[0] for _ in range(400)]
    assert abs(np.std(drawn) / truth.standard_error - 1) < 0.12


def test_groups_that_are_alike_break_the_promise() -> None:
    assert rejected(CELL, 5, 0.0, 300) < 0.08
    assert rejected(CELL, 5, 1.0, 300) > 0.10
