"""The findings that the report's tests look at."""

from __future__ import annotations

import pytest

from bakeoff.findings.findings import Findings
from bakeoff.report import Report, draw_report
from tests.report.bakeoffs import assignment_study, fair_study, findings_of, small_study
from tests.report.page_reading import Element, read_page


@pytest.fixture(scope="session")
def one_seed() -> Findings:
    """The assignment: six entrants, one seed."""
    return findings_of(assignment_study())


@pytest.fixture(scope="session")
def five_seeds() -> Findings:
    """The fair study: five seeds, one trial of them diverged."""
    return findings_of(fair_study(), diverged=("mlp-2x200", 3))


@pytest.fixture(scope="session")
def report(one_seed: Findings) -> Report:
    """The assignment's report."""
    return draw_report(one_seed)


@pytest.fixture(scope="session")
def html(report: Report) -> str:
    """The assignment's page."""
    return report.page


@pytest.fixture(scope="session")
def page(html: str) -> Element:
    """The assignment's page, read."""
    return read_page(html)


@pytest.fixture(scope="session")
def fair_report(five_seeds: Findings) -> Report:
    """The fair study's report."""
    return draw_report(five_seeds)


@pytest.fixture(scope="session")
def fair_html(fair_report: Report) -> str:
    """The fair study's page."""
    return fair_report.page


@pytest.fixture(scope="session")
def fair_page(fair_html: str) -> Element:
    """The fair study's page, read."""
    return read_page(fair_html)


@pytest.fixture(scope="session")
def small() -> Findings:
    """Two entrants, one seed: where the field does not matter."""
    return findings_of(small_study())
