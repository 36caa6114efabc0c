from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bakeoff.data.readers.idx import parse_idx, read_idx
from bakeoff.errors import DataError

TWO_BY_THREE = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255])


def test_hand_made_bytes_become_an_array() -> None:
    array = parse_idx(TWO_BY_THREE, "a")
    assert array.dtype == np.uint8
    assert array.tolist() == [[1, 2, 3], [4, 5, 255]]


def test_sizes_are_big_endian() -> None:
    assert parse_idx(bytes([0, 0, 8, 1, 0, 0, 1, 0]) + bytes(256), "a").shape == (256,)


def test_no_images_are_an_empty_array() -> None:
    assert parse_idx(bytes([0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 3]), "a").shape == (0, 3)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty (0 bytes), not an IDX file; get the file again"),
        (b"\0\0\x08", "not an IDX file (it does not start with two zero bytes)"),
        (b"\x1f\x8b\x08\x00", "not an IDX file (it does not start with two zero bytes)"),
        (b"\0\0\x0d\x01\0\0\0\0", "IDX type 0x0d; only unsigned bytes (0x08) are read"),
        (
            TWO_BY_THREE[:11],
            "truncated inside the IDX header, which takes 12 bytes, 11 are there; "
            "get the file again",
        ),
        (
            b"\0\0\x08\xff",
            "truncated inside the IDX header, which takes 1024 bytes, 4 are there; "
            "get the file again",
        ),
        (
            TWO_BY_THREE[:-1],
            "the IDX header promises 6 bytes [2, 3], 5 follow; get the file again",
        ),
        (
            TWO_BY_THREE + b"x",
            "the IDX header promises 6 bytes [2, 3], 7 follow; get the file again",
        ),
        (
            b"\0\0\x08\x02\xff\xff\xff\xff\xff\xff\xff\xff",
            "the IDX header promises 18,446,744,065,119,617,025 bytes "
            "[4294967295, 4294967295], 0 follow; get the file again",
        ),
    ],
    ids=["empty", "short", "gzip", "floats", "header-cut", "header-gone", "cut", "longer", "lying"],
)
def test_a_damaged_file_is_named_with_what_is_wrong(content: bytes, message: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_idx(content, "images")
    assert str(caught.value) == f"images: {message}"


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_file_with_the_known_content_is_read_and_no_other(
    pack: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    file = tmp_path / "images"
    known = len(TWO_BY_THREE), hashlib.sha256(TWO_BY_THREE).hexdigest()
    file.write_bytes(pack(TWO_BY_THREE))
    assert read_idx(file, *known).tolist() == [[1, 2, 3], [4, 5, 255]]
    file.write_bytes(pack(TWO_BY_THREE[:-1] + b"\0"))
    with pytest.raises(DataError) as caught:
        read_idx(file, *known)
    assert str(caught.value) == (
        f"{file}: damaged, its content does not have the known SHA-256; get the file again"
    )
    file.write_bytes(pack(TWO_BY_THREE + bytes(10_000)))
    with pytest.raises(DataError, match="get the file again"):
        read_idx(file, *known)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\0\0\x08\xff" + b"\0\0\0\1" * 255 + b"x", "255 dimensions; at most 4 are read"),
        (
            b"\0\0\x08\x04" + b"\xff" * 12 + bytes(4),
            "the IDX header promises [4294967295, 4294967295, 4294967295, 0]; get the file again",
        ),
    ],
)
def test_a_shape_that_no_array_has_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_idx(content, "images")
    assert str(caught.value) == f"images: {message}"


@given(st.binary(max_size=40))
def test_any_bytes_are_an_array_of_their_length_or_a_data_error(content: bytes) -> None:
    with suppress(DataError):
        array = parse_idx(b"\0\0\x08" + content, "a")
        assert array.size + 4 * array.ndim + 4 == len(content) + 3
