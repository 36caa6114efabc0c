"""From the finished trials of a run folder to comparison, figures and report."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bakeoff.comparison import Comparison, PairComparison
from bakeoff.data.catalogue import load_dataset
from bakeoff.data.dataset import Dataset
from bakeoff.errors import StoreError
from bakeoff.files import locks
from bakeoff.files.atomic import remove_leftovers, write_file
from bakeoff.findings.answer import answer, pairs_of
from bakeoff.findings.gather import gather_findings
from bakeoff.findings.outcomes import compare_folder
from bakeoff.findings.standings import Standing, standings
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Record
from bakeoff.report import build_report, draw_figures
from bakeoff.runners.listener import Listener, Silence
from bakeoff.study.study import Study


@dataclass(frozen=True)
class Conclusion:
    """What the finished trials support, and where the report of it is."""

    study: Study
    standings: tuple[Standing, ...]
    comparison: Comparison
    answer: str
    report: Path

    @property
    def troubles(self) -> tuple[str, ...]:
        """One line for each trial that is missing or did not complete."""
        return tuple(line for row in self.standings for line in row.troubles)

    @property
    def planned(self) -> int:
        """How many trials the study has."""
        return sum(row.planned for row in self.standings)

    @property
    def pairs_of_winner(self) -> tuple[PairComparison, ...]:
        """The pairs that decide about the winner; none with one seed, which decides nothing."""
        pairs = pairs_of(self.standings[0].entrant, self.comparison)
        return tuple(pair for pair in pairs if pair.mcnemar is None)

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "study": self.study.name,
            "study_hash": self.study.hash,
            "winner": self.standings[0].entrant,
            "answer": self.answer,
            "report": str(self.report),
            "troubles": list(self.troubles),
            "standings": [asdict(row) for row in self.standings],
            "comparison": self.comparison.to_dict(),
        }


def report_run(directory: Path) -> Conclusion:
    """Compare and report what an earlier run left in `directory`."""
    folder = RunFolder.open(directory)
    return conclude(folder, load_dataset(folder.study.protocol.dataset), Silence())


def conclude(folder: RunFolder, dataset: Dataset, listener: Listener) -> Conclusion:
    """Write comparison.json, figures and report.html of a run, and return what they say.

    Raises StoreError where no trial is complete, or where a file of a trial is damaged.
    """
    records = folder.read_records()
    _refuse_other_data(folder, records, dataset)
    rows = tuple(standings(folder.study, records))
    if not any(record.complete for record in records):
        found = "; ".join(f"{each.entrant} seed {each.seed} {each.status}" for each in records)
        what = f" ({found})" if found else ""
        again = "run it with --retry-failed to train them again" if found else "run it first"
        raise StoreError(f"{folder.path}: no trial is complete{what}; {again}")
    listener.stage("comparing the trials and drawing the report")
    comparison = compare_folder(
        folder, records, [row.entrant for row in rows], dataset, folder.read_timing()
    )
    document = comparison.to_dict()
    sentence = answer(folder.study, rows, comparison)
    findings = gather_findings(folder, records, rows, comparison, dataset, sentence)
    report = folder.path / "report.html"
    files = {folder.path / "comparison.json": json.dumps(document, indent=1) + "\n"}
    for name, drawing in draw_figures(findings).items():
        files[folder.path / "figures" / f"{name}.svg"] = drawing
    files[report] = build_report(findings)
    with locks.held(folder.conclusion_lock):
        for file, text in files.items():
            remove_leftovers(file)
            write_file(file, text.encode())
    return Conclusion(folder.study, rows, comparison, sentence, report)


def _refuse_other_data(folder: RunFolder, records: tuple[Record, ...], dataset: Dataset) -> None:
    for record in records:
        where = folder.trial(record.entrant, record.seed)
        if record.provenance.data_hash != dataset.sha256:
            raise StoreError(f"{where}: trained on other data than this {dataset.name}")
        for scores in (record.validation, record.test):
            if scores is not None and len(scores.confusion) != len(dataset.classes):
                raise StoreError(f"{where}: scored on other classes than this {dataset.name}'s")
