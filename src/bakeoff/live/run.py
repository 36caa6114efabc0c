"""A run as it stands now: its networks, what they come to, and how far each trial is."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeoff.data.catalogue import load_dataset
from bakeoff.findings.conclusion import REPORT, Conclusion, Verdict, conclude
from bakeoff.findings.own import OwnCases
from bakeoff.findings.predicted import PredictedBy, read_predicted
from bakeoff.findings.standings import Standing, standings
from bakeoff.live.drawing import form_of
from bakeoff.live.trained import Trained
from bakeoff.records.checkpoints import history_in
from bakeoff.records.folder import RunFolder
from bakeoff.records.own_images import count_own, own_images
from bakeoff.records.record import Record

_BETWEEN = 3.0
"""Seconds in which nobody may be at a trial, between two of them, and the run still goes on."""


@dataclass(frozen=True, eq=False)
class Standings:
    """What a number of finished trials comes to."""

    records: tuple[Record, ...]
    rows: tuple[Standing, ...]
    predicted: PredictedBy
    """What each complete trial says of the test images."""
    conclusion: Conclusion | None
    """None while planned trials are missing: a verdict before that would be an early look, which
    the statistics would have to pay for, and nothing is written here that could tell them."""


class Run:
    """A run folder that is only read."""

    def __init__(self, path: Path, *, trust_code: bool = False) -> None:
        """Read what is there. Raises StoreError, DataError, NetworkError."""
        self.folder = RunFolder.open(path)
        self.dataset = load_dataset(self.folder.study.protocol, self.folder.study.folder)
        self.form = form_of(self.dataset, self.folder.study.protocol)
        self.trained = Trained(self.folder, self.dataset, trust_code=trust_code)
        self._reading = threading.Lock()
        self._last_at_work = float("-inf")
        self.now = self._read()

    def refresh(self) -> bool:
        """Take up trials that have finished meanwhile; return whether there are any."""
        with self._reading:
            known = [(each.entrant, each.seed) for each in self.now.records]
            if self.folder.finished() == known:
                return False
            self.now = self._read()
            return True

    def _read(self) -> Standings:
        records = self.folder.read_records()
        self.trained.hold(records)
        rows = standings(self.folder.study, records)
        over = any(row.trials for row in rows) and not any(row.missing for row in rows)
        if over:
            conclusion = conclude(self.folder, self.dataset)
            return Standings(records, rows, conclusion.predicted, conclusion)
        return Standings(records, rows, read_predicted(self.folder, records, self.dataset), None)

    @property
    def planned(self) -> int:
        """Trials of the study."""
        return len(self.folder.study.entrants) * self.folder.study.seeds

    @property
    def state(self) -> str:
        """`finished`; `running`; or `stopped`: trials are missing, and nobody is at one."""
        missing = self._missing()
        if not missing:
            return "finished"
        if any(self.folder.is_at_work(*trial) for trial in missing):
            self._last_at_work = time.monotonic()
        return "running" if time.monotonic() - self._last_at_work < _BETWEEN else "stopped"

    def _missing(self) -> list[tuple[str, int]]:
        """Return the planned trials that are not finished."""
        study = self.folder.study
        done = {(each.entrant, each.seed) for each in self.now.records}
        planned = [(each.name, seed) for each in study.entrants for seed in study.trial_seeds]
        return [trial for trial in planned if trial not in done]

    def progress(self) -> dict[str, Any]:
        """Return how far each trial is that is done, or was begun."""
        epochs = {each.name: each.recipe.epochs for each in self.folder.study.entrants}
        told = [
            (each.entrant, each.seed, "done" if each.complete else "failed", each.epochs)
            for each in self.now.records
        ]
        begun = self.folder.place("unfinished").names()
        for entrant, seed in self._missing():
            at_work = self.folder.is_at_work(entrant, seed)
            if at_work or f"{entrant}.{seed}" in begun:
                history = history_in(self.folder.unfinished(entrant, seed))
                told.append((entrant, seed, "running" if at_work else "stopped", history))
        return {
            "trials": [
                {
                    "entrant": entrant,
                    "seed": seed,
                    "state": state,
                    "epoch": len(history),
                    "epochs": epochs[entrant],
                    "curve": [[each.epoch, each.validation_accuracy] for each in history],
                }
                for entrant, seed, state, history in told
            ]
        }

    def own(self) -> OwnCases | None:
        """Return how all do on the images that the user kept; None where there is none."""
        images = own_images(self.folder.place(), self.dataset.classes, self.dataset.image_shape)
        return self.trained.own_cases(images) if images and self.now.records else None

    def to_dict(self) -> dict[str, Any]:
        """Return what the page shows of the run."""
        study, now = self.folder.study, self.now
        channels, height, width = self.dataset.image_shape
        rows = {row.entrant: row for row in now.rows}
        state = self.state
        return {
            "title": study.title or study.name,
            "state": state,
            "done": len(now.records),
            "planned": self.planned,
            "headline": self._headline(state),
            "metric": study.protocol.selection_metric.replace("_", " "),
            "scored_on": "validation data" if now.conclusion is None else "test images",
            "classes": list(self.dataset.classes),
            "image": {"channels": channels, "height": height, "width": width},
            "digits": self.form.box is not None,
            "test_images": len(self.dataset.test_labels),
            "entrants": [self._entrant(rows[each.name]) for each in study.entrants],
            "own": {"images": count_own(self.folder.place(), self.dataset.classes)},
            "report": "/report.html" if self.folder.place(REPORT).is_there() else None,
        }

    def _entrant(self, row: Standing) -> dict[str, Any]:
        verdict, sentence = self._verdict(row)
        return {
            "name": row.entrant,
            "label": row.label,
            "architecture": row.architecture,
            "parameters": row.parameters,
            "score": self._score(row),
            "verdict": verdict,
            "sentence": sentence,
            "seeds": [
                record.seed
                for record in self.now.records
                if record.complete and record.entrant == row.entrant
            ],
        }

    def _score(self, row: Standing) -> float | None:
        """Return the score on test images; that on validation data while trials are missing."""
        metric = self.folder.study.protocol.selection_metric
        if self.now.conclusion is None:
            return row.selected_by(metric)
        return row.test_accuracy if metric == "accuracy" else row.test_balanced_accuracy

    def _headline(self, state: str) -> str:
        if self.now.conclusion is not None:
            return self.now.conclusion.answer
        first, done = self.now.rows[0], len(self.now.records)
        score = first.selected_by(self.folder.study.protocol.selection_metric)
        ahead = "" if score is None else f"; {first.entrant} leads on validation data ({score:.4f})"
        if state == "stopped":
            goes_on = f"`bakeoff run STUDY --out {self.folder.place()}` goes on"
            return f"stopped: {done} of {self.planned} trials are finished{ahead}; {goes_on}"
        return f"{done} of {self.planned} trials{ahead}; no finding yet"

    def _verdict(self, row: Standing) -> tuple[str, str]:
        """Return how an entrant fares against the first one: in a few words, and in a sentence."""
        conclusion = self.now.conclusion
        if conclusion is None or not row.trials:
            return "", ""
        first = conclusion.winner
        if row.entrant == first:
            return "stands first", ""
        verdict = conclusion.verdict(first, row.entrant)
        return beside(first, verdict), verdict.sentence


def beside(first: str, verdict: Verdict) -> str:
    """Return how the other one of a pair fares against `first`, in a few words."""
    if verdict.kind == "equivalent":
        return f"equivalent to {first}"
    if verdict.kind == "better":
        return f"worse than {first}" if verdict.better == first else f"better than {first}"
    if verdict.ahead is None:
        return f"not told from {first}"
    where = "behind" if verdict.ahead == first else "ahead of"
    return f"{where} {first}, not yet proven"
