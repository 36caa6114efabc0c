from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bakeoff.errors import UnreadableError
from bakeoff.files.arrays import from_npz, to_npz


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.int64).reshape(2, 3),
        np.array([[1.5, -np.inf], [np.nan, 1e-45]], np.float32),
        np.array(3.25),
        np.zeros((0, 10), np.float32),
        np.ones((2, 3, 4), np.uint8).T,
        np.array([True, False]),
    ],
    ids=["integers", "floats", "scalar", "empty", "transposed", "truths"],
)
def test_an_array_is_read_as_it_was_written(array: NDArray[Any]) -> None:
    found = from_npz(to_npz({"a": array, "b": np.zeros(1)}), ["a"], "f")
    assert list(found) == ["a"]
    assert found["a"].dtype == array.dtype
    np.testing.assert_array_equal(found["a"], array)
    assert found["a"].flags.writeable


def pickled() -> bytes:
    stream = io.BytesIO()
    np.savez(stream, a=np.array([object()]))  # noqa: TID251  # a forger's
    return stream.getvalue()


def archive(name: str, content: bytes, method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as opened:
        opened.writestr(name, content)
    return stream.getvalue()


def npy(descr: str, shape: str, data: bytes) -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + data


SOUND = to_npz({"a": np.arange(3.0)})


def test_the_hand_made_npy_is_sound() -> None:
    found = from_npz(archive("a.npy", npy("'<f4'", "(2,)", bytes(8))), ["a"], "f")
    assert found["a"].tolist() == [0, 0]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        SOUND[:-1],
        SOUND + b"\0",
        SOUND[1:],
        pickled(),
        to_npz({"b": np.arange(3)}),
        archive("a.npy", npy("'<f4'", "(2,)", bytes(8)), zipfile.ZIP_DEFLATED),
        archive("a.npy", npy("'<f4'", "(3,)", bytes(8))),
        archive("a.npy", npy("'<f4'", "(2500000000,)", bytes(8))),
        archive("a.npy", npy("'<f4'", "(-2,)", bytes(8))),
        archive("a.npy", npy("'<f4'", "(2.0,)", bytes(8))),
        archive("a.npy", npy("'<f4'", "(" + "1, " * 70 + ")", bytes(4))),
        archive("a.npy", npy("'<f4'", "(0, 999999999999, 999999999999)", b"")),
        archive("a.npy", npy("'|O'", "(1,)", bytes(8))),
        archive("a.npy", npy("'<V8'", "(1,)", bytes(8))),
        archive("a.npy", npy("__import__('os')", "(1,)", bytes(8))),
        archive("a.npy", npy("'<f4'", "(2,)", bytes(8))[:9]),
        archive("a.npy", b""),
        archive("a.npy", b"\x93NUMPY\1\0\xff\xff" + b"(" * 65535),
    ],
)
def test_what_is_no_plain_npz_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableError) as caught:
        from_npz(content, ["a"], "f")
    assert str(caught.value) in ("f: not an npz of a", "f: truncated or altered")


@given(content=st.binary(max_size=200))
def test_any_bytes_are_one_line(content: bytes) -> None:
    with pytest.raises(UnreadableError):
        from_npz(content, ["a"], "f")
