"""looks.json: when verdicts were looked at, on which seeds, by which rule; under a seal."""

from __future__ import annotations

import errno
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from bakeoff.errors import StoreError
from bakeoff.files.locks import held
from bakeoff.files.place import Place
from bakeoff.records.sealed_file import SealedFile
from bakeoff.study.study import MOST_SEEDS, Study

_NOT_ALLOWED = {errno.EACCES, errno.EPERM, errno.EROFS}


_Seed = Annotated[int, Field(ge=0, lt=MOST_SEEDS)]


@dataclass(frozen=True)
class Rule:
    """By what pairs are judged; the margin is a proportion."""

    metric: str
    confidence: float
    equivalence_margin: float
    about: Literal["architectures", "models"] = "architectures"
    baseline: str | None = None

    @classmethod
    def of(cls, study: Study) -> Rule:
        """Return the rule of decision of a study."""
        decision = study.decision
        return cls(
            metric=study.protocol.selection_metric,
            confidence=decision.confidence,
            equivalence_margin=decision.equivalence_margin / 100,
            about=decision.about,
            baseline=decision.baseline,
        )


@dataclass(frozen=True)
class Claim:
    """A verdict that decides; `better` is who is ahead, or None where that is not shown."""

    a: str
    b: str
    verdict: Literal["better", "equivalent"]
    better: str | None


@dataclass(frozen=True)
class Look:
    """One look at the verdicts of a study.

    Attributes:
        when: the moment, ISO 8601.
        rule: of decision.
        complete: of each entrant, the seeds with answers, as first and last of each unbroken run.
        claims: what the pairs were found to be.

    """

    when: str
    rule: Rule
    complete: dict[str, tuple[tuple[_Seed, _Seed], ...]]
    claims: tuple[Claim, ...]

    def __post_init__(self) -> None:
        """Refuse runs that overlap, of which few bytes could make many seeds."""
        for runs in self.complete.values():
            ends = [end for first, last in runs for end in (first, last + 1)]
            if any(end >= after for end, after in itertools.pairwise(ends)):
                raise ValueError("runs of seeds overlap")

    def seeds(self) -> dict[str, frozenset[int]]:
        """Return the seeds that each entrant had completed."""
        return {
            entrant: frozenset(seed for first, last in runs for seed in range(first, last + 1))
            for entrant, runs in self.complete.items()
        }


def runs_of(seeds: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """Return first and last of each unbroken run: (0, 1, 2, 5) is ((0, 2), (5, 5))."""
    runs: list[tuple[int, int]] = []
    for seed in sorted(seeds):
        first = runs.pop()[0] if runs and runs[-1][1] == seed - 1 else seed
        runs.append((first, seed))
    return tuple(runs)


@dataclass(frozen=True)
class Looks:
    """All looks that were taken at a run, oldest first."""

    looks: tuple[Look, ...]


LOOKS = SealedFile(
    "looks.json",
    TypeAdapter(Looks),
    most=5_000_000,
    mend="put a copy back, or delete it, and the next look counts as first",
    nothing=Looks(()),
)


def keep_look(folder: Place, look: Look, lock: Place) -> str | None:
    """Add a look to the list, unless it saw what an earlier one saw by the same rule.

    Returns None, or why it could not be kept, where the reader may not write. Raises StoreError
    where another thing is in the way, such as a full disk.
    """
    if _seen(look, LOOKS.read(folder).looks):
        return None
    try:
        with held(lock):
            looks = LOOKS.read(folder).looks
            if not _seen(look, looks):
                LOOKS.write(folder, Looks((*looks, look)))
    except StoreError as error:
        if getattr(error.__cause__, "errno", None) not in _NOT_ALLOWED:
            raise
        return f"this look could not be kept, and later verdicts will not pay for it ({error})"
    return None


def other_rule(looks: Sequence[Look], study: Study) -> str | None:
    """Return in which words the study's rule of decision differs from that of any of the looks."""
    rule, found = Rule.of(study), []
    for other in (look.rule for look in looks):
        if other.metric != rule.metric:
            found.append(f"by {other.metric}, not {rule.metric}")
        if other.confidence != rule.confidence:
            here, there = (f"{100 * each.confidence:.10g} %" for each in (rule, other))
            found.append(f"at {there} confidence, not {here}")
        if other.equivalence_margin != rule.equivalence_margin:
            here, there = (f"{100 * each.equivalence_margin:.10g}" for each in (rule, other))
            found.append(f"with a margin of {there} points, not {here}")
        if other.about != rule.about:
            found.append(f"about {other.about}, not {rule.about}")
        if other.baseline != rule.baseline:
            here, there = (each.baseline or "every pair" for each in (rule, other))
            found.append(f"against {there}, not {here}")
    return ", ".join(dict.fromkeys(found)) or None


def refuse_other_rule(folder: Place, study: Study) -> None:
    """Raise StoreError where there were looks, and none by the study's rule of decision."""
    looks = LOOKS.read(folder).looks
    if looks and Rule.of(study) not in {look.rule for look in looks}:
        raise StoreError(
            f"{folder}: looked at before {other_rule(looks, study)}; set it back, or give "
            "--reopen, which every verdict will name"
        )


def _seen(look: Look, earlier: Sequence[Look]) -> bool:
    return any((each.complete, each.rule) == (look.complete, look.rule) for each in earlier)
