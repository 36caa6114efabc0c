"""A sheet of what networks will see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bakeoff.commands.augmented import write_augmented_sheet
from bakeoff.commands.data import asked_protocol
from bakeoff.errors import UsageError
from bakeoff.study.augmentation import Augmentation
from bakeoff.study.protocol import Protocol
from bakeoff.study.study import Study

from ..factories import entrant


def asked(**keys: float) -> Study:
    augmentation = Augmentation.model_validate(keys) if keys else None
    protocol = Protocol(dataset="digits", augmentation=augmentation)
    return Study(name="changed", protocol=protocol, entrants=(entrant("a"),))


DIGITS = asked_protocol("digits", image_size=None)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_each_image_stands_beside_what_it_becomes() -> None:
    written = write_augmented_sheet(DIGITS, asked(cutout=3))
    assert written == Path("digits-augmented.png")
    sheet = np.asarray(Image.open(written))
    plain = write_augmented_sheet(DIGITS, asked(brightness=1e-6), Path("plain.png"))
    unchanged = np.asarray(Image.open(plain))
    assert sheet.shape == unchanged.shape
    # The images themselves, in the first column, are the same; those beside them are not.
    differs = np.flatnonzero((sheet[90:] != unchanged[90:]).any(axis=(0, 2)))
    assert differs.min() > 290
    assert len(differs) > 300


def test_the_sheet_of_a_study_takes_the_place_of_an_earlier_one_alone(tmp_path: Path) -> None:
    write_augmented_sheet(DIGITS, asked(rotate=5))
    write_augmented_sheet(DIGITS, asked(rotate=9))
    (tmp_path / "mine.png").write_bytes(b"mine")
    with pytest.raises(UsageError) as caught:
        write_augmented_sheet(DIGITS, asked(rotate=9), Path("mine.png"))
    assert str(caught.value) == (
        "--sheet mine.png: is another file, which stays as it is; give another name"
    )


def test_a_study_that_changes_nothing_has_no_sheet() -> None:
    with pytest.raises(UsageError) as caught:
        write_augmented_sheet(DIGITS, asked())
    assert str(caught.value) == (
        "study changed changes no images; give it a table [protocol.augmentation]"
    )


def test_what_cannot_be_done_to_these_images_is_one_line() -> None:
    with pytest.raises(UsageError) as caught:
        write_augmented_sheet(DIGITS, asked(cutout=20))
    assert str(caught.value) == (
        "study changed: protocol.augmentation.cutout: 20 pixels, and images are 8 x 8; give at "
        "most 8"
    )
