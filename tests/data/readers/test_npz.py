"""Arrays of numpy, as people save them."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bakeoff.data.readers.npz import read_npz
from bakeoff.data.readers.stock import Stock
from bakeoff.errors import DataError
from bakeoff.study.protocol import Protocol
from tests.data.readers.saved import npy, save_npz

Arrays = dict[str, NDArray[Any]]

IMAGES = np.arange(6 * 4 * 5, dtype=np.uint8).reshape(6, 4, 5)
LABELS = np.array([0, 1, 2, 0, 1, 2])
KERAS: Arrays = {
    "x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:3] + 100, "y_test": LABELS[:3]
}  # fmt: skip


def saved(folder: Path, arrays: Arrays, name: str = "a.npz") -> Path:
    save_npz(folder / name, arrays)
    return folder / name


def read(folder: Path, arrays: Arrays, **asked: Any) -> Stock:
    return read_npz(saved(folder, arrays), Protocol(dataset="./a.npz", **asked))


def pixels(stock: Stock) -> NDArray[np.uint8]:
    return np.concatenate(list(stock.blocks(range(len(stock.labels)))))


def refused(folder: Path, arrays: Arrays, **asked: Any) -> str:
    """Return what is said of the arrays, without the place of their file."""
    with pytest.raises(DataError) as caught:
        read(folder, arrays, **asked)
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(str(folder), "")


def test_images_labels_and_names_are_as_they_were_saved(tmp_path: Path) -> None:
    stock = read(tmp_path, KERAS)
    assert stock.where == str(tmp_path / "a.npz")
    assert stock.image_shape == (1, 4, 5)
    assert stock.parts == ["train"] * 6 + ["test"] * 3
    assert stock.labels == ["0", "1", "2", "0", "1", "2", "0", "1", "2"]
    assert (stock.names[5], stock.names[8]) == ("x_train[5]", "x_test[2]")
    assert set(stock.kinds) == {"uint8 4 x 5"}
    assert stock.notes == ("images read as [n, height, width]",)
    assert stock.groups is None
    np.testing.assert_array_equal(pixels(stock)[:6, 0], IMAGES)
    np.testing.assert_array_equal(pixels(stock)[6:, 0], IMAGES[:3] + 100)


def test_any_images_come_in_the_order_in_which_they_are_asked_for(tmp_path: Path) -> None:
    stock = read(tmp_path, KERAS)
    wanted = [8, 0, 5, 5, 7, 2]
    np.testing.assert_array_equal(np.concatenate(list(stock.blocks(wanted))), pixels(stock)[wanted])


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("{}_images", "{}_labels"),
        ("x_{}", "y_{}"),
        ("X_{}", "Y_{}"),
        ("{}X", "{}Y"),
        ("{}_data", "{}_target"),
        ("images_{}", "labels_{}"),
    ],
)
def test_arrays_go_by_many_names(images: str, labels: str, tmp_path: Path) -> None:
    renamed = {
        images.format("train"): KERAS["x_train"], labels.format("train"): KERAS["y_train"],
        images.format("test"): KERAS["x_test"], labels.format("test"): KERAS["y_test"],
    }  # fmt: skip
    np.testing.assert_array_equal(pixels(read(tmp_path, renamed)), pixels(read(tmp_path, KERAS)))


def test_a_validation_part_is_told_apart_and_what_is_left_over_is_said(tmp_path: Path) -> None:
    more = {"val_images": IMAGES[:2], "val_labels": LABELS[:2], "mean": np.zeros(3)}
    renamed = {
        "train_images": IMAGES, "train_labels": LABELS, "test_images": IMAGES, "test_labels": LABELS
    }  # fmt: skip
    stock = read(tmp_path, renamed | more)
    assert [stock.parts.count(part) for part in ("train", "validation", "test")] == [6, 2, 6]
    assert stock.notes[0] == "passed over: mean"


def test_images_without_parts_have_none(tmp_path: Path) -> None:
    assert set(read(tmp_path, {"x": IMAGES, "y": LABELS}).parts) == {""}


def test_a_compressed_file_and_a_folder_of_npy_files_are_the_same(tmp_path: Path) -> None:
    save_npz(tmp_path / "small.npz", KERAS, packed=True)
    (tmp_path / "npy").mkdir()
    for name, array in KERAS.items():
        (tmp_path / "npy" / f"{name}.npy").write_bytes(npy(array))
    expected = pixels(read(tmp_path, KERAS))
    for path in (tmp_path / "small.npz", tmp_path / "npy"):
        stock = read_npz(path, Protocol(dataset=str(path)))
        np.testing.assert_array_equal(pixels(stock), expected)
        assert stock.labels == ["0", "1", "2", "0", "1", "2", "0", "1", "2"]


@pytest.mark.parametrize(
    "changed",
    [
        IMAGES.astype(">f4"),
        IMAGES.astype(">i2"),
        np.asfortranarray(IMAGES),
        np.asfortranarray(IMAGES.astype(np.float64)),
        IMAGES.astype(np.float16),
        IMAGES.astype(np.int64),
    ],
    ids=["big-endian", "big-endian-16", "fortran", "fortran-float", "half", "int64"],
)
@pytest.mark.parametrize("packed", [False, True])
def test_pixels_are_the_same_however_they_lie_in_memory(
    changed: NDArray[Any], packed: bool, tmp_path: Path
) -> None:
    other = KERAS["x_test"].astype(changed.dtype)
    save_npz(tmp_path / "b.npz", KERAS | {"x_train": changed, "x_test": other}, packed=packed)
    stock = read_npz(tmp_path / "b.npz", Protocol(dataset="./b.npz"))
    np.testing.assert_array_equal(pixels(stock), pixels(read(tmp_path, KERAS)))
    wanted = [5, 1, 3]
    np.testing.assert_array_equal(np.concatenate(list(stock.blocks(wanted)))[:, 0], IMAGES[wanted])


def test_files_of_one_array_each_may_have_a_beginning_in_common(tmp_path: Path) -> None:
    for name, key in (("imgs", "x"), ("labels", "y")):
        for part in ("train", "test"):
            array = {"arr_0": KERAS[f"{key}_{part}"]}
            save_npz(tmp_path / f"kmnist-{part}-{name}.npz", array, packed=True)
    stock = read_npz(tmp_path, Protocol(dataset="./kmnist"))
    np.testing.assert_array_equal(pixels(stock), pixels(read(tmp_path, KERAS)))


def test_a_header_of_python_2_is_read(tmp_path: Path) -> None:
    content = npy(IMAGES).replace(b"(6, 4, 5)", b"(6L,4L,5)")
    (tmp_path / "x.npy").write_bytes(content)
    (tmp_path / "y.npy").write_bytes(npy(LABELS))
    np.testing.assert_array_equal(pixels(read_npz(tmp_path, Protocol(dataset="./a")))[:, 0], IMAGES)


# Labels


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (LABELS[:, np.newaxis], "012012"),
        (LABELS.astype(np.uint8), "012012"),
        (LABELS.astype(np.float32), "012012"),
        (LABELS.astype(">i4"), "012012"),
        (np.eye(3)[LABELS], "012012"),
        (np.eye(3, dtype=bool)[LABELS], "012012"),
        (LABELS + 1, "123123"),
        (np.array([2, 5, 9])[LABELS], "259259"),
        (LABELS > 0, "011011"),
        (np.array(["a", "b ", "c"])[LABELS], "abcabc"),
        (np.array([b"a", b"b", b"c"])[LABELS], "abcabc"),
        (np.array(["e\u0301", "b", "c"])[LABELS], "\u00e9bc\u00e9bc"),
    ],
    ids=[
        "column", "uint8", "float", "big-endian", "one-hot", "one-hot-bool", "from-1", "gaps",
        "bool", "text", "bytes", "nfc",
    ],
)  # fmt: skip
def test_labels_become_the_names_of_classes(
    labels: NDArray[Any], expected: str, tmp_path: Path
) -> None:
    assert read(tmp_path, {"x": IMAGES, "y": labels}).labels == list(expected)


def test_numbers_are_called_as_the_file_says(tmp_path: Path) -> None:
    arrays = {"x": IMAGES, "y": LABELS, "class_names": np.array(["cat", "dog", "owl"])}
    stock = read(tmp_path, arrays)
    assert stock.labels == ["cat", "dog", "owl", "cat", "dog", "owl"]
    assert stock.notes == ("images read as [n, height, width]",)


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        (LABELS + 0.5, "y[0]: 0.5 is no class; give whole numbers or text"),
        (
            np.where(LABELS == 2, np.nan, LABELS),
            "y[2]: nan is no class; give whole numbers or text",
        ),
        (
            np.ones((6, 3)),
            "y[0]: 3 values, not a single 1 among zeros; give each image one class",
        ),
        (
            np.eye(3)[LABELS] * 0.5,
            "y[0]: 3 values, not a single 1 among zeros; give each image one class",
        ),
        (np.array(["a", "", "c"])[LABELS], "y[1]: an empty label; name the class"),
        (
            np.array([b"a", b"\xff", b"c"])[LABELS],
            "y[1]: not text in UTF-8; write the class in UTF-8",
        ),
        (
            np.zeros((6, 1, 1)),
            "y: labels of shape [6, 1, 1]; give one for each image",
        ),
        (LABELS * 1j, "y: complex128 is no labels; give whole numbers or text"),
        (
            LABELS.astype(object),
            "y: holds objects of Python, which are never unpickled; save it as an array of numbers "
            "or of text",
        ),
    ],
    ids=["half", "nan", "several", "soft", "empty", "bytes", "shape", "complex", "objects"],
)
def test_labels_that_are_none_are_named(
    labels: NDArray[Any], complaint: str, tmp_path: Path
) -> None:
    assert refused(tmp_path, {"x": IMAGES, "y": labels}) == f"/a.npz: {complaint}"


def test_more_labels_than_names_are_refused(tmp_path: Path) -> None:
    arrays = {"x": IMAGES, "y": LABELS, "classes": np.array(["cat", "dog"])}
    assert refused(tmp_path, arrays) == (
        "/a.npz: y[2]: label 2, of 2 classes with names, which count from 0 to 1; give as many "
        "names as there are classes"
    )


def test_groups_come_from_an_array_of_that_name(tmp_path: Path) -> None:
    arrays = {"x": IMAGES, "y": LABELS, "person": np.array([7, 7, 8, 8, 9, 9])}
    assert read(tmp_path, arrays, group="person").groups == ["7", "7", "8", "8", "9", "9"]
    assert refused(tmp_path, {"x": IMAGES, "y": LABELS}, group="person") == (
        "/a.npz: person is missing; add it"
    )


# What is missing, or does not fit


def without(key: str) -> Arrays:
    return {name: array for name, array in KERAS.items() if name != key}


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        (
            {"a": IMAGES, "b": LABELS},
            "/a.npz: holds a, b; wanted are x_train, y_train, x_test, y_test, or train_images, "
            "train_labels, test_images, test_labels, or x and y, from which a test part is taken",
        ),
        (without("y_test"), "/a.npz: y_test is missing; add it"),
        (without("x_train"), "/a.npz: x_train is missing; add it"),
        (
            {"x_train": IMAGES, "y_train": LABELS},
            "/a.npz: x_test is missing; add it, or call the arrays x and y, from which a test part "
            "is taken",
        ),
        (
            {"test_images": IMAGES, "test_labels": LABELS},
            "/a.npz: train_images is missing; add it, or call the arrays x and y, from which a "
            "test part is taken",
        ),
        (
            KERAS | {"y_train": LABELS[:5]},
            "/a.npz: x_train: 6 images, and /a.npz: y_train: 5 labels; give one for each",
        ),
        (
            KERAS | {"x_train": IMAGES[:0], "y_train": LABELS[:0]},
            "/a.npz: x_train: no images; give some",
        ),
        (
            KERAS | {"x_test": IMAGES[:3, :3]},
            "/a.npz: x_test: images of 3 x 5, and /a.npz: x_train: of 4 x 5; save them in one size",
        ),
        (
            KERAS | {"images_train": IMAGES},
            "/a.npz: x_train and images_train may both be images; keep one",
        ),
        (
            KERAS | {"x_train": np.array([IMAGES[0], None, 1, 2, 3, 4], dtype=object)},
            "/a.npz: x_train: holds objects of Python, which are never unpickled; save it as an "
            "array of numbers or of text",
        ),
    ],
    ids=[
        "foreign", "no-labels", "no-images", "no-test", "no-train", "short", "none", "size",
        "twice", "objects",
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_line(arrays: Arrays, complaint: str, tmp_path: Path) -> None:
    assert refused(tmp_path, arrays) == complaint


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_images_are_brought_to_the_size_that_is_asked_for(fit: str, tmp_path: Path) -> None:
    flat = KERAS | {"x_train": np.full((6, 4, 5), 7, np.uint8), "x_test": np.full((3, 2, 2), 7)}
    flat["x_test"] = flat["x_test"].astype(np.uint8)
    stock = read(tmp_path, flat, image_size=(8, 10), fit=fit)
    assert stock.image_shape == (1, 8, 10)
    assert stock.notes[-1].endswith(" to 8 x 10")
    assert pixels(stock).shape == (9, 1, 8, 10)
    assert (pixels(stock)[:6] == 7).all()
    assert (pixels(stock)[6:] == 7).all() == (fit != "pad")


def test_colours_are_resampled_too(tmp_path: Path) -> None:
    colours = np.tile(np.array([10, 20, 30], np.uint8), (6, 4, 5, 1))
    stock = read(tmp_path, {"x": colours, "y": LABELS}, image_size=2)
    assert pixels(stock)[0].tolist() == [[[10] * 2] * 2, [[20] * 2] * 2, [[30] * 2] * 2]


def test_the_size_that_they_have_changes_nothing(tmp_path: Path) -> None:
    stock = read(tmp_path, KERAS, image_size=(4, 5))
    assert stock.notes == ("images read as [n, height, width]",)


# Files that lie


def lying(shape: str, descr: str = "'|u1'", data: bytes = b"") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (
            lying("(2147483648, 28, 28)"),
            "its header promises 1,683,627,180,032 bytes [2147483648, 28, 28], 0 follow; get the "
            "file again",
        ),
        (
            lying("(2, 2)", data=b"abc"),
            "its header promises 4 bytes [2, 2], 3 follow; get the file again",
        ),
        (lying("(-1, 2)"), "not an npy file, or damaged; get the file again"),
        (lying("(True, 2)"), "not an npy file, or damaged; get the file again"),
        (lying("(2, 2", data=b"abcd"), "not an npy file, or damaged; get the file again"),
        (lying("(2,)", "'|z9'", b"ab"), "not an npy file, or damaged; get the file again"),
        (
            lying("(2,)", "'|u1'" + " " * 20_000, b"ab"),
            "not an npy file, or damaged; get the file again",
        ),
        (b"<html>", "not an npy file, or damaged; get the file again"),
        (b"", "not an npy file, or damaged; get the file again"),
    ],
    ids=["boastful", "cut", "negative", "truth", "open", "type", "long", "page", "empty"],
)  # fmt: skip
@pytest.mark.parametrize("packed", [True, False])
def test_a_header_is_not_believed(
    content: bytes, complaint: str, packed: bool, tmp_path: Path
) -> None:
    if packed:
        path = tmp_path / "a.npz"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.npy", content)
    else:
        path = tmp_path / "folder"
        path.mkdir()
        (path / "x.npy").write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_npz(path, Protocol(dataset=str(path)))
    named = f"{path}: x" if packed else f"{path / 'x.npy'}"
    assert str(caught.value) == f"{named}: {complaint}"


def test_what_unpacks_to_far_more_than_it_takes_is_refused(tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x.npy", "w", force_zip64=True) as stream,
    ):
        stream.write(lying("(300, 1024, 1024)"))
        for _ in range(300):
            stream.write(bytes(1 << 20))
    with pytest.raises(DataError, match=r"a\.npz: x: [\d,]+ bytes that promise 314,572,\d+ once "):
        read_npz(tmp_path / "a.npz", Protocol(dataset="./a.npz"))


@pytest.mark.parametrize("at", [0.2, 0.5, 0.9])
def test_a_file_that_is_cut_short_is_refused(at: float, tmp_path: Path) -> None:
    path = saved(tmp_path, KERAS)
    content = path.read_bytes()
    path.write_bytes(content[: int(at * len(content))])
    with pytest.raises(DataError) as caught:
        read_npz(path, Protocol(dataset="./a.npz"))
    assert str(caught.value) == f"{path}: not a zip, or truncated; give a file that can be read"


def test_a_byte_that_changed_is_seen_when_the_images_are_read(tmp_path: Path) -> None:
    images = np.tile(IMAGES, (500, 1, 1))
    path = saved(tmp_path, {"x": images, "y": np.tile(LABELS, 500)})
    content = bytearray(path.read_bytes())
    content[content.find(IMAGES.tobytes()) + 7] ^= 1
    path.write_bytes(content)
    stock = read_npz(path, Protocol(dataset="./a.npz"))
    with pytest.raises(DataError) as caught:
        pixels(stock)
    assert str(caught.value) == f"{path}: x: damaged or cut short; get the file again"


def test_equal_files_have_equal_hashes_and_others_not(tmp_path: Path) -> None:
    first = read(tmp_path, KERAS).sha256
    assert read(tmp_path, KERAS).sha256 == first
    assert read(tmp_path, KERAS | {"y_test": LABELS[3:] * 2}).sha256 != first
