"""Fixtures that all tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
import torch
from hypothesis import settings

from bakeoff.data.dataset import Dataset
from bakeoff.data.readers.digits import load_digits
from bakeoff.data.readers.mnist import load_mnist
from bakeoff.records.checkpoints import Checkpoints
from bakeoff.training import fit

os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples each time, and no deadline: a busy machine is not a mistake.
settings.register_profile("bakeoff", deadline=None, derandomize=True, max_examples=50)
settings.load_profile("bakeoff")

# A shell lets what it starts in the background ignore Ctrl-C, which some tests send.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest files come first: else one process works on them at the end, alone."""
    longest = ("tests/test_readme.py", "tests/torture/", "tests/test_", "tests/runners/")
    items.sort(key=lambda item: [not item.nodeid.startswith(each) for each in longest])


@pytest.fixture(autouse=True, scope="session")
def one_core() -> None:
    """Give a process that runs tests one core, with all that it starts.

    Tests run side by side, each with a core of its own. A study that is given all cores trains in
    one process then, and threads are as many as there are cores. Not when this file is imported:
    what starts the processes imports it too, and they would inherit its core, all of them.
    """
    torch.set_num_threads(1)
    if hasattr(os, "sched_setaffinity"):
        cores = sorted(os.sched_getaffinity(0))
        number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
        os.sched_setaffinity(0, {cores[number % len(cores)]})


@pytest.fixture(autouse=True, scope="session")
def folders_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep and trust nothing where the user who runs the tests does, nor in what modules share."""
    theirs = tmp_path_factory.getbasetemp() / "theirs"
    os.environ["BAKEOFF_CACHE"] = str(theirs / "cache")
    os.environ["XDG_STATE_HOME"] = str(theirs / "state")


@pytest.fixture(scope="session")
def mnist() -> Dataset:
    return load_mnist()


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return load_digits()


@pytest.fixture
def checkpoint_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a checkpoint after each step, however short it is, and after each epoch."""
    monkeypatch.setattr(Checkpoints, "due", lambda _: True)


@pytest.fixture
def checkpoint_each_epoch(checkpoint_each_step: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a checkpoint after each epoch, and none within."""
    monkeypatch.setattr(fit._KeepPart, "__call__", lambda *_: None)


@pytest.fixture(autouse=True)
def denormals_as_they_were() -> Iterator[None]:
    """Undo what a training does to the whole process: hypothesis draws denormal numbers."""
    yield
    torch.set_flush_denormal(False)
