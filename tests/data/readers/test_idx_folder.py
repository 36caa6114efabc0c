"""Folders of IDX files, as they are handed around."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from bakeoff.data.readers.idx_folder import read_idx_folder
from bakeoff.data.readers.stock import Stock
from bakeoff.errors import DataError
from bakeoff.study.protocol import Protocol

IMAGES = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
LABELS = np.array([0, 1, 1], np.uint8)


def idx(array: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


FILES = {
    "train-images-idx3-ubyte": idx(IMAGES),
    "train-labels-idx1-ubyte": idx(LABELS),
    "t10k-images-idx3-ubyte": idx(IMAGES[:2]),
    "t10k-labels-idx1-ubyte": idx(LABELS[:2]),
}


def put(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def read(folder: Path) -> Stock:
    return read_idx_folder(folder, Protocol(dataset=str(folder)))


def refused(folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        read(folder)
    return str(caught.value).replace(str(folder), "")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "spelling",
    [
        "{part}-{role}-idx{d}-ubyte",
        "{part}-{role}-idx{d}-ubyte.gz",
        "{part}-{role}.idx{d}-ubyte",
        "emnist-letters-{part}-{role}-idx{d}-ubyte.gz",
        "{part}_{role}",
    ],
)
def test_files_are_known_by_their_content_and_not_by_their_ending(
    packed: bool, spelling: str, tmp_path: Path
) -> None:
    for name, content in FILES.items():
        part, role, *_ = name.split("-")
        file = spelling.format(part=part, role=role, d=3 if role == "images" else 1)
        (tmp_path / file).write_bytes(gzip.compress(content) if packed else content)
    stock = read(tmp_path)
    assert stock.parts == ["train"] * 3 + ["test"] * 2
    assert stock.labels == ["0", "1", "1", "0", "1"]
    assert stock.image_shape == (1, 4, 5)
    np.testing.assert_array_equal(
        np.concatenate(list(stock.blocks(range(5))))[:, 0], np.concatenate([IMAGES, IMAGES[:2]])
    )
    assert any("EMNIST" in note for note in stock.notes) == ("emnist" in spelling)


def test_a_file_beside_its_packed_self_is_read_once(tmp_path: Path) -> None:
    put(tmp_path, FILES)
    packed = {f"{name}.gz": gzip.compress(content) for name, content in FILES.items()}
    put(tmp_path, packed)
    assert len(read(tmp_path).labels) == 5


IMAGES_FILE = "train-images-idx3-ubyte"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "empty (0 bytes), not an IDX file; get the file again"),
        (
            FILES[IMAGES_FILE][:9],
            "truncated inside the IDX header, which takes 16 bytes, 9 are there; get the file "
            "again",
        ),
        (
            FILES[IMAGES_FILE][:-1],
            "the IDX header promises 60 bytes [3, 4, 5], 59 follow; get the file again",
        ),
        (
            FILES[IMAGES_FILE] + b"x",
            "the IDX header promises 60 bytes [3, 4, 5], 61 follow; get the file again",
        ),
        (
            gzip.compress(FILES[IMAGES_FILE] + b"x"),
            "the IDX header promises 60 bytes [3, 4, 5], 61 follow; get the file again",
        ),
        (
            b"\0\0\x08\x03\x80\0\0\0\0\0\0\x1c\0\0\0\x1c",
            "the IDX header promises 1,683,627,180,032 bytes [2147483648, 28, 28], 0 follow; get "
            "the file again",
        ),
        (b"\n<!DOCTYPE html>", "a web page, not an IDX file; get the file again"),
        (
            gzip.compress(FILES[IMAGES_FILE])[:-9],
            "damaged, not valid gzip; get the file again",
        ),
        (
            b"\0\0\x0d\x03" + bytes(12),
            "IDX type 0x0d; only unsigned bytes (0x08) are read",
        ),
    ],
    ids=["empty", "header", "cut", "more", "more-packed", "boastful", "page", "gzip", "floats"],
)
def test_a_damaged_file_is_named(content: bytes, complaint: str, tmp_path: Path) -> None:
    put(tmp_path, FILES | {IMAGES_FILE: content})
    assert refused(tmp_path) == f"/{IMAGES_FILE}: {complaint}"


def test_what_promises_far_more_than_it_takes_is_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes([0, 0, 8, 3, 0, 0, 1, 44, 0, 0, 4, 0, 0, 0, 4, 0]) + bytes(1000))
    put(tmp_path, FILES | {IMAGES_FILE: bomb})
    assert refused(tmp_path) == (
        f"/{IMAGES_FILE}: {len(bomb)} bytes that promise 314,572,800 once they are unpacked, as no "
        "images do; get it again, or unpacked"
    )


@pytest.mark.parametrize("missing", FILES)
def test_a_file_that_is_missing_is_named(missing: str, tmp_path: Path) -> None:
    put(tmp_path, {name: content for name, content in FILES.items() if name != missing})
    assert refused(tmp_path) == f": {missing.replace('t10k', 'test')} is missing; add it".replace(
        "test-", "t10k-"
    )


def test_fewer_labels_than_images_are_refused(tmp_path: Path) -> None:
    put(tmp_path, FILES | {"train-labels-idx1-ubyte": idx(LABELS[:2])})
    assert refused(tmp_path) == (
        "/train-images-idx3-ubyte: 3 images, and /train-labels-idx1-ubyte: 2 labels; give one for "
        "each"
    )


def test_two_data_sets_in_one_folder_are_refused(tmp_path: Path) -> None:
    for prefix in ("emnist-digits", "emnist-letters"):
        put(tmp_path, {f"{prefix}-{name}": content for name, content in FILES.items()})
    assert refused(tmp_path) == (
        ": several data sets (emnist-digits, emnist-letters); give each a folder of its own"
    )
