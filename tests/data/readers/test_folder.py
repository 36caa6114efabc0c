from __future__ import annotations

import os
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bakeoff.data.readers.folder import read_folder
from bakeoff.data.readers.stock import Stock
from bakeoff.errors import BakeoffError, StudyError
from bakeoff.study.protocol import Protocol
from tests.data.readers.pictures import picture, put

WANTED = (
    "put the images of each class into a folder of its name: cat/ and dog/, or train/cat/, "
    "train/dog/, test/cat/ and test/dog/"
)


def read(root: Path, group: str | None = None) -> Stock:
    return read_folder(root, Protocol(dataset=str(root), group=group))


def found(root: Path) -> list[tuple[str, str, str]]:
    stock = read(root)
    return list(zip(stock.parts, stock.labels, stock.names, strict=True))


def refused(root: Path) -> str:
    """Return what is said of the folder, without its place."""
    with pytest.raises(BakeoffError) as caught:
        read(root)
    assert str(caught.value).startswith(str(root))
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(str(root), "photos")


def test_folders_of_classes_have_no_parts(tmp_path: Path) -> None:
    put(tmp_path, "dog/2.png", "cat/1.png", "dog/1.png")
    assert found(tmp_path) == [
        ("", "cat", "cat/1.png"),
        ("", "dog", "dog/1.png"),
        ("", "dog", "dog/2.png"),
    ]
    stock = read(tmp_path)
    assert stock.where == str(tmp_path)
    assert stock.image_shape == (1, 3, 4)
    assert stock.groups is None
    assert stock.notes == ()
    assert np.concatenate(list(stock.blocks([2, 0]))).shape == (2, 1, 3, 4)


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("train", "validation", "test"),
        ("Train", "VAL", "Test"),
        ("training", "valid", "testing"),
        ("training_set", "dev_set", "test set"),
        ("train-images", "val_data", "test_images"),
    ],
)
def test_parts_in_usual_spellings(train: str, validation: str, test: str, tmp_path: Path) -> None:
    put(tmp_path, *[f"{part}/{name}/1.png" for part in (train, validation, test) for name in "ab"])
    assert found(tmp_path) == [
        (part, name, f"{folder}/{name}/1.png")
        for part, folder in (("train", train), ("validation", validation), ("test", test))
        for name in "ab"
    ]


def test_a_train_folder_alone_is_no_part(tmp_path: Path) -> None:
    put(tmp_path, "train/cat/1.png", "train/dog/1.png")
    assert [part for part, _, _ in found(tmp_path)] == ["", ""]


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    put(tmp_path, "train/1.png", "plane/1.png")
    assert Counter(label for _, label, _ in found(tmp_path)) == {"train": 1, "plane": 1}


