"""Where the numbers come from: what made the records, and each entrant's recipe."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from bakeoff.findings.findings import Findings
from bakeoff.report import words


class Fact(NamedTuple):
    """A name and the values that the trials give it: one where they agree."""

    name: str
    values: list[str]
    code: bool = False
    """Whether the values are machine text: hashes, versions."""
    version: bool = False


@dataclass(frozen=True)
class Recipes:
    """Settings that differ between entrants, and those that all share, the protocol's first."""

    differing: dict[str, list[str]]
    """By key: one value per entrant, in the order of the study."""
    usual: dict[str, str]
    """By key: the value that most entrants have."""
    shared: dict[str, str]


def facts(findings: Findings) -> list[Fact]:
    """Return what made the records; where trials disagree, every value."""
    made, study = [record.provenance for record in findings.records], findings.study

    def values(name: str) -> list[str]:
        return list(dict.fromkeys(str(getattr(part, name)) for part in made))

    commits = list(dict.fromkeys(part.commit or "an installed package" for part in made))
    found = [
        Fact("Seeds", [", ".join(str(seed) for seed in study.trial_seeds)]),
        Fact("Study seed", [str(study.study_seed)]),
        *(
            Fact(name, list(dict.fromkeys(told)))
            for name, told in (
                ("Trained on", [part.machine for part in made if part.machine]),
                ("Timed on", [findings.timed_on] if findings.timed_on else []),
            )
            if told
        ),
        Fact("CPU", values("cpu")),
        *(
            Fact(name.capitalize(), values(name))
            for name in ("device", "threads", "precision", "kernels", "platform")
        ),
        Fact("Commit", commits, True),
        Fact("Study hash", values("study_hash") or [study.hash], True),
        Fact("Data hash", values("data_hash"), True),
    ]
    if made:
        starts = sorted(part.started for part in made)
        found.append(
            Fact("First and last start", list(dict.fromkeys((starts[0], starts[-1]))), True)
        )
    for name in dict.fromkeys(name for part in made for name in part.versions):
        versions = dict.fromkeys(part.versions[name] for part in made if name in part.versions)
        found.append(Fact(name, list(versions), True, True))
    return found


def recipes(findings: Findings) -> Recipes:
    """Return every setting of every entrant, as resolved, with those apart that differ."""
    settings = [
        {
            "architecture": entrant.architecture,
            "weights": entrant.weights,
            "trainable": entrant.trainable,
            **entrant.recipe.model_dump(),
        }
        for entrant in findings.study.entrants
    ]
    columns = {
        key: [words.setting(setting[key]) for setting in settings]
        for key in settings[0]
        if any(setting[key] is not None for setting in settings)
    }
    protocol = findings.study.protocol.model_dump(exclude_none=True)
    return Recipes(
        differing={key: column for key, column in columns.items() if len(set(column)) > 1},
        usual={key: Counter(column).most_common(1)[0][0] for key, column in columns.items()},
        shared={key: words.setting(value) for key, value in protocol.items()}
        | {key: column[0] for key, column in columns.items() if len(set(column)) == 1},
    )
