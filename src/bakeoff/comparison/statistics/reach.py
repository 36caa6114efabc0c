"""What a test set can show, told before anything is trained."""

from __future__ import annotations

import math

from scipy import special

from bakeoff.comparison.statistics.pivot import critical_distance
from bakeoff.comparison.statistics.power import ENOUGH


def smallest_difference(images: int, seeds: int, parting: float, level: float) -> float | None:
    """Return the smallest difference in accuracy that is found in four cases of five.

    images: of the test set; seeds: of each entrant; parting: the share of images on which exactly
    one of the two is right, in (0, 1]; level: of the two-sided test. The difference is a
    proportion. Half of the parting is taken to be the networks' own, the same in every training,
    and half to change from seed to seed; so that is the least that seeds leave open, and entrants
    whose trainings differ more show less. None for one seed, which shows nothing of others.
    """
    if seeds < 2:
        return None
    image_part = parting / 2 / images
    seed_part = parting / 2 / images / seeds
    beyond = critical_distance(level / 2, seed_part, lambda _: image_part, seeds - 1)
    found = beyond + float(special.ndtri(ENOUGH)) * math.sqrt(image_part + seed_part)
    # Images on which the two part bound the difference.
    return found if found <= parting else None
