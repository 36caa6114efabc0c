"""What the trials of a study could show, told before there are any."""

from __future__ import annotations

from bakeoff.comparison.statistics.reach import smallest_difference
from bakeoff.study.study import Study

PARTING = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Shares of the test images on which exactly one of two entrants may be right."""


def pairs_of(study: Study) -> int:
    """Return how many pairs are tested: Holm's correction counts them all for the first."""
    if study.decision.baseline is not None:
        return len(study.entrants) - 1
    return len(study.entrants) * (len(study.entrants) - 1) // 2


def smallest_differences(study: Study, test_images: int) -> dict[float, float | None]:
    """Return by the share of images on which two entrants part how many points would be found."""
    level = (1 - study.decision.confidence) / max(pairs_of(study), 1)
    found = {
        share: smallest_difference(test_images, study.seeds, share, level) for share in PARTING
    }
    return {share: each and 100 * each for share, each in found.items()}
