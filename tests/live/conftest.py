"""A finished run on small digits that the tests of this room share, and a client of its server."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from bakeoff.commands.run import run_study
from bakeoff.live.run import Run
from bakeoff.live.server import application

from ..factories import entrant, study

STUDY = study(
    entrant("first", architecture="cnn-2conv"),
    entrant("second", architecture="logistic-regression"),
    seeds=2,
)


@pytest.fixture(scope="package")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run that nobody writes to."""
    folder = tmp_path_factory.mktemp("finished")
    run_study(STUDY, folder)
    return folder


@pytest.fixture(scope="package")
def run(finished: Path) -> Run:
    return Run(finished)


@pytest.fixture
def client(run: Run) -> TestClient:
    """Return what a page of this server is."""
    return TestClient(
        application(run), base_url="http://127.0.0.1:8080", headers={"X-Bakeoff": "1"}
    )
