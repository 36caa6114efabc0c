"""The command line: what it prints where, its exit codes, its errors word for word."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bakeoff.cli.main import run
from bakeoff.runners.interruption import Interrupted

STUDY = """
name = "tiny"
question = "Which is better?"

[protocol]
dataset = "digits"
validation_examples = 297

[recipe]
epochs = 1

[[entrants]]
name = "plain"
architecture = "logistic-regression"

[[entrants]]
name = "convolution"
architecture = "cnn-1conv"
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "tiny.toml"
    path.write_text(STUDY)
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, study: Path) -> Path:
    """A finished run; tests that damage it work on a copy."""
    out = tmp_path_factory.mktemp("run") / "tiny"
    assert run(["run", str(study), "--out", str(out)]) == 0
    return out


def error_line(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line on standard error, after making sure that it is one."""
    captured = capsys.readouterr()
    lines = captured.err.splitlines()
    assert len(lines) == 1, captured.err
    assert "Traceback" not in captured.err
    return lines[0]


def test_a_run_prints_data_to_stdout_and_progress_to_stderr(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert run(["run", str(study), "--out", str(out), "-v"]) == 0
    captured = capsys.readouterr()
    epoch = re.compile(
        r"^plain        epoch 1/1  train loss \d\.\d{4}  val loss \d\.\d{4}  "
        r"val acc \d\.\d{4}  \d+\.\d s$",
        re.MULTILINE,
    )
    assert epoch.search(captured.err)
    assert "2 trials to train" in captured.err
    assert "stands first on validation data" in captured.out
    assert captured.out.splitlines()[-1] == f"report: {out / 'report.html'}"
    assert "\x1b" not in captured.out + captured.err

    assert run(["run", str(study), "--out", str(out)]) == 0
    assert "nothing to train: all 2 trials are finished" in capsys.readouterr().err


def test_a_run_alone_says_what_it_trains_and_how_long_it_takes(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bakeoff.cli.training.USUAL_STUDY", str(study))
    assert run(["run", "--jobs", "1"]) == 0
    said = capsys.readouterr().err.splitlines()
    assert said[0] == (
        "no study was named, so this is tiny: tiny. It goes into runs/tiny; bakeoff list studies "
        "names others"
    )
    assert [line for line in said if line.startswith("about ")]
    assert (tmp_path / "runs" / "tiny" / "report.html").exists()


def test_a_pipe_gets_the_table_in_whole_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "n" * 64
    file = tmp_path / "long.toml"
    file.write_text(STUDY.replace('"plain"', f'"{name}"'))
    assert run(["run", str(file), "--out", str(tmp_path / "out")]) == 0
    (row,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith(f"{name} "))
    assert len(row.split()) >= 7


def test_json_is_one_document(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["compare", str(finished), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["study"] == "tiny"
    assert {row["entrant"] for row in document["standings"]} == {"plain", "convolution"}
    assert document["winner"] == document["standings"][0]["entrant"]


def test_compare_says_once_what_one_seed_is_worth(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = tmp_path / "three.toml", tmp_path / "the run"
    third = '\n[[entrants]]\nname = "again"\narchitecture = "logistic-regression"\n'
    file.write_text(STUDY + third)
    assert run(["run", str(file), "--out", str(out)]) == 0
    capsys.readouterr()
    assert run(["compare", str(out)]) == 0
    said = capsys.readouterr().out
    assert said.count("cannot support a claim") == 1
    assert (
        "one seed cannot support a claim about architectures; more: "
        f"bakeoff run '{out}/study.toml' --out '{out}' --seeds 5\n"
    ) in said
    lines = [line for line in said.splitlines() if line.startswith("- ")]
    assert len(lines) == 3
    assert all("alone right on" in line and "exact McNemar p" in line for line in lines)


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_a_reader_that_goes_away_ends_the_command_as_it_ends_any_other(
    option: list[str], tmp_path: Path
) -> None:
    """More than a pipe holds: `bakeoff show big.toml | head -1` under pipefail."""
    big = tmp_path / "big.toml"
    entrant = '\n[[entrants]]\nname = "e{}"\narchitecture = "logistic-regression"\n'
    big.write_text('name = "big"\n' + "".join(entrant.format(n) for n in range(3000)))
    with subprocess.Popen(
        [sys.executable, "-m", "bakeoff", "show", str(big), *option],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # Without a buffer Python takes a write that was cut short for a whole one.
        env={key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"},
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 141


def test_a_table_that_nobody_reads_is_no_error_of_a_library(finished: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "bakeoff", "compare", str(finished)],
        stdout=writer, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_output_that_cannot_be_written_is_one_line(finished: Path) -> None:
    for arguments in (["compare", str(finished), "--json"], ["list", "studies"]):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [sys.executable, "-m", "bakeoff", *arguments],
                stdout=full, stderr=subprocess.PIPE, text=True, check=False,
            )  # fmt: skip
        assert done.returncode == 1
        assert done.stderr == "bakeoff: input/output: No space left on device\n"
        # Nobody can be told, and the exit code still says it.
        with Path("/dev/full").open("w") as full:
            silent = subprocess.run(
                [sys.executable, "-m", "bakeoff", *arguments], stdout=full, stderr=full, check=False
            )
        assert silent.returncode == 1


def test_inspect_draws_the_winner_or_the_network_asked_for(
    finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run(["inspect", str(finished), "--entrant", "convolution", "--index", "3"]) == 0
    text = capsys.readouterr().out.splitlines()
    assert text[0] == "convolution seed 0: 1 convolution: 32 filters of 5 x 5"
    assert text[1].startswith("test image 3: label ")
    assert re.fullmatch(
        r"most of the evidence for \d lies at row [0-7], column [0-7]: \d+\.\d\d nats of its "
        "log-odds",
        text[2],
    )
    assert re.fullmatch(r"that took 65 forward passes in \d+\.\d\d seconds", text[4])
    assert re.fullmatch(r"32 filters, (none|\d+) of them dead.* in 100 test images", text[5])
    assert Path(text[-1]).read_text().startswith("<svg")

    assert run(["inspect", str(finished), "--entrant", "plain", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["summary"] == "no convolutions: one weight image per class"
    assert sum(document["probabilities"].values()) == pytest.approx(1, abs=1e-4)
    assert np.shape(document["occlusion"]["log_odds_lost"]) == (2, 8, 8)
    assert document["occlusion"]["forward_passes"] == 65
    assert (document["filters"], document["places"], document["attention"]) == (None, [], None)


def test_inspect_all_asks_every_entrant(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["inspect", str(finished), "--index", "1", "--all", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [each["entrant"] for each in document["entrants"]] == ["plain", "convolution"]
    assert run(["inspect", str(finished), "--index", "1", "--all"]) == 0
    assert "of 2 trials are right" in capsys.readouterr().out


def test_list_and_show(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for what, name in (
        ("studies", "assignment"), ("architectures", "cnn-2conv"), ("datasets", "mnist")
    ):  # fmt: skip
        assert run(["list", what]) == 0
        assert name in capsys.readouterr().out
    assert run(["list", "datasets", "--json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["mnist", "digits"]
    assert run(["show", str(study), "--set", "plain.learning_rate=0.5", "--seeds", "3"]) == 0
    shown = capsys.readouterr().out
    for line in ("learning_rate = 0.5", "seeds = 3", "batch_size = 50"):
        assert line in shown


def test_list_alone_lists_all_that_ships(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["list"]) == 0
    headings = [line for line in capsys.readouterr().out.splitlines() if line and " " not in line]
    assert headings == ["studies", "architectures", "datasets"]
    assert run(["list", "--json"]) == 0
    shipped = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in shipped["datasets"]] == ["mnist", "digits"]


def test_help_is_found_however_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    for short, long in (
        (["-h"], ["--help"]), (["help"], ["--help"]),
        (["help", "run"], ["run", "--help"]), (["run", "-h"], ["run", "--help"]),
    ):  # fmt: skip
        assert run(long) == 0
        expected = capsys.readouterr().out
        assert run(short) == 0
        assert capsys.readouterr().out == expected != ""


def test_report_open_hands_the_page_to_a_browser_or_says_that_there_is_none(
    finished: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    def opens(page: str) -> bool:
        opened.append(page)
        return True

    monkeypatch.setattr("webbrowser.open", opens)
    assert run(["report", str(finished), "--open"]) == 0
    assert opened == [(finished / "report.html").as_uri()]
    capsys.readouterr()
    monkeypatch.setattr("webbrowser.open", lambda page: False)
    assert run(["report", str(finished), "--open"]) == 1
    assert error_line(capsys) == "bakeoff: --open: no browser is found here; open the page yourself"


def test_the_folder_of_a_run_is_offered_where_only_its_name_was_given(
    finished: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "tiny").symlink_to(finished)
    assert run(["compare", "tiny"]) == 1
    assert error_line(capsys) == (
        "bakeoff: tiny: no run folder (it has no study.toml); did you mean runs/tiny?"
    )
    assert run(["runs"]) == 0
    assert capsys.readouterr().out.startswith("runs/tiny  trials: 2 of 2  ")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "asignment"], 2, "bakeoff: unknown study 'asignment'; did you mean 'assignment'?"),
        (
            ["show", "quick", "--set", "cnn-2con.epochs=1"],
            2,
            "bakeoff: --set cnn-2con.epochs=1: unknown entrant; did you mean 'cnn-2conv'?",
        ),
        (
            ["show", "quick", "--set", "cnn-2conv.epoch=1"],
            2,
            "bakeoff: --set cnn-2conv.epoch=1: unknown key; did you mean 'epochs'?",
        ),
        (
            ["show", "quick", "--set", "cnn-2conv.learning_rate=-1"],
            2,
            "bakeoff: --set cnn-2conv.learning_rate=-1: entrants[3].recipe.learning_rate: "
            "must be greater than 0, not -1",
        ),
        (
            ["list", "study"],
            2,
            "bakeoff: nothing to list is called 'study'; did you mean 'studies'?",
        ),
        (
            ["run", "quick", "--device", "gpu"],
            2,
            "bakeoff: --device gpu: choose one of auto, cpu, cuda",
        ),
        (
            ["compare", "nowhere"],
            1,
            "bakeoff: nowhere: no run folder (it has no study.toml); give the --out of one",
        ),
        (
            ["show", "missing.toml"],
            1,
            "bakeoff: missing.toml: No such file or directory; give a shipped name or a TOML file",
        ),
    ],
)
def test_errors_are_one_line_with_the_right_code(
    arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == code
    assert error_line(capsys) == message


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--entrant", "plane"], 2, "--entrant plane: not in this study; did you mean 'plain'?"),
        (["--index", "500"], 2, "--index 500: the last test image is 499"),
        (["--index", "500", "--all"], 2, "--index 500: the last test image is 499"),
        (
            ["--entrant", "plain", "--seed", "4"],
            2,
            "--seed 4: plain has no complete trial of it; complete: 0",
        ),
    ],
)
def test_inspect_refuses_what_is_not_there(
    finished: Path,
    arguments: list[str],
    code: int,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    capsys.readouterr()
    assert run(["inspect", str(finished), *arguments]) == code
    assert error_line(capsys) == f"bakeoff: {message}"


@pytest.mark.parametrize("file", ["record.json", "model.safetensors", "predictions.npz"])
def test_an_altered_file_of_a_trial_is_named_and_left_alone(
    finished: Path, tmp_path: Path, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(finished, copy)
    damaged = copy / "trials" / "plain" / "0" / file
    content = bytearray(damaged.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    capsys.readouterr()
    arguments = ["inspect", str(copy), "--entrant", "plain"] if "model" in file else [
        "compare", str(copy)
    ]  # fmt: skip
    assert run(arguments) == 1
    assert error_line(capsys) == (
        f"bakeoff: {damaged}: damaged, its SHA-256 is not the manifest's; "
        f"move {damaged.parent} away and run again to train it anew"
    )
    assert damaged.read_bytes() == bytes(content)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"cnn-1conv"',
            '"cnn-1con"',
            "entrants[1].architecture: unknown architecture 'cnn-1con'; did you mean 'cnn-1conv'?",
        ),
        (
            '"digits"',
            '"digit"',
            "protocol.dataset: unknown data set 'digit'; did you mean 'digits'?",
        ),
        (
            "examples = 297",
            "examples = 2000",
            "protocol.validation_examples: 2,000 of 1,297 examples; give a number from 1 to 1,296",
        ),
        ("epochs = 1", "epoch = 1", "recipe.epoch: unknown key; did you mean 'epochs'?"),
    ],
)
def test_a_mistake_in_a_study_file_is_named_by_file_and_key_before_there_is_a_folder(
    old: str, new: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(STUDY.replace(old, new))
    assert run(["run", str(file), "--out", str(tmp_path / "out")]) == 1
    assert error_line(capsys) == f"bakeoff: {file}: {message}"
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_named(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("in the way")
    assert run(["run", str(study), "--out", str(blocker / "run")]) == 1
    assert error_line(capsys) == (
        f"bakeoff: {blocker / 'run' / 'locks' / 'study'}: cannot lock: Not a directory; "
        "give a folder that can be written"
    )
    assert run(["run", str(study), "--out", str(tmp_path)]) == 1
    assert error_line(capsys) == (
        f"bakeoff: {tmp_path}: not a run folder and not empty; give another --out"
    )
    assert blocker.read_text() == "in the way"


def test_a_folder_that_may_not_be_entered_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Permissions do not stop the superuser, who runs tests in many containers.
    def denied(path: Path, *_: int, **__: int) -> int:
        raise PermissionError(13, "Permission denied", str(path))

    with monkeypatch.context() as closed:
        closed.setattr(os, "open", denied)
        assert run(["compare", str(tmp_path)]) == 1
    assert error_line(capsys) == f"bakeoff: {tmp_path / 'study.toml'}: Permission denied"


def test_a_run_with_a_diverged_trial_exits_with_1(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wild = ["--set", "convolution.optimizer=sgd", "--set", "convolution.learning_rate=1e30"]
    assert run(["run", str(study), "--out", str(tmp_path / "run"), *wild]) == 1
    captured = capsys.readouterr()
    trouble = "convolution seed 0 diverged: the loss was not finite in epoch 1, step 2"
    assert trouble in captured.out.splitlines()
    assert captured.out.splitlines()[-1].startswith("report: ")
    assert captured.err.splitlines()[-1] == (
        f"bakeoff: 1 of 2 trials did not complete: {trouble}; --retry-failed trains them again"
    )


def test_debug_shows_the_traceback() -> None:
    command = [sys.executable, "-m", "bakeoff", "show", "asignment", "--debug"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "unknown study 'asignment'" in done.stderr


def test_help_imports_nothing_heavy() -> None:
    probe = (
        "import sys; from bakeoff.cli.main import run; run(['--help']); "
        "heavy = {'torch', 'numpy', 'scipy', 'sklearn', 'matplotlib', 'pydantic'}; "
        "sys.exit(str(sorted(heavy & set(sys.modules))) if heavy & set(sys.modules) else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "inspect" in done.stdout
    assert "..." not in done.stdout.replace("[ARGS]...", "")  # no summary is cut short


def test_no_color_is_obeyed_in_a_terminal(finished: Path) -> None:
    """A pseudo-terminal is a terminal to the command, so colours would show here."""
    import pty

    shown = {}
    for name, extra in (("colour", {}), ("plain", {"NO_COLOR": "1"})):
        reader, writer = pty.openpty()
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", **extra}
        environment.pop("PYTEST_CURRENT_TEST", None)
        process = subprocess.Popen(
            [sys.executable, "-m", "bakeoff", "compare", str(finished)],
            stdout=writer, stderr=writer, env=environment,
        )  # fmt: skip
        os.close(writer)
        output = b""
        while True:
            try:
                part = os.read(reader, 65536)
            except OSError:
                break
            if not part:
                break
            output += part
        assert process.wait() == 0, output
        shown[name] = output.decode()
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", shown["plain"])
    assert "stands first" in shown["plain"]


def test_interrupted_runs_say_how_to_go_on(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise Interrupted(signal.SIGINT)

    monkeypatch.setattr("bakeoff.commands.run.run_serially", interrupted)
    arguments = ["run", str(study), "--out", str(tmp_path / "my run"), "--seeds", "1"]
    assert run(arguments) == 130
    again = f"bakeoff run {study} --out '{tmp_path / 'my run'}' --seeds 1"
    said = capsys.readouterr().err.splitlines()
    assert said[-1] == f"bakeoff: interrupted; to go on where it stopped: {again}"
