from __future__ import annotations

import hashlib
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bakeoff.data.dataset import Dataset
from bakeoff.data.readers.mnist import BUNDLED, CONTENT, load_mnist, read_mnist
from bakeoff.errors import DataError

LABELS = "t10k-labels-idx1-ubyte"
IMAGES = "train-images-idx3-ubyte"


def test_shapes_and_types_are_those_of_mnist(mnist: Dataset) -> None:
    assert mnist.train_images.shape == (60_000, 1, 28, 28)
    assert mnist.test_images.shape == (10_000, 1, 28, 28)
    assert mnist.train_labels.shape == (60_000,)
    assert mnist.test_labels.shape == (10_000,)
    assert mnist.image_shape == (1, 28, 28)
    assert mnist.train_images.dtype == np.uint8
    assert mnist.train_labels.dtype == np.int64


def test_the_first_labels_are_the_known_ones(mnist: Dataset) -> None:
    assert mnist.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert mnist.test_labels[:5].tolist() == [7, 2, 1, 0, 4]


def test_each_class_is_as_frequent_as_published(mnist: Dataset) -> None:
    train, test = np.bincount(mnist.train_labels), np.bincount(mnist.test_labels)
    assert train.tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert test.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_the_mean_pixel_is_the_known_one(mnist: Dataset) -> None:
    assert mnist.train_images.mean() / 255 == pytest.approx(0.1307, abs=5e-5)


def test_the_labels_that_raters_found_wrong_are_known(mnist: Dataset) -> None:
    assert mnist.known_wrong_test_labels == (
        947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729,
    )  # fmt: skip
    labels = mnist.test_labels[list(mnist.known_wrong_test_labels)]
    assert labels[[0, 3]].tolist() == [8, 4]


def test_it_is_read_once_per_process(mnist: Dataset) -> None:
    assert load_mnist() is mnist


def test_the_licence_and_attribution_stand_beside_the_file() -> None:
    text = BUNDLED.with_name("LICENSE.md").read_text(encoding="utf-8")
    for word in ("LeCun", "Cortes", "CC", "3.0"):
        assert word in text


# Altered copies


def end_record(content: bytes) -> int:
    return content.rindex(b"PK\x05\x06")


def central(content: bytes, member: str) -> int:
    """Return where the entry of `member` in the central directory begins."""
    return content.rindex(member.encode()) - 46


def flip_data(content: bytes) -> bytes:
    at = central_start(content) - 1000
    return content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]


def central_start(content: bytes) -> int:
    (start,) = struct.unpack_from("<I", content, end_record(content) + 16)
    return int(start)


def flip_first_byte(content: bytes) -> bytes:
    return b"\xff" + content[1:]


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def other_compression(content: bytes) -> bytes:
    at = central(content, IMAGES) + 10
    return content[:at] + struct.pack("<H", 99) + content[at + 2 :]


def encrypted(content: bytes) -> bytes:
    at = central(content, IMAGES) + 8
    local = content.index(b"PK\x03\x04") + 6
    content = content[:at] + struct.pack("<H", 1) + content[at + 2 :]
    return content[:local] + struct.pack("<H", 1) + content[local + 2 :]


@pytest.mark.parametrize(
    "alter",
    [flip_data, flip_first_byte, half, other_compression, encrypted, lambda _: b"", lambda _: b"P"],
    ids=["flipped", "first-byte", "truncated", "compression", "encrypted", "empty", "one-byte"],
)
def test_an_altered_copy_is_refused_with_its_name(
    alter: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    file = tmp_path / "mnist.zip"
    file.write_bytes(alter(BUNDLED.read_bytes()))
    with pytest.raises(DataError) as caught:
        read_mnist(file)
    assert str(caught.value) == f"{file}: truncated or altered; reinstall bakeoff"


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "mnist.zip"
    with pytest.raises(DataError) as caught:
        read_mnist(file)
    assert str(caught.value) == f"{file}: No such file or directory; reinstall bakeoff"


@pytest.fixture(scope="module")
def members() -> dict[str, bytes]:
    with zipfile.ZipFile(BUNDLED) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archived(file: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def test_the_archive_holds_the_canonical_files(members: dict[str, bytes]) -> None:
    assert members.keys() == CONTENT.keys()
    for name, (size, sha256) in CONTENT.items():
        assert len(members[name]) == size
        assert hashlib.sha256(members[name]).hexdigest() == sha256


def test_another_archive_of_the_same_content_is_taken(
    members: dict[str, bytes], tmp_path: Path, mnist: Dataset
) -> None:
    assert read_mnist(archived(tmp_path / "a.zip", members)).sha256 == mnist.sha256


def test_a_missing_member_is_refused(members: dict[str, bytes], tmp_path: Path) -> None:
    rest = {name: content for name, content in members.items() if name != LABELS}
    file = archived(tmp_path / "a.zip", rest)
    with pytest.raises(DataError) as caught:
        read_mnist(file)
    assert str(caught.value) == f"{file}: truncated or altered; reinstall bakeoff"


def test_a_member_of_another_size_is_refused_before_it_is_unpacked(
    members: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = archived(tmp_path / "a.zip", members | {IMAGES: b"\0" * 47_040_015})
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *_: pytest.fail("unpacked"))
    with pytest.raises(DataError) as caught:
        read_mnist(file)
    assert str(caught.value) == f"{file}: {IMAGES} is not 47,040,016 bytes; reinstall bakeoff"


def test_a_member_with_one_other_byte_and_a_right_checksum_is_refused(
    members: dict[str, bytes], tmp_path: Path
) -> None:
    forged = members[LABELS][:-1] + bytes([members[LABELS][-1] ^ 1])
    file = archived(tmp_path / "a.zip", members | {LABELS: forged})
    with pytest.raises(DataError) as caught:
        read_mnist(file)
    expected = f"{file}: {LABELS} does not have the SHA-256 of MNIST; reinstall bakeoff"
    assert str(caught.value) == expected


def test_the_messages_fit_on_one_line_of_json(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        read_mnist(tmp_path)
    assert "\\n" not in json.dumps(str(caught.value))
    assert str(caught.value) == f"{tmp_path}: Is a directory; reinstall bakeoff"
