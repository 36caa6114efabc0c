"""The 8 x 8 digits that ship with scikit-learn: small enough to try everything in seconds."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from bakeoff.data.dataset import Dataset, Source
from bakeoff.errors import DataError
from bakeoff.files.unzipping import DAMAGE

_SHA256 = "06a5a20c596012dc32c81385f559f3cfc3fbee90c2314334e43d60e925b7f087"


@cache
def load_digits() -> Dataset:
    """Return 1,297 training and 500 test images of 8 x 8 pixels.

    Source: E. Alpaydin, C. Kaynak, "Optical recognition of handwritten digits", UCI, 1998. The
    last 500 images in the order of that collection are the test set. Raises DataError where the
    file of scikit-learn is damaged.
    """
    try:
        rows = np.loadtxt(_file(), delimiter=",", dtype=np.int64)
    except (OSError, ValueError, *DAMAGE) as error:
        raise DataError("digits: missing or damaged; reinstall scikit-learn") from error
    # Pixels count 0 to 16 inked dots; spread over the whole range of a byte.
    images = np.round(rows[:, :64] * (255 / 16)).astype(np.uint8).reshape(-1, 1, 8, 8)
    labels = rows[:, 64]
    dataset = Dataset(
        name=DIGITS.name,
        classes=DIGITS.classes,
        train_images=images[: DIGITS.train_images],
        train_labels=labels[: DIGITS.train_images],
        test_images=images[DIGITS.train_images :],
        test_labels=labels[DIGITS.train_images :],
        light_on_dark=True,
    )
    if dataset.sha256 != _SHA256:
        raise DataError("digits: damaged, not the known images; reinstall scikit-learn")
    return dataset


def _file() -> Path:
    """Return where scikit-learn keeps the images; to import it would take a second."""
    found = find_spec("sklearn")
    if found is None or found.origin is None:
        raise FileNotFoundError("scikit-learn")
    return Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz"


DIGITS = Source(
    name="digits",
    title="Digits: 1,797 handwritten digits, 8 x 8",
    classes=tuple("0123456789"),
    image_shape=(1, 8, 8),
    train_images=1297,
    test_images=500,
    licence="CC BY 4.0, E. Alpaydin and C. Kaynak",
    load=load_digits,
)
