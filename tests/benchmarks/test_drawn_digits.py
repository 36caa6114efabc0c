from __future__ import annotations

import numpy as np
import pytest

from benchmarks.drawn_digits import by_hand, drawn_with_a_pen, smooth


def test_a_curve_goes_through_its_points() -> None:
    points = [(0.0, 0.0), (0.5, 0.2), (1.0, 1.0)]
    curve = smooth(points, between=4)
    assert len(curve) == 9
    assert curve[::4] == pytest.approx(np.array(points))


def test_a_pen_leaves_what_lies_within_its_radius() -> None:
    ink = drawn_with_a_pen([np.array([[2.0, 4.5], [6.0, 4.5]])], 9, 3)
    # Pixels' middles lie at 0.5, 1.5, ...: the first is 1.5 from the end, the last 2.5.
    assert ink[4].tolist() == [128, 255, 255, 255, 255, 255, 255, 128, 0]
    assert ink[:, 4].tolist() == [0, 0, 0, 255, 255, 255, 0, 0, 0]


def test_digits_lie_on_the_canvas_at_any_place_and_size() -> None:
    boxes = []
    for seed in range(20):
        rows, columns = np.nonzero(by_hand(seed % 10, seed))
        boxes.append((rows.min(), columns.min(), rows.max() - rows.min()))
    assert np.ptp(boxes, axis=0).min() > 80