@pytest.mark.parametrize(
    ("names", "line"),
    [
        (["1.png", "2.jpg"], f"photos: 2 images in no class; {WANTED}"),
        (["notes.txt"], f"photos: no images; {WANTED}"),
        (["cat/notes.txt", "dog/notes.txt"], f"photos: no images; {WANTED}"),
        (["train/1.png", "test/1.png"], f"photos: train: 1 image in no class; {WANTED}"),
        (
            ["train/cat/1.png", "train/dog/1.png", "test/7.png"],
            f"photos: test: 1 image in no class; {WANTED}",
        ),
        (
            ["val/cat/1.png", "train/cat/1.png", "valid/cat/1.png"],
            "photos: val/ and valid/ both mean validation; leave one of them",
        ),
        (
            ["test/cat/1.png", "others/cat/1.png"],
            "photos: test/ but no train/; give it one, or take out what stands beside test/",
        ),
        (
            ["train/cat/1.png", "others/cat/1.png"],
            "photos: train/ but no test/; give it one, or take out what stands beside train/",
        ),
        (
            ["archive/cat/1.png", "archive/dog/1.png"],
            "photos: one class (archive) only, at least two are needed; if its folders are the "
            "classes, name photos/archive",
        ),
        (
            ["cat/1.png", "dog/1.HEIC"],
            "photos: dog/1.HEIC: .heic is not read; convert it to PNG or JPEG, or take it out",
        ),
        (
            ["a/" * 70 + "1.png", "b/1.png"],
            f"photos: {'/'.join('a' * 65)}: more than 64 folders deep",
        ),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_what_is_no_folder_of_classes_is_said(names: list[str], line: str, tmp_path: Path) -> None:
    for name in names:
        put(tmp_path, name, content=b"words" if name.endswith(".txt") else None)
    assert refused(tmp_path) == line


def test_an_empty_folder_and_none_at_all(tmp_path: Path) -> None:
    assert refused(tmp_path) == f"photos: no images; {WANTED}"
    assert refused(tmp_path / "gone") == (
        "photos: No such file or directory; make it a folder that can be listed"
    )
    put(tmp_path, "train/cat/1.png", "train/dog/1.png")
    (tmp_path / "test").mkdir()
    assert refused(tmp_path) == f"photos: test: no images; {WANTED}"


def test_an_image_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    put(tmp_path, "train/cat/1.png", "train/dog/1.png", "test/cat/1.png")
    put(tmp_path, "train/dog/empty.png", content=b"")
    assert refused(tmp_path) == (
        "photos: train/dog/empty.png: empty (0 bytes); get the file again, or take it out"
    )


def test_names_that_steer_stay_one_line(tmp_path: Path) -> None:
    put(tmp_path, "cat/1.png", "dog/1.png")
    put(tmp_path, "dog/a\nb\x1b[2J\u202e.png", content=b"")
    assert refused(tmp_path).startswith(r"photos: dog/a\nb\x1b[2J\u202e.png: empty")


def test_odd_names_are_names(tmp_path: Path) -> None:
    odd = [
        "100%25 'one' \"1\".png", "14.jpeg?itok=x.png", "new\nline.png", "scan.JPG.png",
        "x" * 246 + ".png", "😀.png", os.fsdecode(b"caf\xe9.png"),
    ]  # fmt: skip
    put(tmp_path, *[f"cat/{name}" for name in odd], "dog/1.png")
    assert {name for _, _, name in found(tmp_path)} == {f"cat/{name}" for name in odd} | {
        "dog/1.png"
    }


def test_the_class_is_the_first_folder_and_sessions_are_groups(tmp_path: Path) -> None:
    put(tmp_path, "cat/monday/1.png", "cat/monday/night/1.png", "cat/2.png", "dog/monday/1.png")
    stock = read(tmp_path, group="folder")
    assert stock.labels == ["cat", "cat", "cat", "dog"]
    assert stock.names == [
        "cat/2.png",
        "cat/monday/1.png",
        "cat/monday/night/1.png",
        "dog/monday/1.png",
    ]
    assert stock.groups == ["cat", "cat/monday", "cat/monday/night", "dog/monday"]


def test_another_group_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        read(tmp_path, group="writer")
    assert str(caught.value) == (
        'protocol.group = "writer": images of a folder are grouped by "folder", the one in which '
        "each lies, or not at all"
    )


def test_two_spellings_of_one_name_are_one_class(tmp_path: Path) -> None:
    spelt = [unicodedata.normalize(form, "école") for form in ("NFC", "NFD")]
    put(tmp_path, f"train/{spelt[0]}/1.png", "train/one/1.png", f"test/{spelt[1]}/1.png")
    put(tmp_path, f"train/{spelt[1]}/2.png")
    assert found(tmp_path) == [
        ("train", "one", "train/one/1.png"),
        ("train", spelt[0], f"train/{spelt[0]}/2.png"),
        ("train", spelt[0], f"train/{spelt[0]}/1.png"),
        ("test", spelt[0], f"test/{spelt[0]}/1.png"),
    ]


def test_what_systems_leave_is_passed_over_and_said(tmp_path: Path) -> None:
    put(tmp_path, "train/cat/1.png", "train/dog/1.png", "test/cat/1.png", "extra/cat/1.png")
    put(tmp_path, "train/.DS_Store", "train/cat/._1.png", "train/cat/Thumbs.db", content=b"BM")
    put(tmp_path, "train/.ipynb_checkpoints/1.png", "train/loose.png", "loose.png")
    put(tmp_path, "train/empty/README.md", "train/dog/notes.txt", content=b"words")
    assert len(found(tmp_path)) == 3
    assert read(tmp_path).notes == (
        "passed over: extra (beside the parts); loose.png (in no part); 4 hidden or left by the "
        "system, as train/.DS_Store; train/loose.png (in no class); 2 no image, as "
        "train/dog/notes.txt; train/empty (without an image)",
    )


@pytest.mark.parametrize(
    "name", ["1.JPG", "1.jpeg", "1.jfif", "1.png", "1.Png", "1", "1.bak", "a.b.c"]
)
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "WEBP"])
def test_an_image_is_one_by_what_it_holds(name: str, kind: str, tmp_path: Path) -> None:
    put(tmp_path, f"cat/{name}", "dog/1.png", content=picture(kind))
    assert [label for _, label, _ in found(tmp_path)] == ["cat", "dog"]
    assert read(tmp_path).kinds[0].startswith(kind)


