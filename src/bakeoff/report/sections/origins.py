"""Where the numbers come from: what made the records, and each entrant's recipe."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from bakeoff.findings.findings import Findings
from bakeoff.records.record import Provenance
from bakeoff.report import words


@dataclass(frozen=True)
class Fact:
    """A name and the values that the trials give it: one where they agree."""

    name: str
    values: tuple[str, ...]
    code: bool = False
    """Whether the values are machine text: hashes, versions."""


@dataclass(frozen=True)
class RecipeValue:
    """One setting of one entrant."""

    text: str
    unusual: bool
    """Whether most entrants have another value."""


@dataclass(frozen=True)
class Recipes:
    """Settings that differ between entrants, and those that all share, the protocol's first."""

    keys: tuple[str, ...]
    rows: tuple[tuple[str, tuple[RecipeValue, ...]], ...]
    """(entrant, one setting per key)."""
    shared: tuple[tuple[str, str], ...]


def _values(found: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))


def facts(findings: Findings) -> tuple[Fact, ...]:
    """Return what made the records; where trials disagree, every value."""
    made: list[Provenance] = [record.provenance for record in findings.records]
    study = findings.study
    packages = dict.fromkeys(name for part in made for name in part.versions)
    found = [
        Fact("Seeds", (", ".join(str(seed) for seed in study.trial_seeds),)),
        Fact("Study seed", (str(study.study_seed),)),
        Fact("CPU", _values([part.cpu for part in made])),
        Fact("Device", _values([part.device for part in made])),
        Fact("Threads", _values([str(part.threads) for part in made])),
        Fact("Precision", _values([part.precision for part in made])),
        Fact("Kernels", _values([part.kernels for part in made])),
        Fact("Platform", _values([part.platform for part in made])),
        Fact("Commit", _values([part.commit or "an installed package" for part in made]), True),
        Fact("Study hash", _values([part.study_hash for part in made] or [study.hash]), True),
        Fact("Data hash", _values([part.data_hash for part in made]), True),
    ]
    if made:
        starts = sorted(part.started for part in made)
        found.append(Fact("First and last start", _values([starts[0], starts[-1]]), True))
    for name in packages:
        versions = [part.versions[name] for part in made if name in part.versions]
        found.append(Fact(name, _values(versions), True))
    return tuple(found)


def recipes(findings: Findings) -> Recipes:
    """Return every setting of every entrant, as resolved, with those apart that differ."""
    entrants = findings.study.entrants
    settings = [
        {"architecture": entrant.architecture, **entrant.recipe.model_dump()}
        for entrant in entrants
    ]
    columns = {
        key: [words.setting(setting[key]) for setting in settings]
        for key in settings[0]
        if any(setting[key] is not None for setting in settings)
    }
    usual = {key: Counter(column).most_common(1)[0][0] for key, column in columns.items()}
    differing = tuple(key for key, column in columns.items() if len(set(column)) > 1)
    rows = tuple(
        (
            entrant.name,
            tuple(
                RecipeValue(columns[key][place], columns[key][place] != usual[key])
                for key in differing
            ),
        )
        for place, entrant in enumerate(entrants)
    )
    protocol = findings.study.protocol.model_dump(exclude_none=True)
    shared = [(key, words.setting(value)) for key, value in protocol.items()]
    shared += [(key, column[0]) for key, column in columns.items() if key not in differing]
    return Recipes(differing, rows, tuple(shared))
