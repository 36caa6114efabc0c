"""From the finished trials of a run to what they support; nothing is written."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bakeoff.comparison.compare import Comparison
from bakeoff.comparison.pair import PairComparison
from bakeoff.comparison.statistics.power import Plan
from bakeoff.comparison.verdict import Verdict
from bakeoff.comparison.words import one_digit
from bakeoff.data.copies import leaks
from bakeoff.data.dataset import Dataset
from bakeoff.data.split import split_of
from bakeoff.errors import StoreError
from bakeoff.findings.answer import answer, beats_all, pairs_of
from bakeoff.findings.outcomes import compare_outcomes, outcome_of
from bakeoff.findings.predicted import PredictedBy, read_predicted
from bakeoff.findings.standings import Standing, standings
from bakeoff.records.conditions import foreign_origin
from bakeoff.records.folder import RunFolder
from bakeoff.records.looks import Claim, Look, Rule, refuse_other_rule, runs_of
from bakeoff.records.own_study import STUDY
from bakeoff.records.record import Record
from bakeoff.study.study import Study
from bakeoff.text import shortened, visible

__all__ = ["REPORT", "Conclusion", "Verdict", "conclude", "how_to_train", "looked_at"]

REPORT = "report.html"


@dataclass(frozen=True, eq=False)
class Conclusion:
    """What the finished trials of a run support, in numbers and in words."""

    study: Study
    records: tuple[Record, ...]
    """Every trial that was found, complete or not."""
    standings: tuple[Standing, ...]
    """One per entrant, the best on validation data first."""
    comparison: Comparison
    """Of the entrants in the order of `standings`."""
    answer: str
    """The finding in a sentence or two."""
    report: Path
    """Where the report of it is, once it is drawn."""
    predicted: PredictedBy = field(repr=False)
    """What each complete trial says of the test images."""
    look_note: str | None = None
    """Why the look at these verdicts is not in the list of looks, where it should be."""
    leaks: tuple[str, ...] = ()
    """A line where test images were trained on: what the scores are worth."""
    timed_on: str | None = None
    """The machine that made the timing pass; None where there was none, or it did not say."""

    def __repr__(self) -> str:
        return f"Conclusion({self.study.name}: {self.answer})"

    @property
    def winner(self) -> str:
        """The entrant that stands first on validation data."""
        return self.standings[0].entrant

    @property
    def won(self) -> bool:
        """Whether verdicts show it to be better than every other entrant."""
        return not self.unfinished and beats_all(self.winner, self.comparison)

    @property
    def unfinished(self) -> bool:
        """Whether planned trials are missing."""
        return any(row.missing for row in self.standings)

    @property
    def troubles(self) -> tuple[str, ...]:
        """One line for each trial that is missing or did not complete."""
        return tuple(line for row in self.standings for line in row.troubles)

    @property
    def mixed_hardware(self) -> str | None:
        """A line where trials ran on several kinds of hardware: what wall seconds are worth."""
        made = [record.provenance for record in self.records if record.complete]
        kinds = Counter(each.cpu if each.device == "cpu" else each.device for each in made)
        if len(kinds) < 2:
            return None
        told = "; ".join(f"{shortened(visible(kind))}: {many}" for kind, many in kinds.items())
        return (
            f"{len(kinds)} kinds of hardware trained these trials ({told}), so their wall seconds "
            "compare no entrants"
        )

    @property
    def pairs_of_winner(self) -> tuple[PairComparison, ...]:
        """The pairs that decide about the winner; none with one seed, which decides nothing."""
        pairs = pairs_of(self.winner, self.comparison)
        return tuple(pair for pair in pairs if pair.of_one_seed is None)

    def verdict(self, a: str, b: str) -> Verdict:
        """Return what can be said of two entrants; as text it is the sentence.

        Raises UsageError where there is no such pair.
        """
        return self.comparison.pair(a, b).verdict

    def said_of(self, pairs: Sequence[PairComparison]) -> list[str]:
        """Return one line for each pair; what one seed is worth is said once."""
        lines = [f"- {pair.verdict.sentence}" for pair in pairs]
        if any(pair.of_one_seed for pair in pairs):
            more = self.train_more(5)
            lines.append(f"one seed cannot support a claim about architectures; more: {more}")
        plans = [pair.verdict.plan for pair in pairs]
        enough = [
            each.seeds
            for each in plans
            if isinstance(each, Plan) and each.seeds and not each.test_images
        ]
        if enough:
            lines.append(f"more seeds, keeping these trials: {self.train_more(min(enough))}")
        return lines

    def train_more(self, seeds: int) -> str:
        """Return the command that trains so many seeds in all, as plans have them."""
        return how_to_train(self.report.parent, "--seeds", str(one_digit(seeds)))

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "study": self.study.name,
            "study_hash": self.study.hash,
            "winner": self.winner,
            "answer": self.answer,
            "report": str(self.report) if self.report.exists() else None,
            "troubles": list(self.troubles),
            "look_note": self.look_note,
            "leaks": list(self.leaks),
            "timed_on": self.timed_on,
            "mixed_hardware": self.mixed_hardware,
            "standings": [asdict(row) for row in self.standings],
            "comparison": self.comparison.to_dict(),
        }


def conclude(folder: RunFolder, dataset: Dataset, *, reopen: bool = False) -> Conclusion:
    """Return what the trials of a run support; each of their files is read once.

    Verdicts pay for the looks that were taken before at other seeds. Raises StoreError where no
    trial is complete, where a file of a trial is damaged, or where, without `reopen`, verdicts were
    seen by another rule of decision.
    """
    if not reopen:
        refuse_other_rule(folder.place(), folder.study)
    study, records = folder.study, folder.read_records()
    _refuse_other_data(folder, records, dataset)
    if not any(record.complete for record in records):
        raise StoreError(f"{folder.path}: {_why_nothing(folder.path, records)}")
    timing = folder.read_timing()
    rows = standings(study, records, timing, len(split_of(study, 0, dataset).train))
    predicted = read_predicted(folder, records, dataset)
    # The best on validation data first, so that most differences are positive.
    outcomes = [
        outcome_of(
            study,
            study.entrant(row.entrant),
            records,
            predicted,
            dataset,
            epoch_seconds=row.epoch_seconds,
            seconds_per_example=timing.seconds_per_example.get(row.entrant),
            beyond=folder.seeds_beyond(row.entrant),
        )
        for row in rows
    ]
    comparison = compare_outcomes(study, outcomes, dataset, folder.read_looks())
    return Conclusion(
        study=study,
        records=records,
        standings=rows,
        comparison=comparison,
        answer=answer(study, rows, comparison),
        report=folder.path / REPORT,
        predicted=predicted,
        leaks=leaks(dataset),
        timed_on=None if timing.machine is None else shortened(visible(timing.machine)),
    )


def looked_at(folder: RunFolder, conclusion: Conclusion) -> Conclusion:
    """Return the conclusion as it is shown to somebody, which is a look, and kept if it is new.

    It is none where nothing is tested yet.
    """
    comparison = conclusion.comparison
    if not any(pair.evidence for pair in comparison.pairs):
        return conclusion
    look = Look(
        when=datetime.now(UTC).isoformat(timespec="seconds"),
        rule=Rule.of(conclusion.study),
        complete={
            each.name: runs_of([seed for seed in each.seeds if isinstance(seed, int)])
            for each in comparison.entrants
        },
        claims=tuple(
            Claim(pair.a, pair.b, pair.verdict.kind, pair.verdict.better)
            for pair in comparison.pairs
            if pair.verdict.kind != "undecided"
        ),
    )
    return replace(conclusion, look_note=folder.keep_look(look))


def _why_nothing(path: Path, records: Sequence[Record]) -> str:
    """Return why there is nothing to conclude from, and what to do."""
    if not records:
        return f"no trial is complete; to train them: {how_to_train(path)}"
    found = "; ".join(f"{each.entrant} seed {each.seed} {each.status}" for each in records)
    again = how_to_train(path, "--retry-failed")
    return f"no trial is complete ({found}); to train them again: {again}"


def how_to_train(path: Path, *options: str) -> str:
    """Return the command that trains what is missing in the run folder `path`."""
    return shlex.join(["bakeoff", "run", str(path / STUDY), "--out", str(path), *options])


def _refuse_other_data(folder: RunFolder, records: Sequence[Record], dataset: Dataset) -> None:
    for record in records:
        where = folder.trial(record.entrant, record.seed)
        complaint = foreign_origin(record.provenance, data_hash=dataset.sha256)
        if complaint:
            raise StoreError(f"{where}: {complaint}")
        for scores in (record.validation, record.test):
            if scores is not None and len(scores.precision) != len(dataset.classes):
                raise StoreError(f"{where}: scored on other classes than this {dataset.name}'s")