def test_links_are_followed_and_each_image_is_there_once(tmp_path: Path) -> None:
    put(tmp_path, "elsewhere/1.png", "elsewhere/2.png", "photos/dog/1.png", "one.png")
    root = tmp_path / "photos"
    (root / "cat").symlink_to("../elsewhere")  # A class,
    (root / "dog" / "2.png").symlink_to(tmp_path / "one.png")  # an image,
    (root / "dog" / "3.png").symlink_to("1.png")  # one that is there,
    (root / "dog" / "4.png").symlink_to("4.png")  # itself,
    (root / "dog" / "gone.png").symlink_to("nowhere.png")
    (root / "dog" / "loop").symlink_to("..")
    (root / "dog" / "own").symlink_to(".")
    (root / "dog" / "up").symlink_to("/")
    os.mkfifo(root / "dog" / "pipe.png")
    assert [name for _, _, name in found(root)] == [
        "cat/1.png",
        "cat/2.png",
        "dog/1.png",
        "dog/2.png",
    ]
    assert read(root).notes == (
        "passed over: 2 a link that leads nowhere, as dog/4.png; dog/pipe.png (neither file nor "
        "folder); dog/3.png (linked twice); 3 a link in a circle, as dog/loop",
    )


def test_one_file_that_two_parts_link_to_is_in_both(tmp_path: Path) -> None:
    put(tmp_path, "pool/1.png", "photos/train/cat/2.png", "photos/train/dog/1.png")
    for part in ("train", "test"):
        (tmp_path / "photos" / part / "cat").mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / part / "cat" / "1.png").symlink_to(tmp_path / "pool" / "1.png")
    assert [name for _, _, name in found(tmp_path / "photos")] == [
        "train/cat/1.png",
        "train/cat/2.png",
        "train/dog/1.png",
        "test/cat/1.png",
    ]


def test_a_folder_that_may_not_be_listed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "cat/1.png", "dog/1.png")
    scandir = os.scandir

    def forbid(folder: Path) -> object:
        if Path(folder).name == "dog":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", forbid)
    assert refused(tmp_path) == (
        "photos: dog: Permission denied; make it a folder that can be listed"
    )


def test_an_image_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "cat/1.png", "cat/secret.png", "dog/1.png")
    opened = os.open

    def forbid(path: Path, flags: int) -> int:
        if Path(path).name == "secret.png":
            raise PermissionError(13, "Permission denied")
        return opened(path, flags)

    monkeypatch.setattr(os, "open", forbid)
    assert refused(tmp_path) == (
        "photos: cat/secret.png: Permission denied; make it a file that can be read, or take it out"
    )


def test_too_many_files_are_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "cat/1.png", "dog/1.png")
    monkeypatch.setattr("bakeoff.data.readers.walk.MOST_ENTRIES", 3)
    assert refused(tmp_path) == (
        "photos: more than 3 files and folders; name the one that holds the classes"
    )


def test_the_hash_is_of_bytes_and_names(tmp_path: Path) -> None:
    put(tmp_path / "one", "cat/1.png", "dog/1.png")
    put(tmp_path / "two", "dog/1.png", "cat/1.png")
    sha256 = read(tmp_path / "one").sha256
    assert read(tmp_path / "two").sha256 == sha256
    put(tmp_path / "two", "cat/1.png", content=picture("BMP"))
    assert read(tmp_path / "two").sha256 != sha256
    (tmp_path / "one" / "cat" / "1.png").rename(tmp_path / "one" / "cat" / "2.png")
    assert read(tmp_path / "one").sha256 != sha256
