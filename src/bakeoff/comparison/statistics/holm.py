"""Many pairs tested at once: Holm's correction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bakeoff.errors import DataError


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's (1979, Scand. J. Stat. 6:65-70) adjusted p-values, in the order given.

    Reading each against 0.05 keeps the chance of any false rejection among all of them at or below
    5 %, whatever their dependence. The smallest is multiplied by their number, the next by one
    less, and so on; none may fall below the one before it.

    Raises:
        DataError: a value outside [0, 1].

    """
    for place, p_value in enumerate(p_values):
        if not 0 <= p_value <= 1:
            raise DataError(f"p-value {place} is {p_value}: p-values lie between 0 and 1")
    raw = np.asarray(p_values, dtype=np.float64)
    ascending = np.argsort(raw)
    scaled = np.minimum(np.arange(len(raw), 0, -1) * raw[ascending], 1.0)
    adjusted = np.empty_like(raw)
    adjusted[ascending] = np.maximum.accumulate(scaled)
    return [float(each) for each in adjusted]
