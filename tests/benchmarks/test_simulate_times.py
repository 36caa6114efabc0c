from __future__ import annotations

import numpy as np

from benchmarks.simulate_times import greenwood_holds, row


def test_the_usual_interval_is_that_of_the_literature() -> None:
    # With two trials the log-log interval of the median ends only at the later one, if there.
    both = np.ones(2, bool)
    assert greenwood_holds(np.array([0.5, 2.0]), both)
    assert not greenwood_holds(np.array([1.5, 2.0]), both)


def test_a_row_has_what_the_table_asks() -> None:
    cells = row(3, False, 40, np.random.default_rng(0)).split("|")
    assert [cell.strip() for cell in cells[1:3]] == ["3", "none"]
    assert cells[3].strip() == "0.0"
    assert cells[5].strip() == "75.0"
