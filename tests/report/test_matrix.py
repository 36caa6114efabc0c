"""The win matrix: verdicts, and what is less than one."""

from __future__ import annotations

import numpy as np

from bakeoff.comparison.compare import Comparison, compare
from bakeoff.comparison.outcome import EntrantOutcome
from bakeoff.report.sections.matrix import matrix

LABELS = np.arange(400) % 2


def compared(*wrong: list[int]) -> Comparison:
    """Compare entrants a, b, ...: of each so many first images are wrong, by seed."""
    outcomes = []
    for name, errors in zip("abcd", wrong, strict=False):
        predicted = np.tile(LABELS, (len(errors), 1))
        for row, number in zip(predicted, errors, strict=True):
            row[:number] = 1 - row[:number]
        outcomes.append(EntrantOutcome(name, predicted, tuple(range(len(errors)))))
    return compare(outcomes, LABELS, 2, metric="accuracy", equivalence_margin=None)


def test_trained_networks_that_differ_are_marked_after_holm() -> None:
    # Alone right on 7 against 0: p = 2 / 2^7 = 0.0156 alone, 0.0312 after Holm's correction for the
    # second of three pairs. On 6 against 0: 2 / 2^6 = 0.0312, which is 0.0625 for two pairs left.
    shown = matrix(compared([0], [7], [13]))
    assert {pair: duel.kind for pair, duel in shown.items()} == {
        ("a", "b"): "ahead",
        ("b", "a"): "behind",
        ("a", "c"): "ahead",
        ("c", "a"): "behind",
        ("b", "c"): "ahead",
        ("c", "b"): "behind",
    }
    assert shown["a", "b"].sentence == (
        "these two trained models differ: a gets 1.75 points more of the test images right than b "
        "(alone right on 7 and 0), exact McNemar p = 0.016"
    )
    assert matrix(compared([0], [6], [12]))["a", "b"].kind == "undecided"


def test_ahead_is_what_the_pair_alone_would_show() -> None:
    # Of a and b p is 0.025 alone and 0.087 after Holm's correction for six pairs; of a and d 0.25.
    shown = matrix(compared([0, 0, 0], [7, 9, 11], [9, 9, 9], [1, 1, 2]))
    assert {pair: duel.kind for pair, duel in shown.items() if pair < pair[::-1]} == {
        ("a", "b"): "ahead",
        ("a", "c"): "better",
        ("a", "d"): "undecided",
        ("b", "c"): "undecided",
        ("b", "d"): "behind",
        ("c", "d"): "worse",
    }
    assert (shown["b", "a"].kind, shown["d", "b"].kind) == ("behind", "ahead")
