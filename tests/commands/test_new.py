"""A study to begin with, for images of the user's."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bakeoff.cli.main import run
from bakeoff.commands.new import new_study
from bakeoff.errors import DataError, StudyError, UsageError
from bakeoff.files.arrays import to_npz
from bakeoff.study.toml import read_study


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BAKEOFF_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def photos(folder: Path, sizes: list[tuple[int, int]], *parts: str) -> None:
    """Draw two classes with an image of each (width, height)."""
    for part in parts or ("",):
        for name in ("cat", "dog"):
            (folder / part / name).mkdir(parents=True)
            for number, size in enumerate(sizes):
                stream = io.BytesIO()
                Image.new("RGB", size, (number, len(part), len(name))).save(stream, "PNG")
                (folder / part / name / f"{number}.png").write_bytes(stream.getvalue())


def test_sizes_and_classes_are_found_and_the_study_is_one(here: Path) -> None:
    photos(here / "photos", [(40, 60), (70, 50), (90, 90)])
    written = new_study("photos/")
    assert written.to_text().splitlines() == [
        "photos.toml: 6 images of 2 classes, three entrants",
        "to look at the images: bakeoff data photos/",
        "to try the study: bakeoff check photos.toml",
        "to run it: bakeoff run photos.toml",
    ]
    text = (here / "photos.toml").read_text()
    assert "# Found: 3 sizes, 40 x 60 to 90 x 90 pixels." in text
    study = read_study(here / "photos.toml")
    assert (study.name, study.seeds) == ("photos", 3)
    assert (study.protocol.dataset, study.protocol.image_size, study.protocol.fit) == (
        "photos/", 48, "crop",
    )  # fmt: skip
    assert (study.protocol.test, study.protocol.validation) == (0.2, 0.1)
    assert [each.architecture for each in study.entrants] == [
        "small-cnn", "small-resnet", "small-vit",
    ]  # fmt: skip
    assert "set aside once" in text


def test_parts_and_sizes_that_are_there_are_left_alone(here: Path) -> None:
    photos(here / "photos", [(32, 32), (32, 32)], "train", "test")
    new_study("photos")
    text = (here / "photos.toml").read_text()
    assert "image_size" not in text
    assert "set aside" not in text
    assert read_study(here / "photos.toml").protocol.dataset == "./photos"


def test_large_images_of_one_size_are_made_smaller(here: Path) -> None:
    photos(here / "photos", [(300, 200)])
    new_study("photos")
    assert "# Found: 300 x 200 pixels." in (here / "photos.toml").read_text()
    assert read_study(here / "photos.toml").protocol.image_size == 64


def test_a_shipped_name_does(here: Path) -> None:
    new_study("digits", here / "mine.toml")
    assert read_study(here / "mine.toml").protocol.dataset == "digits"


def test_arrays_do(here: Path) -> None:
    images, labels = np.arange(24 * 16, dtype=np.uint16).reshape(24, 4, 4) % 256, np.arange(24) % 2
    (here / "a b.npz").write_bytes(to_npz({"x": images.astype(np.uint8), "y": labels}))
    written = new_study("a b.npz")
    assert written.to_text().splitlines()[2] == "to try the study: bakeoff check a-b.toml"
    assert read_study(written.file).protocol.dataset == "a b.npz"


def test_a_name_that_means_something_in_toml_is_only_a_name(here: Path) -> None:
    name = 'q"\\ é\u202e'
    photos(here / name, [(32, 32)])
    new_study(name, Path("s.toml"))
    assert read_study(here / "s.toml").protocol.dataset == f"./{name}"


def test_a_study_elsewhere_finds_its_images(here: Path) -> None:
    photos(here / "photos", [(32, 32)])
    (here / "studies").mkdir()
    new_study("photos", here / "studies" / "s.toml")
    assert read_study(here / "studies" / "s.toml").protocol.dataset == str(here / "photos")


@pytest.mark.parametrize("link", [False, True])
def test_no_file_is_ever_replaced(link: bool, here: Path) -> None:
    photos(here / "photos", [(32, 32)])
    file = here / "photos.toml"
    file.symlink_to("nowhere") if link else file.touch()
    with pytest.raises(UsageError) as caught:
        new_study("photos")
    assert str(caught.value) == "photos.toml: there already; remove it, or give another --out"
    assert not (here / "nowhere").exists()


def test_what_cannot_be_read_leaves_no_study(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "photos").mkdir()
    with pytest.raises(DataError, match="an empty folder"):
        new_study("photos")
    with pytest.raises(StudyError, match="unknown data set 'nowhere'"):
        new_study("nowhere")
    assert list(here.glob("*.toml")) == []
    assert run(["new", "nowhere"]) == 1
    assert capsys.readouterr().err.startswith("bakeoff: unknown data set 'nowhere'; ")


def test_a_folder_that_is_not_there_is_one_line(here: Path) -> None:
    with pytest.raises(UsageError) as caught:
        new_study("digits", here / "nowhere" / "s.toml")
    assert str(caught.value).startswith(f"{here}/nowhere/s.toml: ")
