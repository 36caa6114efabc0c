"""The cache of kernels: what nobody else can have written, and nothing else."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bakeoff.engine.native.cache import keep, kept

KEY = "ab12"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "caches" / "bakeoff"


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.usefixtures("umask")
def test_what_is_kept_comes_back_and_is_the_users_alone(cache: Path) -> None:
    assert kept(cache, KEY) is None
    keep(cache, KEY, b"library")
    assert kept(cache, KEY) == b"library"
    assert kept(cache, "cd34") is None
    (file,) = cache.iterdir()
    assert (mode(cache.parent), mode(cache), mode(file)) == (0o700, 0o700, 0o600)


def test_a_library_stays_beside_another_and_in_place_of_damaged_ones(cache: Path) -> None:
    keep(cache, KEY, b"one")
    keep(cache, "cd34", b"one")
    (file,) = cache.glob(f"*{KEY}*")
    keep(cache, KEY, b"two")  # From a process that compiled at the same time.
    assert kept(cache, KEY) in {b"one", b"two"}
    file.write_bytes(b"damaged")
    keep(cache, KEY, b"two")
    assert (kept(cache, KEY), kept(cache, "cd34")) == (b"two", b"one")
    assert len(list(cache.iterdir())) == 2


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("libraries", [(b"same", b"same"), (b"one", b"two")])
def test_there_is_always_one_while_processes_keep_theirs(
    cache: Path, libraries: tuple[bytes, bytes]
) -> None:
    keep(cache, KEY, libraries[0])
    with ThreadPoolExecutor() as others:
        done = [others.submit(keep, cache, KEY, libraries[turn % 2]) for turn in range(200)]
        while not all(each.done() for each in done):
            assert kept(cache, KEY) in libraries


@pytest.mark.parametrize("content", [b"", b"librarz", b"library and more"])
def test_other_bytes_under_a_right_name_are_none(cache: Path, content: bytes) -> None:
    keep(cache, KEY, b"library")
    (file,) = cache.iterdir()
    file.write_bytes(content)
    assert kept(cache, KEY) is None
    keep(cache, KEY, b"library")
    assert kept(cache, KEY) == b"library"


@pytest.mark.parametrize("loose", [0o620, 0o602])
def test_a_file_that_others_may_write_is_none(cache: Path, loose: int) -> None:
    keep(cache, KEY, b"library")
    (file,) = cache.iterdir()
    file.chmod(loose)
    assert kept(cache, KEY) is None


@pytest.mark.parametrize("put", ["link", "fifo", "folder"])
def test_what_is_no_file_is_none(cache: Path, put: str) -> None:
    keep(cache, KEY, b"library")
    (file,) = cache.iterdir()
    away = file.rename(cache.parent / "away")
    if put == "link":
        file.symlink_to(away)
    elif put == "fifo":
        os.mkfifo(file)
    else:
        file.mkdir()
    assert kept(cache, KEY) is None


@pytest.mark.parametrize("loose", [0o720, 0o702, 0o777])
@pytest.mark.parametrize("above", [0, 1])
def test_nothing_is_taken_from_where_others_may_write(cache: Path, above: int, loose: int) -> None:
    keep(cache, KEY, b"library")
    (cache, *cache.parents)[above].chmod(loose)
    assert kept(cache, KEY) is None
    keep(cache, KEY, b"another")
    # Our own folder is made tight again; the user's are left alone, and not used.
    assert kept(cache, KEY) == (b"another" if above == 0 else None)


def test_a_sticky_folder_is_as_safe_as_what_is_in_it(cache: Path) -> None:
    keep(cache, KEY, b"library")
    cache.parent.chmod(0o1777)
    assert kept(cache, KEY) == b"library"
    cache.chmod(0o1777)
    assert kept(cache, KEY) is None


def test_a_link_is_looked_at_where_it_leads(cache: Path, tmp_path: Path) -> None:
    keep(cache, KEY, b"library")
    (tmp_path / "way").symlink_to(cache)
    assert kept(tmp_path / "way", KEY) == b"library"
    cache.parent.chmod(0o777)
    assert kept(tmp_path / "way", KEY) is None


def test_nothing_is_taken_from_another_user(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(cache, KEY, b"library")
    own = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: own + 1)
    assert kept(cache, KEY) is None
    keep(cache, KEY, b"another")
    monkeypatch.undo()
    assert kept(cache, KEY) == b"library"
