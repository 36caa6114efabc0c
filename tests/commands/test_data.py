from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bakeoff.commands.data import Surveyed, asked_protocol, survey_data
from bakeoff.errors import DataError, StudyError, UsageError
from bakeoff.study.protocol import Protocol

from ..data.drawn_stocks import pictures


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two classes, in which one test image is also in training; beside it we are."""
    monkeypatch.chdir(tmp_path)
    for number, picture in enumerate(pictures(30)):
        part, label = "test" if number >= 24 else "train", ("cat", "dog")[number % 2]
        folder = tmp_path / "photos" / part / label
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture.transpose(1, 2, 0)).save(folder / f"{number:02}.png")
    leak = tmp_path / "photos" / "test" / "cat" / "24.png"
    leak.write_bytes((tmp_path / "photos" / "train" / "cat" / "00.png").read_bytes())
    return tmp_path / "photos"


def surveyed(sheet: Path | None = None) -> Surveyed:
    return survey_data(Protocol(dataset="./photos"), sheet)


def test_a_folder_is_looked_at_and_a_sheet_drawn(photos: Path) -> None:
    before = {file: file.stat().st_mtime_ns for file in photos.rglob("*")}
    found = surveyed()
    lines = [each.line for each in found.survey.findings]
    assert lines[0] == "1 test image is also in train: test/cat/24.png = train/cat/00.png"
    assert found.sheet == Path("photos-contact-sheet.png")
    with Image.open("photos-contact-sheet.png") as sheet:
        assert sheet.format == "PNG"
    assert {file: file.stat().st_mtime_ns for file in photos.rglob("*")} == before
    assert found.to_dict()["contact_sheet"] == "photos-contact-sheet.png"


def test_a_shipped_data_set_is_looked_at(tmp_path: Path) -> None:
    found = survey_data(Protocol(dataset="digits"), tmp_path / "new" / "sheet.PNG")
    assert found.survey.findings == ()
    assert (tmp_path / "new" / "sheet.PNG").exists()


def test_a_sheet_takes_the_place_of_an_earlier_one(photos: Path) -> None:
    first, again = surveyed(), surveyed()
    assert first.sheet == again.sheet
    assert again.sheet_note == ""


def test_no_other_file_is_overwritten(photos: Path) -> None:
    own = Path("photos-contact-sheet.png")
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(own)
    content = own.read_bytes()
    found = surveyed()
    assert found.sheet is None
    assert found.sheet_note == (
        "no contact sheet: photos-contact-sheet.png is another file, which stays as it is; "
        "--sheet FILE.png"
    )
    assert found.to_dict()["contact_sheet"] is None
    assert own.read_bytes() == content
    with pytest.raises(UsageError, match="is another file, which stays as it is; give another"):
        surveyed(own)


def test_a_link_is_not_followed_and_a_folder_is_no_sheet(photos: Path) -> None:
    surveyed(Path("earlier.png"))
    Path("link.png").symlink_to("earlier.png")
    Path("folder.png").mkdir()
    os.mkfifo("pipe.png")
    for name in ("link.png", "folder.png", "pipe.png"):
        with pytest.raises(UsageError, match=f"^--sheet {name}: is another file"):
            surveyed(Path(name))


@pytest.mark.parametrize("name", ["photos/sheet.png", "photos/train/cat/../new.png"])
def test_nothing_is_written_among_the_data(photos: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"^--sheet .*: would lie among the data; give another"):
        surveyed(Path(name))


def test_inside_the_data_there_is_no_sheet_but_all_else(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos)
    found = survey_data(Protocol(dataset="."))
    assert found.sheet_note.startswith("no contact sheet: photos-contact-sheet.png would lie among")
    assert found.survey.findings
    assert {each.name for each in photos.iterdir()} == {"train", "test"}


def test_a_sheet_is_a_png_by_its_name(photos: Path) -> None:
    with pytest.raises(UsageError, match=r"^--sheet photos\.toml: is no PNG file by its name"):
        surveyed(Path("photos.toml"))


def test_options_are_the_keys_of_a_protocol() -> None:
    asked = asked_protocol("./photos", image_size="48X64", fit="pad", colour=None, group="folder")
    assert (asked.image_size, asked.fit, asked.colour) == ((48, 64), "pad", None)
    assert asked.group == "folder"
    assert asked.test == 0.2
    assert asked_protocol("digits", image_size=None).dataset == "digits"


def test_a_folder_needs_no_slash(photos: Path) -> None:
    assert asked_protocol("photos").dataset == "./photos"
    assert asked_protocol("nowhere").dataset == "nowhere"
    assert asked_protocol("").dataset == ""


def test_images_of_several_sizes_are_looked_at_all_the_same(photos: Path) -> None:
    Image.new("RGB", (90, 70)).save(photos / "train" / "cat" / "large.png")
    found = surveyed().survey
    assert found.to_dict()["image_shape"] == [3, 64, 64]
    assert any("brought to 64 x 64" in line for line in found.notes)


@pytest.mark.parametrize("source", ["", "nowhere"])
def test_an_unknown_name_is_refused(source: str) -> None:
    with pytest.raises(StudyError, match=f"^unknown data set '{source}'; "):
        survey_data(Protocol(dataset=source))


@pytest.mark.parametrize("size", ["", "x", "0x", "64x64x3", "-1", "1e3", "٣", "999999"])
def test_odd_sizes_are_refused(size: str) -> None:
    with pytest.raises(UsageError) as refused:
        asked_protocol("./photos", image_size=size)
    expected = f"--image-size {size}: give pixels, as 64, or height and width, as 48x64"
    assert str(refused.value) == expected


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("fit", "squash", "--fit squash: must be 'crop', 'pad' or 'stretch'"),
        ("colour", "red", "--colour red: must be 'grey' or 'rgb'"),
        (
            "image_size",
            "0",
            "--image-size 0: must be pixels from 1 to 4096: a side, or [height, width]",
        ),
    ],
)
def test_odd_values_are_refused_with_their_option(option: str, value: str, complaint: str) -> None:
    with pytest.raises(UsageError) as refused:
        asked_protocol("./photos", **{option: value})
    assert str(refused.value) == complaint


def test_what_cannot_be_read_is_named_and_no_sheet_is_left(photos: Path) -> None:
    (photos / "train" / "cat" / "empty.png").touch()
    with pytest.raises(DataError, match=r"train/cat/empty\.png"):
        surveyed()
    assert not Path("photos-contact-sheet.png").exists()
