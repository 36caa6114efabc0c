"""The user's folder for caches."""

from __future__ import annotations

import pwd
from pathlib import Path
from types import SimpleNamespace

import pytest

from bakeoff.files.private import cache_folder, is_private, make_missing, state_folder


@pytest.mark.parametrize(
    ("cache", "home", "expected"),
    [
        ("/caches", "/home/a", "/caches/bakeoff"),
        ("", "/home/a", "/home/a/.cache/bakeoff"),
        (None, "/home/a", "/home/a/.cache/bakeoff"),
        ("caches", "/home/a", "/home/a/.cache/bakeoff"),
        ("./caches", "home", "/of/system/.cache/bakeoff"),
        (".", "", "/of/system/.cache/bakeoff"),
        (None, None, "/of/system/.cache/bakeoff"),
    ],
)
def test_it_is_never_in_the_current_folder(
    cache: str | None, home: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("XDG_CACHE_HOME", cache), ("HOME", home)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    monkeypatch.setattr(pwd, "getpwuid", lambda _: SimpleNamespace(pw_dir="/of/system"))
    assert cache_folder() == Path(expected)


def test_what_is_remembered_outlives_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/a")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    monkeypatch.setenv("XDG_STATE_HOME", "/states")
    assert state_folder() == Path("/states/bakeoff")
    for nowhere in ("", "states"):
        monkeypatch.setenv("XDG_STATE_HOME", nowhere)
        assert state_folder() == Path("/home/a/.local/state/bakeoff")


def test_a_user_whom_the_system_does_not_know_keeps_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown(_: int) -> object:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setenv("HOME", "")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_folder() is None


def test_folders_that_are_made_are_the_users_alone_and_others_stay_as_they_are(
    tmp_path: Path,
) -> None:
    loose = tmp_path / "loose"
    loose.mkdir()
    loose.chmod(0o777)
    make_missing(loose / "a" / "b")
    assert [each.stat().st_mode & 0o777 for each in (loose, loose / "a", loose / "a" / "b")] == [
        0o777,
        0o700,
        0o700,
    ]
    assert not is_private(loose / "a" / "b")
    loose.chmod(0o755)
    assert is_private(loose / "a" / "b")
