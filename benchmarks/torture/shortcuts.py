"""What takes most of the time of a tiny run and touches no file: done once for all runs, or less.

The figures of the report are drawn once; every run writes them to its files. The timing pass times
fewer steps and images. A checkpoint is due after every third step instead of each second, so that
a run of a second has many, at the same steps each time.
"""

from __future__ import annotations

import functools
import itertools
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from bakeoff.data.catalogue import load_dataset
from bakeoff.findings.conclusion import conclude
from bakeoff.findings.findings import gather_findings
from bakeoff.findings.inside import view_of
from bakeoff.findings.view import View
from bakeoff.records.checkpoints import Checkpoints
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Record
from bakeoff.report import draw_report
from bakeoff.report.charts.charts import Charts, draw_charts
from bakeoff.report.sections.batches import batch_groups
from bakeoff.report.sections.classes import class_tables
from bakeoff.training.fit import _KeepPart
from bakeoff.training.loop import StepLosses
from bakeoff.training.timing_pass import Clock, measure_timing, milliseconds_per_image


@dataclass(frozen=True)
class Figures:
    """What a report draws."""

    charts: Charts

    def install(self) -> None:
        """Let every report of this process show these, whatever was found."""

        def drawn(*_: object) -> Charts:
            return self.charts

        sys.modules["bakeoff.report.page"].__dict__["draw_charts"] = drawn


def figures_of(folder: Path) -> Figures:
    """Draw the figures of a finished run."""
    run = RunFolder.open(folder)
    dataset = load_dataset(run.study.protocol, Path())

    def look(record: Record, index: int) -> View:
        return view_of(run, record, dataset, index)

    findings = gather_findings(conclude(run, dataset), dataset, look)
    draw_report(findings)  # Its templates are compiled now, for all.
    return Figures(draw_charts(findings, class_tables(findings), batch_groups(findings)))


def install_frequent_checkpoints() -> None:
    """Let a checkpoint be due after every third step, and after every epoch."""
    asked = itertools.count(1)
    within = _KeepPart.__call__

    def after_step(self: _KeepPart, losses: StepLosses) -> None:
        if next(asked) % 3 == 0:
            within(self, losses)

    Checkpoints.due = lambda self: True  # type: ignore[method-assign]
    _KeepPart.__call__ = after_step  # type: ignore[method-assign]


def install_short_timing() -> None:
    """Let the timing pass of this process be a short one."""

    def of_few(model: nn.Module, images: torch.Tensor, repeats: int, clock: Clock) -> float:
        return milliseconds_per_image(model, images[:10], repeats, clock)

    short = functools.partial(measure_timing, rounds=2, seconds=0.001)
    sys.modules["bakeoff.commands.run"].__dict__["measure_timing"] = short
    sys.modules["bakeoff.training.timing_pass"].__dict__["milliseconds_per_image"] = of_few
