"""What code a user had run before is remembered, where nobody else can write."""

from __future__ import annotations

from pathlib import Path

import pytest

from bakeoff.networks.trust import is_trusted, trust

ONE, OTHER = "1" * 64, "2" * 64


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "bakeoff" / "trusted"


def test_trust_is_in_one_hash_and_no_other(state: Path) -> None:
    assert not is_trusted(ONE)
    trust(ONE)
    trust(ONE)
    assert is_trusted(ONE)
    assert not is_trusted(OTHER)
    assert [each.name for each in state.iterdir()] == [ONE]
    assert state.stat().st_mode & 0o777 == 0o700


def test_what_others_may_write_is_not_believed(state: Path) -> None:
    trust(ONE)
    state.chmod(0o777)
    assert not is_trusted(ONE)
    trust(OTHER)
    state.chmod(0o700)
    assert is_trusted(ONE)
    assert not is_trusted(OTHER)


def test_where_nothing_can_be_written_nothing_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    trust(ONE)
    assert not is_trusted(ONE)
    monkeypatch.setattr("bakeoff.networks.trust.state_folder", lambda: None)
    trust(ONE)
    assert not is_trusted(ONE)
