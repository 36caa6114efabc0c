"""Is the difference smaller than what matters? Two one-sided tests against a margin."""

from __future__ import annotations

import math

from bakeoff.comparison.statistics.crossed import PairedDifference
from bakeoff.comparison.statistics.over_items import OverItems
from bakeoff.comparison.statistics.pivot import one_sided_p
from bakeoff.errors import DataError

# The spread over seeds, too, is somewhat larger if the difference is. With the largest image part
# alone, simulated bake-offs at the margin were called equivalent in up to 5.2 % of cases at a level
# of 5 %; with this factor on its growth in up to 4.6 % (docs/statistics.md).
CAUTION = 1.5


def equivalence_p(paired: PairedDifference | OverItems, margin: float) -> float:
    """Return the p-value for the null that the true difference is at least `margin`, either way.

    Two one-sided tests (Schuirmann 1987, J. Pharmacokin. Biopharm. 15:657-680): the one against a
    difference of `margin` and the one against `-margin` must both reject, so the larger of their
    p-values counts. Both judge the distance to the margin by the same error distribution as the
    difference itself (`pivot`), over new seeds and new test images, with the largest image part
    that a difference of `margin` could have, and some caution. At 5 % that asks for a little more
    than a 90 % interval within the margin.

    Args:
        paired: the difference, from `paired_difference` or its kin, or of two trained models over
            new items.
        margin: a proportion above 0, such as 0.0025 for a quarter of a percentage point.

    Raises:
        DataError: a margin that is not above 0 and finite.

    """
    if not (margin > 0 and math.isfinite(margin)):
        raise DataError(
            f"equivalence margin is {margin}: give a proportion above 0, such as 0.0025"
        )
    distance = margin - abs(paired.difference)
    # With the largest image part every further image on which the entrants part does so in one
    # direction: distance / step of them, each adding its step squared.
    if isinstance(paired, OverItems):
        return paired.tail(distance, CAUTION * paired.step * max(distance, 0.0))
    image_part = paired.image_part + CAUTION * paired.image_step * max(distance, 0.0)
    return float(
        one_sided_p(
            distance,
            paired.seed_part,
            image_part,
            paired.seeds - 1,
            paired.image_degrees_of_freedom,
        )
    )
