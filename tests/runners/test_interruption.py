"""Signals, as a shell sends them to the real command."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from bakeoff.runners.interruption import Interrupted, never_lost, stop_on_signals

STUDY = """
name = "long"

[protocol]
dataset = "digits"
validation_examples = 297

[recipe]
epochs = 10000

[[entrants]]
name = "plain"
architecture = "logistic-regression"

[[entrants]]
name = "other"
architecture = "logistic-regression"
"""


def checkpoints(path: Path) -> list[Path]:
    return list((path / "run" / "unfinished").rglob("epoch-*.safetensors"))


def started(tmp_path: Path, *more: str) -> tuple[subprocess.Popen[str], list[str]]:
    """Start a run and return it, with its arguments, once it has left a checkpoint."""
    file = tmp_path / "long.toml"
    file.write_text(STUDY)
    arguments = ["run", str(file), "--out", str(tmp_path / "run"), *more]
    process = subprocess.Popen(
        [sys.executable, "-m", "bakeoff", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        # A shell that starts tests in the background lets them ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    while not checkpoints(tmp_path):
        assert process.poll() is None
        time.sleep(0.05)
    return process, arguments


@pytest.mark.parametrize("jobs", [(), ("--jobs", "2")], ids=["alone", "jobs"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_in_time_with_its_code_and_one_line(
    number: signal.Signals, jobs: tuple[str, ...], tmp_path: Path
) -> None:
    process, arguments = started(tmp_path, *jobs)
    with process:
        process.send_signal(number)
        sent = time.monotonic()
        assert process.stderr is not None
        rest = process.stderr.read().splitlines()
        assert process.wait() == 128 + number
        took = time.monotonic() - sent
    again = " ".join(["bakeoff", *arguments])
    assert rest[-1] == f"bakeoff: interrupted; to go on where it stopped: {again}"
    assert [line for line in rest if "Traceback" in line] == []
    # Each worker gets the same time as the command itself.
    assert took < (4 if jobs else 2)
    assert checkpoints(tmp_path)


def test_a_second_signal_ends_it_at_once() -> None:
    """A clean-up that takes its time is cut short."""
    stubborn = (
        "import time\n"
        "from bakeoff.runners.interruption import Interrupted, stop_on_signals\n"
        "stop_on_signals()\n"
        "try:\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(60)\n"
        "except Interrupted:\n"
        "    print('cleaning', flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", stubborn], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "cleaning\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait() == -signal.SIGTERM


# Where an exception is lost: the statement waits for a signal, and takes what comes for an answer.
LOSING = {
    "an import that may fail": "import slow",
    "an import within an import": "import outer",
    "what Python calls on its own": """
class Dying:
    def __del__(self):
        print("waiting", flush=True)
        time.sleep(60)
Dying()
""",
}


@pytest.mark.parametrize("statement", LOSING.values(), ids=LOSING.keys())
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR2])
def test_a_signal_is_not_lost_where_an_exception_is(
    number: signal.Signals, statement: str, tmp_path: Path
) -> None:
    (tmp_path / "slow.py").write_text("import time\nprint('waiting', flush=True)\ntime.sleep(60)\n")
    (tmp_path / "outer.py").write_text("try:\n    import slow\nexcept BaseException:\n    pass\n")
    (tmp_path / "command.py").write_text(
        "import time\n"
        "from bakeoff.runners.interruption import how_to_go_on, stop_on_signals\n"
        "stop_on_signals(how_to_go_on(['run', 'a study']))\n"
        f"{statement}\n"
        "print('went on', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, str(tmp_path / "command.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        process.send_signal(number)
        rest, said = process.communicate(timeout=30)
    assert (process.returncode, rest) == (128 + number, "")
    assert said == "bakeoff: interrupted; to go on where it stopped: bakeoff run 'a study'\n"


def test_what_a_library_makes_of_it_is_an_interruption_still() -> None:
    converting = (
        "import signal\n"
        "from pydantic_core import PydanticSerializationError, to_json\n"
        "from bakeoff.runners.interruption import Interrupted, never_lost, stop_on_signals\n"
        "stop_on_signals()\n"
        "try:\n"
        "    with never_lost():\n"
        "        to_json(object(), fallback=lambda _: signal.raise_signal(signal.SIGTERM))\n"
        "except Interrupted as stop:\n"
        "    assert isinstance(stop.__cause__, PydanticSerializationError)\n"
        "    print(stop.exit_code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", converting], capture_output=True, text=True, check=True
    )
    assert done.stdout == "143\n"


def test_an_error_that_no_signal_made_stays_one() -> None:
    with pytest.raises(ValueError, match="as it is"), never_lost():
        raise ValueError("as it is")


def test_an_ignored_signal_stays_ignored() -> None:
    quiet = (
        "import signal\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "from bakeoff.runners.interruption import stop_on_signals\n"
        "stop_on_signals()\n"
        "signal.raise_signal(signal.SIGINT)\n"
        "print('still here')\n"
    )
    done = subprocess.run([sys.executable, "-c", quiet], capture_output=True, text=True, check=True)
    assert done.stdout == "still here\n"


def test_exit_codes_are_those_of_a_shell() -> None:
    assert Interrupted(signal.SIGINT).exit_code == 130
    assert Interrupted(signal.SIGTERM).exit_code == 143
    assert Interrupted(signal.SIGUSR2).exit_code == 140


def test_in_another_thread_signals_are_left_alone() -> None:
    before, failed = signal.getsignal(signal.SIGINT), []

    def main() -> None:
        try:
            stop_on_signals()
        except ValueError as error:
            failed.append(error)

    thread = threading.Thread(target=main)
    thread.start()
    thread.join()
    assert failed == []
    assert signal.getsignal(signal.SIGINT) is before
