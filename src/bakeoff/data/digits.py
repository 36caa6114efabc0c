"""The 8 x 8 digits that ship with scikit-learn: small enough to try everything in seconds."""

from __future__ import annotations

from functools import cache

import numpy as np

from bakeoff.data.dataset import Dataset

_TEST_IMAGES = 500


@cache
def load_digits() -> Dataset:
    """Return 1,297 training and 500 test images of 8 x 8 pixels.

    Source: E. Alpaydin, C. Kaynak, "Optical recognition of handwritten digits", UCI, 1998. The
    last 500 images in the order of that collection are the test set.
    """
    from sklearn.datasets import load_digits as load_from_scikit_learn

    bunch = load_from_scikit_learn()
    # Pixels count 0 to 16 inked dots; spread over the whole range of a byte.
    images = np.round(bunch.images * (255 / 16)).astype(np.uint8)[:, np.newaxis]
    labels = bunch.target.astype(np.int64)
    return Dataset(
        name="digits",
        title="Digits: 1,797 handwritten digits, 8 x 8",
        classes=tuple("0123456789"),
        train_images=images[:-_TEST_IMAGES],
        train_labels=labels[:-_TEST_IMAGES],
        test_images=images[-_TEST_IMAGES:],
        test_labels=labels[-_TEST_IMAGES:],
        licence="CC BY 4.0, E. Alpaydin and C. Kaynak",
    )
