"""The command among other people's encodings, editors, variables and systems."""

from __future__ import annotations

import os
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


def test_a_stream_that_is_closed_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    command._write_what_can_be_written()


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
