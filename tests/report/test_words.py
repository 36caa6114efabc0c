from __future__ import annotations

import pytest

from bakeoff.report.words import p_value, signed, signed_points


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
    assert [signed_points(value) for value in (0.00306, -0.0005, -0.00001)] == [
        "+0.31",
        "−0.05",
        "0.00",
    ]


def test_p_values_read_as_in_the_sentences_of_the_verdicts() -> None:
    # 0.0496 lies below 0.05 and must not read as 0.050.
    assert [p_value(value) for value in (0.0004, 0.0019, 0.0496, 0.312, 1.0, None)] == [
        "< 0.001",
        "0.002",
        "0.0496",
        "0.31",
        "1.00",
        "–",
    ]
