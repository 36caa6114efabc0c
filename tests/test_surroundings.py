"""The command among other people's encodings, editors, variables and systems."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import bakeoff
from bakeoff import __main__ as command

SOURCE = str(Path(bakeoff.__file__).parents[1])
TITLE = "größe 日本 😀"
STUDY = f"""\
name = "tiny"
title = "{TITLE}"

[[entrants]]
name = "a"
architecture = "logistic-regression"
"""
TINY = """
name = "tiny"
seeds = 2

[protocol]
dataset = "digits"

[[entrants]]
name = "a"
architecture = "logistic-regression"
recipe.epochs = 1
"""


def run(arguments: list[str], **variables: str) -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | {"PYTHONPATH": SOURCE} | variables
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, check=False
    )


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_what_an_encoding_lacks_is_spelt_out(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "größe日本.toml"
    file.write_text(STUDY, encoding="utf-8")
    done = run(["-m", "bakeoff", "show", str(file)], PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    written = TITLE.encode(encoding, errors="backslashreplace")
    assert b'title = "' + written + b'"' in done.stdout
    file.write_text("name = ", encoding="utf-8")
    done = run(["-m", "bakeoff", "show", str(file)], PYTHONIOENCODING=encoding)
    assert done.returncode == 1
    assert done.stderr.startswith(f"bakeoff: {file}: ".encode(encoding, errors="backslashreplace"))
    assert done.stderr.count(b"\n") == 1


def started(tmp_path: Path, redirected: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Train two trials with standard streams as a shell leaves them."""
    study = tmp_path / "tiny.toml"
    study.write_text(TINY)
    command = [sys.executable, "-m", "bakeoff", "run", str(study), *options]
    command += ["--out", str(tmp_path / "run")]
    return subprocess.run(
        ["sh", "-c", f"{shlex.join(command)} {redirected}"],
        env=os.environ | {"PYTHONPATH": SOURCE}, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_closed_standard_error_ends_no_training(jobs: str, tmp_path: Path) -> None:
    done = started(tmp_path, "2>&-", "--jobs", jobs, "-v")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == f"report: {tmp_path / 'run' / 'report.html'}"


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_reader_of_standard_error_who_leaves_ends_no_training(jobs: str, tmp_path: Path) -> None:
    result = tmp_path / "result"
    done = started(tmp_path, f"2>&1 >{result} | head -1", "--jobs", jobs, "-v")
    assert done.stdout.count("\n") == 1
    assert result.read_text().splitlines()[-1] == f"report: {tmp_path / 'run' / 'report.html'}"


def test_no_file_takes_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    code = (
        "import os, sys, bakeoff.__main__ as m; m._take_the_place_of_closed_streams(); "
        "os.write(os.open(sys.argv[1], os.O_RDWR | os.O_CREAT), b'whole'); "
        "os.write(1, b'lost'); os.write(2, b'lost'); print('lost'); sys.stderr.write('lost')"
    )
    command = shlex.join([sys.executable, "-c", code, str(tmp_path / "file")])
    environment = os.environ | {"PYTHONPATH": SOURCE}
    subprocess.run(["sh", "-c", f"{command} <&- >&- 2>&-"], env=environment, check=True)
    assert (tmp_path / "file").read_text() == "whole"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\r\n", b"\r"])
def test_a_study_may_come_from_any_editor(mark: bytes, end: bytes, tmp_path: Path) -> None:
    from bakeoff.study.toml import read_study

    file, plain = tmp_path / "tiny.toml", tmp_path / "plain.toml"
    plain.write_text(STUDY, encoding="utf-8")
    file.write_bytes(mark + plain.read_bytes().replace(b"\n", end))
    assert read_study(file) == read_study(plain)


@pytest.mark.parametrize(
    "variables",
    [
        {"HOME": "/dev/null/none", "XDG_CONFIG_HOME": "", "MPLCONFIGDIR": ""},
        {"MPLCONFIGDIR": "/dev/null/none"},
        {"PYTHONWARNINGS": "error"},
        {"PYTHONWARNINGS": "always"},
    ],
    ids=["home", "matplotlib", "error", "always"],
)
def test_libraries_say_nothing_of_their_own(variables: dict[str, str]) -> None:
    code = "import bakeoff.__main__ as m; m._keep_libraries_silent(); import bakeoff.report"
    done = run(["-c", code], **variables)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_current_folder_that_was_removed_is_one_line(tmp_path: Path) -> None:
    code = "import os, sys; os.rmdir(os.getcwd()); import bakeoff.__main__ as m; m.main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "list", "studies"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": SOURCE},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == ("bakeoff: the current folder was removed; change to one that exists\n")


def test_windows_is_told_at_once_that_it_is_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(SystemExit) as caught:
        command.main()
    assert caught.value.code == (
        "bakeoff: runs on Linux and macOS, not on Windows; use it there in WSL"
    )
