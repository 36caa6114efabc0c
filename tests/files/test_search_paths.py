from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from bakeoff.files.search_paths import leave_out_current_folder, safe_environment


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/usr/bin:/bin", "/usr/bin:/bin"), (":/usr/bin::.:bin:../bin:/bin:", "/usr/bin:/bin"),
        # Without a folder the system would look into the current one.
        ("", os.defpath), (".:", os.defpath),
    ],
)  # fmt: skip
def test_programs_come_from_absolute_folders(
    path: str, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", path)
    monkeypatch.setenv("PYTHONPATH", ":/a:b:")
    found = safe_environment()
    assert (found["PATH"], found["PYTHONPATH"]) == (kept, "/a")


def test_variables_that_are_not_there_stay_away(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PATH", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    assert safe_environment() == dict(os.environ)


def test_modules_come_from_folders_that_somebody_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here = str(tmp_path)
    monkeypatch.setenv("PATH", os.environ["PATH"])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", "lib", "/named", here]))
    monkeypatch.setattr(sys, "path", [here, f"{here}/lib", "/named", "/usr/lib/python3"])
    leave_out_current_folder()
    assert sys.path == ["/named", "/usr/lib/python3"]
    monkeypatch.setenv("PYTHONPATH", here)
    monkeypatch.setattr(sys, "path", [here, here, "/usr/lib/python3"])
    leave_out_current_folder()
    # What `python -m` put there is gone; what was asked for by its whole name stays.
    assert sys.path == [here, "/usr/lib/python3"]


def test_a_folder_that_was_removed_is_searched_by_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setenv("PATH", os.environ["PATH"])
    monkeypatch.setenv("PYTHONPATH", ":lib")
    monkeypatch.setattr(sys, "path", ["", "/usr/lib/python3"])
    leave_out_current_folder()
    assert sys.path == ["/usr/lib/python3"]
