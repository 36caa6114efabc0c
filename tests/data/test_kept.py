"""The folder of what is kept: room, locks and marks."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bakeoff.data.kept import (
    IMAGES,
    clear,
    drafted,
    kept_folder,
    limit,
    make_room,
    marked,
    opened,
    remember,
)
from bakeoff.errors import UsageError
from tests.data.stocks import images_of

SHAPE = (6, 1, 4, 5)


def key_of(number: int) -> str:
    return f"{number:064x}"


def keep(folder: Path, number: int, used: float) -> Path:
    """Keep six images, last used at this time; return their entry."""
    with drafted(folder, key_of(number), SHAPE) as draft:
        draft.append(images_of(6, number))
        draft.keep(np.arange(6), None, {"notes": []})
    os.utime(folder / key_of(number), (used, used))
    return folder / key_of(number)


def size_of(entry: Path) -> int:
    return sum(file.stat().st_size for file in entry.iterdir())


def test_what_is_kept_is_the_users_alone_and_comes_back(cache: Path) -> None:
    entry = keep(cache, 1, 1.0)
    found = opened(cache, key_of(1))
    assert found is not None
    np.testing.assert_array_equal(found.images, images_of(6, 1))
    assert found.labels.tolist() == list(range(6))
    assert (found.groups, found.changed, found.about["notes"]) == (None, False, [])
    assert entry.stat().st_mtime > 1.0
    assert [each.stat().st_mode & 0o077 for each in (cache, entry, *entry.iterdir())] == [0] * 5
    assert opened(cache, key_of(2)) is None


def test_nothing_is_believed_that_others_can_write(cache: Path) -> None:
    keep(cache, 1, 1.0)
    cache.chmod(0o777)
    assert opened(cache, key_of(1)) is None
    assert marked(cache, "mark") == ""


def test_a_draft_that_is_given_up_leaves_nothing(cache: Path) -> None:
    with drafted(cache, key_of(1), SHAPE) as draft:
        draft.append(images_of(6))
    assert list(cache.iterdir()) == []


def test_of_two_drafts_of_one_entry_the_first_stays(cache: Path) -> None:
    with drafted(cache, key_of(1), SHAPE) as slow:
        slow.append(images_of(6, 1))
        inode = keep(cache, 1, 1.0).stat().st_ino
        slow.keep(np.arange(6), None, {"notes": []})
    assert [each.stat().st_ino for each in cache.iterdir()] == [inode]


def test_what_was_used_longest_ago_goes_first(cache: Path) -> None:
    entries = [keep(cache, number, used) for number, used in ((1, 30.0), (2, 10.0), (3, 20.0))]
    size = size_of(entries[0])
    assert make_room(cache, 3 * size) == 0
    assert make_room(cache, 2 * size) == size
    assert [entry.exists() for entry in entries] == [True, False, True]
    assert make_room(cache, 0) == 2 * size
    assert list(cache.iterdir()) == []


def test_room_is_made_for_what_comes(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = size_of(keep(cache, 1, 1.0))
    monkeypatch.setenv("BAKEOFF_CACHE_BYTES", str(2 * size))
    keep(cache, 2, 2.0)
    keep(cache, 3, 3.0)
    assert sorted(each.name for each in cache.iterdir()) == [key_of(2), key_of(3)]


def test_what_is_in_use_stays(cache: Path) -> None:
    keep(cache, 1, 1.0)
    keep(cache, 2, 2.0)
    used = opened(cache, key_of(1))
    assert used is not None
    images = used.images
    del used  # A view of the images is enough.
    clear()
    assert [each.name for each in cache.iterdir()] == [key_of(1)]
    del images
    clear()
    assert list(cache.iterdir()) == []


def test_what_another_process_uses_or_makes_stays(cache: Path) -> None:
    keep(cache, 1, 1.0)
    program = (
        "import sys\nfrom pathlib import Path\nfrom bakeoff.data.kept import drafted, opened\n"
        f"folder = Path({str(cache)!r})\nused = opened(folder, {key_of(1)!r})\n"
        f"with drafted(folder, {key_of(2)!r}, {SHAPE}):\n    print('ready', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        assert clear() == 0
        other.kill()
    assert len(list(cache.iterdir())) == 2
    assert clear() > 0  # The entry, and what the killed process left.
    assert list(cache.iterdir()) == []


def test_what_is_not_ours_stays(cache: Path) -> None:
    keep(cache, 1, 1.0)
    (cache / "notes.txt").write_text("mine")
    (cache / "photos").mkdir()
    (cache / key_of(2)).symlink_to(cache / "photos")
    clear()
    assert sorted(each.name for each in cache.iterdir()) == [key_of(2), "notes.txt", "photos"]


def test_marks_last_as_long_as_their_entry(cache: Path) -> None:
    keep(cache, 1, 1.0)
    remember(cache, "a" * 64, key_of(1))
    assert marked(cache, "a" * 64) == key_of(1)
    assert marked(cache, "b" * 64) == ""
    make_room(cache, 10**9)
    assert marked(cache, "a" * 64) == key_of(1)
    clear()
    make_room(cache, 0)
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize(
    ("asked", "cache", "home", "expected"),
    [
        ("/own", "/caches", "/home/a", "/own/data"),
        ("own", "/caches", "/home/a", "/caches/bakeoff/data"),
        ("", "", "/home/a", "/home/a/.cache/bakeoff/data"),
    ],
)
def test_it_lies_where_the_user_says(
    asked: str, cache: str, home: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("BAKEOFF_CACHE", asked), ("XDG_CACHE_HOME", cache), ("HOME", home)):
        monkeypatch.setenv(name, value)
    assert kept_folder() == Path(expected)


def test_its_size_is_what_the_user_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert limit() == 20 * 10**9
    monkeypatch.setenv("BAKEOFF_CACHE_BYTES", "1000")
    assert limit() == 1000
    monkeypatch.setenv("BAKEOFF_CACHE_BYTES", "1 GB")
    with pytest.raises(UsageError) as caught:
        limit()
    assert str(caught.value) == "BAKEOFF_CACHE_BYTES=1 GB: give a number of bytes"


def test_images_lie_behind_a_header_of_numpy(cache: Path) -> None:
    content = (keep(cache, 1, 1.0) / IMAGES).read_bytes()
    assert content[:6] == b"\x93NUMPY"
    assert b"'shape': (6, 1, 4, 5)" in content[:128]
    assert content[128:] == images_of(6, 1).tobytes()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how a mapping is read")
def test_what_fills_the_memory_is_not_read_ahead(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`rr` stands in smaps for a mapping that is read at random."""

    def flags_of_images() -> list[str]:
        maps = Path("/proc/self/smaps").read_text().split("VmFlags:")
        return [
            after.split("\n")[0]
            for before, after in itertools.pairwise(maps)
            if f"{key_of(1)}/{IMAGES}" in before
        ]

    keep(cache, 1, 1.0)
    found = opened(cache, key_of(1))
    assert found is not None
    assert " rr " not in flags_of_images()[0]
    del found
    monkeypatch.setattr("bakeoff.data.kept.usable_memory", lambda: 200)
    found = opened(cache, key_of(1))
    assert found is not None
    assert " rr " in flags_of_images()[0]
