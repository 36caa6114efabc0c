from __future__ import annotations

import struct

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bakeoff.errors import UnreadableError
from bakeoff.files.tensors import from_safetensors, to_safetensors


def test_tensors_are_read_as_they_were_written() -> None:
    tensors = {"w": torch.arange(6.0).reshape(2, 3), "b": torch.tensor(3), "e": torch.zeros(0, 4)}
    tensors["h"] = torch.ones(2, dtype=torch.bfloat16)
    found = from_safetensors(to_safetensors(tensors), "f")
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


def tensor(dtype: str = '"F32"', shape: str = "[2]", offsets: str = "[0, 8]") -> bytes:
    return f'{{"a":{{"dtype":{dtype},"shape":{shape},"data_offsets":{offsets}}}}}'.encode()


def weights(header: bytes, data: bytes = bytes(8)) -> bytes:
    return struct.pack("<Q", len(header)) + header + data


def test_the_hand_made_weights_are_sound() -> None:
    assert from_safetensors(weights(tensor()), "f")["a"].tolist() == [0, 0]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04K\x01.",
        weights(b""),
        weights(b"[]"),
        weights(b'{"a": 1}'),
        weights(tensor())[:-1],
        weights(tensor()) + b"\0",
        weights(tensor(offsets="[0, 4]")),
        weights(tensor(offsets="[8, 0]")),
        weights(tensor(offsets="[-8, 0]")),
        weights(tensor(offsets="[1, 9]"), bytes(9)),
        weights(tensor(offsets="[0, 18446744073709551615]")),
        weights(tensor(shape="[-2]")),
        weights(tensor(shape="[1e400]")),
        weights(tensor(shape="[4294967296, 4294967296]")),
        weights(tensor(shape="[0, 9223372036854775807, 9]", offsets="[0, 0]"), b""),
        weights(tensor(dtype='"F128"')),
        weights(tensor(dtype="NaN")),
        weights(b"\xff" * 8),
        weights(b'{"__metadata__": 3}', b""),
        weights(b"[" * 100_000),
        weights(tensor()[:-1] + b"," + tensor()[1:]),
        struct.pack("<Q", 2**60) + tensor(),
        struct.pack("<Q", 2**64 - 1) + tensor(),
        weights(b" " * 1_000_001),
    ],
)
def test_what_is_no_safetensors_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableError) as caught:
        from_safetensors(content, "f")
    assert str(caught.value).startswith("f: ")
    assert str(caught.value).isprintable()


@given(content=st.binary(max_size=200))
def test_any_bytes_are_one_line(content: bytes) -> None:
    with pytest.raises(UnreadableError):
        from_safetensors(content, "f")


def test_tensors_that_share_memory_each_stand_there_whole() -> None:
    shared = torch.arange(6.0)
    found = from_safetensors(
        to_safetensors({"a": shared, "b": shared, "c": shared[2:], "d": torch.ones(2)}), "f"
    )
    assert {name: value.tolist() for name, value in found.items()} == {
        "a": [0, 1, 2, 3, 4, 5],
        "b": [0, 1, 2, 3, 4, 5],
        "c": [2, 3, 4, 5],
        "d": [1, 1],
    }
