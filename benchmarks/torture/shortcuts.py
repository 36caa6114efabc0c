"""What takes most of the time of a tiny run and touches no file: done once for all runs, or less.

The figures of the report are drawn once; every run writes them to its files. The timing pass times
fewer steps.
"""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass
from pathlib import Path

from bakeoff.data.catalogue import load_dataset
from bakeoff.findings.conclusion import conclude
from bakeoff.findings.findings import Findings
from bakeoff.findings.gather import gather_findings
from bakeoff.records.folder import RunFolder
from bakeoff.report.charts.charts import charts
from bakeoff.report.drawings import draw_figures
from bakeoff.report.page import build_report
from bakeoff.training.timing_pass import measure_bursts


@dataclass(frozen=True)
class _Drawn:
    """A chart as the page wants it."""

    svg: str

    def inline(self) -> str:
        return self.svg


@dataclass(frozen=True)
class Figures:
    """What a report draws."""

    files: dict[str, str]
    """SVG by file name."""
    on_page: dict[str, _Drawn]

    def install(self) -> None:
        """Let every report of this process show these, whatever was found."""

        def files_of(_: Findings) -> dict[str, str]:
            return self.files

        def charts_of(_: Findings) -> dict[str, _Drawn]:
            return self.on_page

        sys.modules["bakeoff.commands.report"].__dict__["draw_figures"] = files_of
        sys.modules["bakeoff.report.page"].__dict__["charts"] = charts_of


def figures_of(folder: Path) -> Figures:
    """Draw the figures of a finished run."""
    run = RunFolder.open(folder)
    dataset = load_dataset(run.study.protocol.dataset)
    findings = gather_findings(run, conclude(run, dataset), dataset)
    build_report(findings)  # Its templates are compiled now, for all.
    on_page = {name: _Drawn(chart.inline()) for name, chart in charts(findings).items()}
    return Figures(draw_figures(findings), on_page)


def install_short_timing() -> None:
    """Let the timing pass of this process be a short one."""
    short = functools.partial(measure_bursts, rounds=2, examples=50)
    sys.modules["bakeoff.commands.run"].__dict__["measure_bursts"] = short
