"""Which reader serves which path."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bakeoff.data.catalogue import find_stock, load_dataset
from bakeoff.errors import DataError, StudyError
from bakeoff.study.protocol import Protocol
from tests.data.readers.pictures import picture, put
from tests.data.readers.saved import npy, save_npz
from tests.data.stocks import images_of

READ = (
    "what can be read: a folder of images (train/ and test/ with a folder for each class, or these "
    "alone), an npz, a folder of npy or of IDX files, a csv, a Parquet file"
)
ARRAYS: dict[str, NDArray[Any]] = {"x": images_of(10)[:, 0], "y": np.arange(10) % 2}
TABLE = "label,p0,p1,p2,p3\n" + "".join(f"{at % 2},{at},0,0,0\n" for at in range(10))


def idx(array: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def put_each(folder: Path, *names: str) -> None:
    """Write an image of another grey under each name."""
    for at, name in enumerate(names):
        put(folder, name, content=picture(colour=at))


def put_everything(folder: Path) -> None:
    """Put one of each kind into a folder of its own."""
    for name in ("npz", "npy", "idx", "csv", "files", "beside"):
        (folder / name).mkdir()
    save_npz(folder / "npz" / "a.npz", ARRAYS)
    save_npz(folder / "npz" / "without-ending", ARRAYS)
    for name, array in ARRAYS.items():
        (folder / "npy" / f"{name}.npy").write_bytes(npy(array))
    for part in ("train", "t10k"):
        images = gzip.compress(idx(images_of(5)[:, 0]))
        (folder / "idx" / f"{part}-images-idx3-ubyte").write_bytes(images)
        labels = idx(np.array([0, 1, 0, 1, 0], np.uint8))
        (folder / "idx" / f"{part}-labels-idx1-ubyte").write_bytes(labels)
    (folder / "csv" / "train.csv").write_text(TABLE)
    (folder / "csv" / "test.csv").write_text(TABLE)
    put_each(folder / "classes", *(f"{name}/{at}.png" for name in "ab" for at in range(5)))
    put_each(folder / "files", *(f"images/{at}.png" for at in range(10)))
    rows = "".join(f"images/{at}.png,{'ab'[at % 2]}\n" for at in range(10))
    (folder / "files" / "labels.csv").write_text(f"file,label\n{rows}")
    put_each(folder / "beside", *(f"{name}/{at}.png" for name in "ab" for at in range(5)))
    (folder / "beside" / "notes.csv").write_text("class,meaning\na,first\nb,second\n")


@pytest.mark.parametrize(
    ("dataset", "classes"),
    [
        ("npz/a.npz", "01"),
        ("npz/without-ending", "01"),
        ("npy", "01"),
        ("idx", "01"),
        ("csv", "01"),
        ("csv/train.csv", "01"),
        ("./classes", "ab"),
        ("./files", "ab"),
        ("files/labels.csv", "ab"),
        ("beside/", "ab"),
    ],
)
def test_each_kind_is_read_by_its_reader(dataset: str, classes: str, tmp_path: Path) -> None:
    put_everything(tmp_path)
    protocol = Protocol(dataset=dataset if "/" in dataset else f"./{dataset}")
    stock = find_stock(dataset, tmp_path, protocol)
    assert Counter(stock.labels).keys() == set(classes)
    loaded = load_dataset(protocol, tmp_path)
    assert loaded.classes == tuple(classes)
    assert (len(loaded.train_images), len(loaded.test_images)) in {(8, 2), (5, 5), (10, 10)}
    assert loaded.name == protocol.dataset


def test_a_path_may_begin_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    put_everything(tmp_path)
    assert find_stock("~/npy", Path("/elsewhere"), Protocol(dataset="~/npy")).labels[:2] == [
        "0",
        "1",
    ]
    whole = str(tmp_path / "npy")
    assert find_stock(whole, Path("/elsewhere"), Protocol(dataset=whole)).labels[:2] == ["0", "1"]


@pytest.mark.parametrize(
    ("dataset", "complaint"),
    [
        ("gone", f"/gone: nothing is there; {READ}"),
        ("empty", f"/empty: an empty folder; {READ}"),
        ("empty.csv", f"/empty.csv: empty (0 bytes); {READ}"),
        ("a.pdf", f"/a.pdf: not a kind that is known; {READ}"),
        ("idx/train-images-idx3-ubyte", "one array of several; give the folder, /idx"),
        ("npy/x.npy", "one array of several; give the folder, /npy"),
        ("page.npz", "/page.npz: a web page, not data; get the file again"),
        ("lfs.csv", "/lfs.csv: a pointer of Git LFS; `git lfs pull` brings the file"),
        ("npz-only", "/npz-only: holds a.npz; give that file"),
        ("loop", "/loop: Too many levels of symbolic links; give a file that can be read"),
        ("a.pdf/photos", "/a.pdf/photos: nothing is there"),
    ],
)
def test_what_cannot_be_read_is_one_line(dataset: str, complaint: str, tmp_path: Path) -> None:
    put_everything(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / ".hidden").write_text("")
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "a.pdf").write_bytes(b"%PDF")
    (tmp_path / "page.npz").write_bytes(b"\n<!DOCTYPE html><html></html>")
    (tmp_path / "lfs.csv").write_bytes(b"version https://git-lfs.github.com/spec/v1")
    (tmp_path / "npz-only").mkdir()
    save_npz(tmp_path / "npz-only" / "a.npz", ARRAYS)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(DataError) as caught:
        find_stock(dataset, tmp_path, Protocol(dataset=f"./{dataset}"))
    assert complaint in str(caught.value).replace(str(tmp_path), "")


def test_a_name_that_is_a_folder_here_says_how_to_write_it(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(StudyError) as caught:
        load_dataset(Protocol(dataset="photos"), tmp_path)
    assert str(caught.value) == "unknown data set 'photos'; did you mean './photos'?"
    with pytest.raises(StudyError) as caught:
        load_dataset(Protocol(dataset="photos"), tmp_path / "photos")
    assert str(caught.value) == "unknown data set 'photos'; known: digits, mnist"


def test_a_user_who_is_not_there_has_no_home(tmp_path: Path) -> None:
    name = "~nobody-of-this-name/photos"
    with pytest.raises(DataError) as caught:
        find_stock(name, tmp_path, Protocol(dataset=name))
    assert str(caught.value) == f"{name}: no such user; give the whole path"


def test_files_that_a_table_names_are_looked_at_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_everything(tmp_path)
    monkeypatch.setattr("bakeoff.data.cache._MOMENT", -(10**12))
    before = load_dataset(Protocol(dataset="./files"), tmp_path)
    source = (tmp_path / "classes" / "a" / "0.png").read_bytes()
    (tmp_path / "files" / "images" / "3.png").write_bytes(source)
    after = load_dataset(Protocol(dataset="./files"), tmp_path)
    assert before.sha256 != after.sha256
