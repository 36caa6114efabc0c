from __future__ import annotations

import pytest

from bakeoff.report.words import points, signed


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.12344, "+0.1234"),
        (-0.12344, "−0.1234"),
        (-0.00004, "0.0000"),
        (0.0, "0.0000"),
        (None, "–"),
    ],
)
def test_differences_have_a_true_sign_unless_they_round_to_zero(
    value: float | None, text: str
) -> None:
    assert signed(value) == text


def test_points_have_two_places() -> None:
    assert [points(value) for value in (0.306, -0.05, -0.001)] == ["+0.31", "−0.05", "0.00"]
