"""A run in a process that is not its own: few threads, a fork, other threads, another caller."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bakeoff.commands.run import run_study
from bakeoff.errors import UsageError
from bakeoff.runners.listener import Listener

from ..factories import entrant, study

SCRIPT = """
import os, sys
from pathlib import Path
from bakeoff.commands.run import run_study
from bakeoff.runners.listener import Listener
from bakeoff.study.recipe import Recipe
from bakeoff.study.protocol import Protocol
from bakeoff.study.study import Entrant, Study

class Told(Listener):
    def stage(self, text):
        if "threads were" in text or "computes" in text:
            print(text, flush=True)

# The tests themselves have one core each.
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, range(os.cpu_count()))

def run(name):
    small = Protocol(dataset="digits", validation_examples=297, train_examples=200)
    one = Entrant(name="c", architecture="cnn-2conv", recipe=Recipe(epochs=1))
    study = Study(name="small", protocol=small, entrants=(one,))
    threads = int(os.environ.get("THREADS", 1))
    run_study(
        study, Path(sys.argv[1], name),
        precision="float32", jobs=1, threads=threads, listener=Told(),
    )

run("first")
# Neither is needed, and each takes a second to import.
assert not {"torch._dynamo", "sympy"} & sys.modules.keys()
if len(sys.argv) > 2:
    child = os.fork()
    if child == 0:
        run("second")
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


def run_with(tmp_path: Path, *more: str, **environment: str) -> list[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), *more],
        env=kept | environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def weights(folder: Path) -> str:
    return hashlib.sha256((folder / "trials/c/0/model.safetensors").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The weights that a process trains whose libraries would take one thread."""
    folder = tmp_path_factory.mktemp("one")
    assert run_with(folder, OMP_NUM_THREADS="1") == []
    return weights(folder / "first")


RESUMED = """
import sys
from bakeoff.commands.run import run_study
from bakeoff.records import checkpoints
from bakeoff.runners.listener import Listener
from bakeoff.study.study import Study

class Stopped(Listener):
    def epoch_ended(self, *_):
        raise KeyboardInterrupt

class Told(Listener):
    def trial_resumed(self, trial, epochs, steps):
        print(trial.entrant.name, epochs, steps)

checkpoints._SOONEST = checkpoints._COSTS = 0
for listener in (Stopped(), Told()):
    try:
        run_study(Study.model_validate_json(sys.argv[1]), sys.argv[2], jobs=1, listener=listener)
    except KeyboardInterrupt:
        pass
print({"torch._dynamo", "sympy"} & sys.modules.keys())
"""


def test_going_on_imports_no_more_than_beginning(tmp_path: Path) -> None:
    asked = study(entrant("a", epochs=2))
    done = subprocess.run(
        [sys.executable, "-c", RESUMED, asked.model_dump_json(), str(tmp_path / "run")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["a 1 0", "set()"], done.stderr


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="takes two cores")
def test_fewer_threads_than_asked_for_train_what_so_many_train(one: str, tmp_path: Path) -> None:
    told = run_with(tmp_path, THREADS="2", OMP_THREAD_LIMIT="1")
    assert told == ["2 threads were asked for and 1 given, so 1 compute"]
    assert weights(tmp_path / "first") == one


def test_neither_what_libraries_would_take_nor_a_fork_changes_weights(
    one: str, tmp_path: Path
) -> None:
    assert run_with(tmp_path, "fork", OMP_NUM_THREADS="2") == []
    assert weights(tmp_path / "first") == weights(tmp_path / "second") == one


def test_a_second_run_in_the_same_process_is_refused(tmp_path: Path) -> None:
    refused: list[str] = []

    class Greedy(Listener):
        def planned(self, *_: object) -> None:
            with pytest.raises(UsageError) as caught:
                run_study(study(entrant(epochs=1)), tmp_path / "second")
            refused.append(str(caught.value))

    run_study(study(entrant(epochs=1)), tmp_path / "first", listener=Greedy())
    assert refused == [
        "another training is at work in this process; wait for its end, or start a process"
    ]
    assert not (tmp_path / "second").exists()
