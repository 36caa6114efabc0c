"""From a stock to a data set, and what is kept of it."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bakeoff.data import cache as cache_module
from bakeoff.data.cache import dataset_of, mark_of, remembered
from bakeoff.data.dataset import Dataset
from bakeoff.data.kept import IMAGES
from bakeoff.data.readers.stock import Stock
from bakeoff.errors import DataError, StudyError
from bakeoff.study.protocol import Protocol
from tests.data.stocks import images_of, stock_of

PARTS = ["test", "train", "train", "validation", "test", "train"]
LABELS = ["b", "a", "b", "a", "a", "b"]
TRAINED, TESTED = [1, 2, 3, 5], [0, 4]


class Counted:
    """A stock that counts how often its pixels are asked for."""

    def __init__(self, stock: Stock) -> None:
        self.asked = 0
        self._blocks = stock.blocks
        self.stock = Stock(**{**vars(stock), "blocks": self.blocks})

    def blocks(self, indices: Sequence[int]) -> Any:
        self.asked += 1
        return self._blocks(indices)


def made(stock: Stock, **asked: Any) -> tuple[Dataset, list[str]]:
    said: list[str] = []
    return dataset_of(stock, Protocol(dataset="./photos", **asked), said.append), said


def same(one: Dataset, other: Dataset) -> bool:
    arrays = ("train_images", "train_labels", "test_images", "test_labels")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in arrays)


def entry_in(cache: Path) -> Path:
    (entry,) = [each for each in cache.iterdir() if each.is_dir()]
    return entry


def test_parts_are_put_together_in_the_order_in_which_they_were_found() -> None:
    images = images_of(6)
    dataset, said = made(stock_of(images, LABELS, PARTS, groups=list("uvwxyz"), notes=("a note",)))
    np.testing.assert_array_equal(dataset.train_images, images[TRAINED])
    np.testing.assert_array_equal(dataset.test_images, images[TESTED])
    assert dataset.train_labels.tolist() == [0, 1, 0, 1]
    assert dataset.test_labels.tolist() == [1, 0]
    assert dataset.train_groups is not None
    assert dataset.test_groups is not None
    assert (dataset.train_groups.tolist(), dataset.test_groups.tolist()) == ([1, 2, 3, 5], [0, 4])
    assert (dataset.name, dataset.classes) == ("./photos", ("a", "b"))
    assert said == [
        "./photos: a note",
        "./photos: 1 validation image joined the training images, from which each seed draws its "
        "own validation part",
    ]
    assert dataset.mapped
    assert not dataset.train_images.flags.writeable


def test_the_second_time_nothing_is_decoded_and_the_same_is_said() -> None:
    counted = Counted(stock_of(images_of(6), LABELS, PARTS, notes=("a note",)))
    first, said = made(counted.stock)
    second, said_again = made(counted.stock)
    assert counted.asked == 1
    assert same(first, second)
    assert said == said_again
    fresh = Dataset(**{**vars_of(second), "known_sha256": ""})
    assert first.sha256 == second.sha256 == fresh.sha256


def vars_of(dataset: Dataset) -> dict[str, Any]:
    return {name: getattr(dataset, name) for name in Dataset.__dataclass_fields__}


def test_a_test_part_is_taken_and_said() -> None:
    images, labels = images_of(50), ["a", "b"] * 25
    dataset, said = made(stock_of(images, labels))
    assert (len(dataset.train_images), len(dataset.test_images)) == (40, 10)
    assert said == [
        "./photos: no test part: 10 images of 50 set aside to test on, chosen by their pixels, "
        "nearly the same share of each class"
    ]
    everything = np.concatenate([dataset.train_images, dataset.test_images])
    found = sorted(zip([each.tobytes() for each in everything], labels_of(dataset), strict=True))
    assert found == sorted((image.tobytes(), at % 2) for at, image in enumerate(images))
    other, _ = made(stock_of(images, labels), test=20)
    assert len(other.test_images) == 20


def labels_of(dataset: Dataset) -> list[int]:
    return [*dataset.train_labels.tolist(), *dataset.test_labels.tolist()]


def test_test_images_that_are_also_training_images_are_said() -> None:
    images = images_of(6)
    images[4] = images[2]
    images[0] = images[2]
    _, said = made(stock_of(images, LABELS, PARTS))
    assert said[-1] == (
        "./photos: 2 test images are also in training (b/0.png is b/2.png): scores on them show "
        "what was learnt by heart"
    )


@given(st.permutations(range(12)))
def test_images_are_reordered_in_place(order: list[int]) -> None:
    images = images_of(12)
    expected = images[order]
    cache_module._reorder(images, np.array(order))
    np.testing.assert_array_equal(images, expected)


def test_another_protocol_or_another_source_is_another_entry(cache: Path) -> None:
    labels = ["a", "b"] * 10
    made(stock_of(images_of(20), labels))
    made(stock_of(images_of(20), labels), test=0.3)
    made(stock_of(images_of(20, seed=1), labels))
    made(stock_of(images_of(20), labels), pixels="standardised")  # The first one's.
    assert len(list(cache.iterdir())) == 3


def test_what_is_wrong_leaves_nothing(cache: Path) -> None:
    with pytest.raises(StudyError):
        made(stock_of(images_of(4), list("abab"), groups=list("gggg")))
    broken = stock_of(images_of(4), list("abab"))

    def blocks(indices: Sequence[int]) -> Any:
        yield images_of(2)
        raise DataError("a/3.png: damaged")

    with pytest.raises(DataError, match=r"^a/3\.png: damaged$"):
        made(Stock(**{**vars(broken), "blocks": blocks}))
    with pytest.raises(DataError, match="2 images came of 4; it changed while it was read"):
        made(Stock(**{**vars(broken), "blocks": lambda _: iter([images_of(2)])}))
    assert list(cache.iterdir()) == []


# Damage


def flip(file: Path, at: int) -> None:
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [
        lambda entry: flip(entry / IMAGES, 200),
        lambda entry: os.truncate(entry / IMAGES, 200),
        lambda entry: flip(entry / "labels.npz", 150),
        lambda entry: flip(entry / "about.json", 30),
        lambda entry: (entry / "about.json").unlink(),
        lambda entry: (entry / IMAGES).unlink(),
        lambda entry: (entry / IMAGES).chmod(0o666),
    ],
    ids=["pixel", "cut", "label", "about", "no-about", "no-images", "anybody's"],
)
def test_what_is_damaged_is_made_again(damage: Any, cache: Path) -> None:
    counted = Counted(stock_of(images_of(6), LABELS, PARTS))
    first, _ = made(counted.stock)
    kept = vars_of(first) | {"train_images": first.train_images.copy()}
    kept["test_images"] = first.test_images.copy()
    damage(entry_in(cache))
    again, _ = made(counted.stock)
    assert counted.asked == 2
    assert same(again, Dataset(**kept))
    made(counted.stock)
    assert counted.asked == 2


def test_a_copy_of_the_cache_is_compared_and_believed(cache: Path) -> None:
    counted = Counted(stock_of(images_of(6), LABELS, PARTS))
    made(counted.stock)
    os.utime(entry_in(cache) / IMAGES, (1, 1))
    made(counted.stock)
    assert counted.asked == 1


# Where nothing can be kept


@pytest.fixture(params=["nowhere", "file", "loose", "full"])
def unwritable(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """Let the cache be one that cannot be written; return why."""
    place = tmp_path / "place"
    monkeypatch.setenv("BAKEOFF_CACHE", str(place))
    if request.param == "nowhere":
        monkeypatch.setattr(cache_module, "kept_folder", lambda: None)
        return "there is no folder for caches"
    if request.param == "file":
        place.write_bytes(b"")
        return "Not a directory"
    if request.param == "loose":
        place.mkdir()
        place.chmod(0o777)
        return f"{place / 'data'} can be written by others"

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("bakeoff.data.kept.Draft.append", full)
    return "No space left on device"


def test_images_stay_in_memory(unwritable: str) -> None:
    images = images_of(50)
    dataset, said = made(stock_of(images, ["a", "b"] * 25))
    assert not dataset.mapped
    assert said[-1].startswith("./photos: images stay in memory, nothing is kept in ")
    assert said[-1].endswith(f": {unwritable}")
    assert (len(dataset.train_images), len(dataset.test_images)) == (40, 10)
    found = {each.tobytes() for each in (*dataset.train_images, *dataset.test_images)}
    assert found == {each.tobytes() for each in images}


def test_more_than_half_of_the_memory_is_refused(
    unwritable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_module, "usable_memory", lambda: 1999)
    with pytest.raises(DataError) as caught:
        made(stock_of(images_of(50), ["a", "b"] * 25))
    assert str(caught.value).startswith(
        "photos: 1,000 bytes of pixels do not fit into half of the memory (1,999), nor into the "
    )
    assert f"({unwritable})" in str(caught.value)


# Marks


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let some seconds have passed since files were made."""
    now = time.time_ns()
    monkeypatch.setattr("bakeoff.data.cache.time.time_ns", lambda: now + 3600 * 10**9)


