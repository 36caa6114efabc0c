"""Named factors become a seed, so that every random choice has a stream of its own."""

from __future__ import annotations

import hashlib
import json


def derive_seed(purpose: str, /, **factors: str | int) -> int:
    """Return a seed in [0, 2**63) that depends on nothing but `purpose` and the named factors.

    Leaving a factor out is how trials are paired: the split and the order of batches leave out
    the entrant, so every entrant of one trial seed sees the same examples in the same order.

    >>> derive_seed("split", study_seed=0, trial_seed=1) == derive_seed(
    ...     "split", trial_seed=1, study_seed=0
    ... )
    True
    """
    text = json.dumps([purpose, sorted(factors.items())], separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
