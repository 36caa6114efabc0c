"""What is said of each entrant beside the first."""

from __future__ import annotations

import pytest

from bakeoff.comparison.verdict import Verdict
from bakeoff.live.run import beside


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        (Verdict("better", "a", ""), "worse than a"),
        (Verdict("better", "b", ""), "better than a"),
        (Verdict("equivalent", None, ""), "equivalent to a"),
        (Verdict("equivalent", "a", ""), "equivalent to a"),
        (Verdict("undecided", None, ""), "not told from a"),
        (Verdict("undecided", None, "", ahead="a"), "behind a, not yet proven"),
        (Verdict("undecided", None, "", ahead="b"), "ahead of a, not yet proven"),
    ],
)
def test_an_entrant_beside_the_first(verdict: Verdict, told: str) -> None:
    assert beside("a", verdict) == told
