"""MNIST as it ships in the package: one zip of the four canonical IDX files."""

from __future__ import annotations

import hashlib
import io
import zipfile
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bakeoff.data.dataset import Dataset, Source
from bakeoff.data.readers.idx import parse_idx
from bakeoff.errors import DataError, UnreadableError
from bakeoff.files.reading import read_file
from bakeoff.files.unzipping import DAMAGE, refuse_odd_zip, unzip

BUNDLED = Path(__file__).parents[1] / "bundled" / "mnist.zip"
BUNDLED_SHA256 = "3807dbef460bc4c9570fa0e943b3e6ee6cdcbd8c1ffa2fa421c161f4a4a3cdf9"

# File -> (bytes, SHA-256) of the uncompressed IDX files, the same for every copy of MNIST.
CONTENT = {
    "train-images-idx3-ubyte": (
        47_040_016,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    "train-labels-idx1-ubyte": (
        60_008,
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    "t10k-images-idx3-ubyte": (
        7_840_016,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    "t10k-labels-idx1-ubyte": (
        10_008,
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
}

_LARGEST_ARCHIVE = 60_000_000  # Bytes: a little more than the files take uncompressed.

# Found wrong by human raters: Northcutt, Athalye & Mueller (2021), "Pervasive label errors in
# test sets destabilize machine learning benchmarks".
KNOWN_WRONG_TEST_LABELS = (
    947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729,
)  # fmt: skip


def _member(archive: zipfile.ZipFile, file: str, where: Path) -> NDArray[np.uint8]:
    size, sha256 = CONTENT[file]
    # The size is compared before anything is unpacked, so a forged archive cannot fill the memory.
    member = archive.getinfo(file)
    if member.file_size != size:
        raise DataError(f"{where}: {file} is not {size:,} bytes; reinstall bakeoff")
    content = unzip(archive, member)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise DataError(f"{where}: {file} does not have the SHA-256 of MNIST; reinstall bakeoff")
    return parse_idx(content, f"{where}: {file}")


def read_mnist(path: Path, sha256: str | None = None) -> Dataset:
    """Return MNIST from a zip of its IDX files, checked against the SHA-256 of its content.

    Where the `sha256` of the archive itself is given, it may differ in no byte, not even in one
    that says nothing. Raises DataError, naming the file, where the archive is missing, truncated
    or altered.
    """
    try:
        content = read_file(path, _LARGEST_ARCHIVE)
        if sha256 not in (None, hashlib.sha256(content).hexdigest()):
            raise DataError(f"{path}: truncated or altered; reinstall bakeoff")
        refuse_odd_zip(content, str(path))
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            arrays = [_member(archive, file, path) for file in CONTENT]
    except UnreadableError as error:
        raise DataError(f"{error}; reinstall bakeoff") from error
    except DAMAGE as error:
        raise DataError(f"{path}: truncated or altered; reinstall bakeoff") from error
    train_images, train_labels, test_images, test_labels = arrays
    return Dataset(
        name=MNIST.name,
        classes=MNIST.classes,
        train_images=train_images[:, np.newaxis],
        train_labels=train_labels.astype(np.int64),
        test_images=test_images[:, np.newaxis],
        test_labels=test_labels.astype(np.int64),
        known_wrong_test_labels=KNOWN_WRONG_TEST_LABELS,
        light_on_dark=True,
    )


@cache
def load_mnist() -> Dataset:
    """Return the MNIST that ships in the package. It is read and checked once per process."""
    return read_mnist(BUNDLED, BUNDLED_SHA256)


MNIST = Source(
    name="mnist",
    title="MNIST: 70,000 handwritten digits, 28 x 28",
    classes=tuple("0123456789"),
    image_shape=(1, 28, 28),
    train_images=60_000,
    test_images=10_000,
    licence="CC BY-SA 3.0, Yann LeCun and Corinna Cortes",
    load=load_mnist,
)
