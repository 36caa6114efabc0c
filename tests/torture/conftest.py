"""The warm process that runs are forked from, and the study that they run."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from benchmarks.torture.proofs import Bench
from benchmarks.torture.runs import Server, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("logs")) as started:
        yield started


@pytest.fixture(scope="module")
def bench(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(server, tmp_path_factory.mktemp("bench"))


@pytest.fixture
def dice() -> random.Random:
    return random.Random(7)  # noqa: S311 - nothing here is secret