@pytest.mark.usefixtures("later")
def test_what_did_not_change_is_known_without_reading_it(tmp_path: Path) -> None:
    protocol = Protocol(dataset="./photos")
    source = tmp_path / "photos"
    source.mkdir()
    (source / "1.png").write_bytes(b"1")
    mark = mark_of(source, protocol)
    said: list[str] = []
    assert remembered(mark, protocol, said.append) is None
    stock = stock_of(images_of(6), LABELS, PARTS)
    first = dataset_of(stock, protocol, said.append, mark)
    before = list(said)
    said.clear()
    known = remembered(mark, protocol, said.append)
    assert known is not None
    assert same(first, known)
    assert said == before


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize(
    "change",
    [
        lambda source: (source / "1.png").write_bytes(b"2"),
        lambda source: (source / "1.png").rename(source / "2.png"),
        lambda source: (source / "2.png").write_bytes(b""),
        lambda source: (source / "1.png").unlink(),
        lambda source: os.utime(source / "1.png", (1, 1)),
    ],
    ids=["content", "name", "more", "fewer", "time"],
)
def test_any_change_is_another_mark(change: Any, tmp_path: Path) -> None:
    protocol = Protocol(dataset="./photos")
    (tmp_path / "1.png").write_bytes(b"1")
    before = mark_of(tmp_path, protocol)
    assert before == mark_of(tmp_path, protocol)
    assert before != mark_of(tmp_path, Protocol(dataset="./photos", colour="rgb"))
    change(tmp_path)
    assert before != mark_of(tmp_path, protocol)


def test_what_was_changed_a_moment_ago_has_no_mark(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"1")
    assert mark_of(tmp_path, Protocol(dataset="./photos")) == ""


@pytest.mark.usefixtures("later")
def test_what_leads_elsewhere_or_is_not_there_has_no_mark(tmp_path: Path) -> None:
    protocol = Protocol(dataset="./photos")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "1.png").write_bytes(b"1")
    assert mark_of(tmp_path / "in", protocol)
    (tmp_path / "in" / "link").symlink_to(tmp_path)
    assert mark_of(tmp_path / "in", protocol) == ""
    assert mark_of(tmp_path / "gone", protocol) == ""


def test_arrays_of_one_file_are_views_of_it(cache: Path) -> None:
    dataset, _ = made(stock_of(images_of(6), LABELS, PARTS))
    file = (entry_in(cache) / IMAGES).read_bytes()
    assert file.endswith(dataset.train_images.tobytes() + dataset.test_images.tobytes())
    assert base_of(dataset.train_images) is base_of(dataset.test_images)


def base_of(array: NDArray[Any]) -> Any:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array.base
