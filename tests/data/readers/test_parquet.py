from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from bakeoff.data.readers import parquet_file
from bakeoff.data.readers.parquet import read_parquet
from bakeoff.data.readers.stock import Stock
from bakeoff.errors import BakeoffError
from bakeoff.study.protocol import Protocol
from tests.data.readers.pictures import picture

LEVELS = [0, 50, 100, 150, 200, 250]
EMBEDDED = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def images(levels: list[int]) -> list[bytes]:
    return [picture(colour=level) for level in levels]


def embedded(levels: list[int]) -> pa.Array:
    rows = [{"bytes": content, "path": f"{n}.png"} for n, content in enumerate(images(levels))]
    return pa.array(rows, EMBEDDED)


def write(file: Path, classes: list[str] | None = None, rows: int = 4, **columns: Any) -> Path:
    """Write a file of those columns; `classes` are the names of the labels, as Hugging Face's."""
    table = pa.table({"image": embedded(LEVELS), "label": [0, 1, 0, 1, 1, 0], **columns})
    if classes:
        features = {"image": {"_type": "Image"}, "label": {"names": classes, "_type": "ClassLabel"}}
        table = table.replace_schema_metadata(
            {"huggingface": json.dumps({"info": {"features": features}})}
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, file, row_group_size=rows)
    return file


def read(path: Path, group: str | None = None) -> Stock:
    return read_parquet(path, Protocol(dataset=str(path), group=group))


def levels(stock: Stock, *indices: int) -> list[int]:
    blocks = stock.blocks(indices or range(len(stock.names)))
    return [int(level) for block in blocks for level in block[:, 0, 0, 0]]


def refused(path: Path, group: str | None = None) -> str:
    """Return what is said of a file, without its folder."""
    with pytest.raises(BakeoffError) as caught:
        levels(read(path, group))
    return str(caught.value).replace(f"{path.parent}/", "")


@pytest.mark.parametrize("at_once", [1, 2, 16])
@pytest.mark.parametrize("rows", [1, 4, 100])
def test_a_file_is_read(
    rows: int, at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_file, "_AT_ONCE", at_once)
    file = write(tmp_path / "digits.parquet", ["nought", "one"], rows)
    stock = read(file)
    assert stock.where == str(file)
    assert stock.labels == ["nought", "one", "nought", "one", "one", "nought"]
    assert stock.names == [f"row {row}" for row in range(6)]
    assert stock.parts == [""] * 6
    assert stock.groups is None
    assert stock.kinds == ["PNG L 4 x 3"] * 6
    assert levels(stock) == LEVELS
    assert levels(stock, 5, 0, 3, 3, 1) == [250, 0, 150, 150, 50]


def test_a_folder_has_parts(tmp_path: Path) -> None:
    write(tmp_path / "data" / "train-00001-of-00002.parquet", label=[2] * 6)
    write(tmp_path / "data" / "train-00000-of-00002.parquet")
    write(tmp_path / "data" / "test-00000-of-00001.parquet")
    write(tmp_path / "data" / "validation-00000-of-00001.parquet")
    write(tmp_path / ".cache" / "train.parquet")
    stock = read(tmp_path)
    assert stock.parts == ["train"] * 12 + ["validation"] * 6 + ["test"] * 6
    assert stock.names[11] == "data/train-00001-of-00002.parquet: row 5"
    assert stock.labels[6:12] == ["2"] * 6
    assert levels(stock) == LEVELS * 4
    assert levels(stock, 23, 6, 7, 2) == [250, 0, 50, 100]


def test_a_folder_may_name_the_part(tmp_path: Path) -> None:
    write(tmp_path / "train" / "0000.parquet")
    write(tmp_path / "Test" / "0000.parquet")
    write(tmp_path / "train" / "validation.parquet")  # Its own name says more.
    assert read(tmp_path).parts == ["train"] * 6 + ["validation"] * 6 + ["test"] * 6


@pytest.mark.parametrize("name", ["train-0.parquet", "part-0.parquet"])
def test_one_part_is_none(name: str, tmp_path: Path) -> None:
    write(tmp_path / name)
    assert read(tmp_path).parts == [""] * 6


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (pa.array([3, 2, 1, 3, 2, 1], pa.uint8()), "3 2 1 3 2 1"),
        (pa.array([3.0, 2.0, 1.0, 3.0, 2.0, 1.0]), "3 2 1 3 2 1"),
        (pa.array([True, False] * 3), "1 0 1 0 1 0"),
        (pa.array(["cat", "dog "] * 3), "cat dog cat dog cat dog"),
        (pa.array(["cat", "dog"] * 3, pa.large_string()), "cat dog cat dog cat dog"),
        (pa.array(["cat", "dog"] * 3).dictionary_encode(), "cat dog cat dog cat dog"),
    ],
    ids=["uint8", "float", "bool", "text", "large-text", "dictionary"],
)
def test_labels_of_any_type(labels: pa.Array, expected: str, tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.parquet", label=labels)).labels == expected.split()


@pytest.mark.parametrize("name", ["labels", "class", "category", "target"])
def test_the_column_of_labels_by_other_names(name: str, tmp_path: Path) -> None:
    table = pa.table({"x": images(LEVELS), name: ["a", "b"] * 3})
    parquet.write_table(table, tmp_path / "a.parquet")
    stock = read(tmp_path / "a.parquet")
    assert stock.labels == ["a", "b"] * 3
    assert levels(stock) == LEVELS


def test_groups_are_a_column(tmp_path: Path) -> None:
    file = write(tmp_path / "a.parquet", writer=["x", "x", "y", "y", "z", "z"])
    assert read(file, group="writer").groups == ["x", "x", "y", "y", "z", "z"]
    assert refused(file, group="who") == (
        'protocol.group = "who": a.parquet has no such column; it has image, label, writer'
    )


@pytest.mark.parametrize(
    ("labels", "line"),
    [
        (
            pa.array([0, 1, None, 1, 1, 0]),
            "a.parquet: row 2: nothing in column label",
        ),
        (
            pa.array([0, 1, 0, 1, 1, -1]),
            "a.parquet: row 5: -1 in column label",
        ),
        (
            pa.array([0.0, 0.5] * 3),
            "a.parquet: row 1: 0.5 in column label",
        ),
        (
            pa.array(["a", " "] * 3),
            "a.parquet: row 1: ' ' in column label",
        ),
        (
            pa.array([[0], [0, 1]] * 3),
            "a.parquet: column label holds more than one value for an image",
        ),
    ],
    ids=["missing", "unlabelled", "fraction", "blank", "several"],
)
def test_a_label_that_is_none_is_named(labels: pa.Array, line: str, tmp_path: Path) -> None:
    file = write(tmp_path / "a.parquet", ["nought", "one"], label=labels)
    found, _, mend = refused(file).partition("; ")
    assert found == line
    assert mend == (
        "give each a whole number or text"
        if "column label holds" in line
        else "give each image 0 to 1, as a whole number or text"
    )


def test_a_column_that_is_missing_is_said(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"image": images(LEVELS), "answer": LEVELS}), file)
    assert (
        refused(file) == "a.parquet: no labels among the columns image, answer; call theirs label"
    )
    parquet.write_table(pa.table({"pixels": [[1, 2]] * 6, "label": LEVELS}), file)
    assert refused(file) == (
        "a.parquet: no column with encoded images among pixels, label; call it image, and let it "
        "hold bytes of PNG or JPEG"
    )
    two = {"left": images(LEVELS), "right": images(LEVELS), "label": LEVELS}
    parquet.write_table(pa.table(two), file)
    assert refused(file) == (
        "a.parquet: several columns with encoded images among left, right, label; call it image, "
        "and let it hold bytes of PNG or JPEG"
    )


def test_an_image_that_is_none_is_named(tmp_path: Path) -> None:
    rows: list[Any] = [{"bytes": content, "path": None} for content in images(LEVELS)]
    rows[4] = {"bytes": b"nothing", "path": None}
    file = write(tmp_path / "a.parquet", image=pa.array(rows, EMBEDDED))
    assert refused(file) == (
        "a.parquet: row 4: not an image of a kind that is read; get the file again, or take it out"
    )
    for missing in ({"bytes": None, "path": "photos/4.png"}, None):
        rows[4] = missing
        write(file, image=pa.array(rows, EMBEDDED))
        assert refused(file) == (
            "a.parquet: row 4: no bytes of an image; embed them, or take the row out"
        )


def test_a_file_that_is_none_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "a.parquet")
    content = file.read_bytes()
    again = "; get the file again"
    for damaged in (b"", b"<html>" * 9, content[:-9], content[: len(content) // 2], content[:7]):
        file.write_bytes(damaged)
        assert refused(file).startswith("a.parquet: damaged, or no Parquet file (")
        assert refused(file).endswith(again)
    file.write_bytes(content[:4] + bytes(200) + content[204:])
    assert refused(file).startswith("a.parquet: damaged")
    assert refused(tmp_path / "b.parquet") == f"b.parquet: No such file or directory{again}"


def test_a_folder_without_files_and_one_of_which_some_are_of_no_part(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert refused(tmp_path / "a") == "a: no .parquet files; name the folder that holds them"
    write(tmp_path / "a" / "train.parquet")
    write(tmp_path / "a" / "other.parquet")
    assert refused(tmp_path / "a") == (
        "a: other.parquet is of no part, others are; let its name begin with train, validation or "
        "test"
    )


def test_no_rows_are_no_images(tmp_path: Path) -> None:
    table = pa.table({"image": pa.array([], pa.binary()), "label": pa.array([], pa.int64())})
    parquet.write_table(table, tmp_path / "a.parquet")
    assert refused(tmp_path / "a.parquet") == "a.parquet: no rows; get the data again"


def test_what_promises_too_much_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blank = [bytes(3_000_000) + bytes([row]) for row in range(40)]
    table = pa.table({"image": blank, "label": [0, 1] * 20})
    parquet.write_table(table, tmp_path / "a.parquet", compression="zstd")
    assert refused(tmp_path / "a.parquet").startswith("a.parquet: column image: ")
    assert refused(tmp_path / "a.parquet").endswith(
        "; images are not packed so well, write them as PNG or JPEG"
    )
    monkeypatch.setattr(parquet_file, "MOST_ROWS", 5)
    assert refused(write(tmp_path / "b.parquet")) == (
        "b.parquet: 6 rows, at most 5 are read; divide it"
    )


def test_texts_that_repeat_are_in_memory_once(tmp_path: Path) -> None:
    long = pa.DictionaryArray.from_arrays(pa.array([0] * 1000), pa.array(["a" * 300_000]))
    table = pa.table({"image": [b"?"] * 1000, "label": long})
    file = tmp_path / "a.parquet"
    parquet.write_table(
        table, file, store_schema=False, dictionary_pagesize_limit=10**6, write_batch_size=1
    )
    assert file.stat().st_size < 10**6
    usual = pa.default_memory_pool()
    counted = pa.proxy_memory_pool(usual)
    pa.set_memory_pool(counted)
    try:
        labels = parquet_file.ParquetFile(file, None).labels()
    finally:
        pa.set_memory_pool(usual)
    assert len(labels) == 1000
    assert len({id(label) for label in labels}) == 1
    assert 0 < counted.max_memory() < 10**7


@pytest.mark.parametrize("notes", [b"{", b"[]", b'{"info": 1}', b'{"info": {"features": [1]}}'])
def test_foreign_notes_change_nothing(notes: bytes, tmp_path: Path) -> None:
    table = pa.table({"image": embedded(LEVELS), "label": [0, 1] * 3})
    parquet.write_table(
        table.replace_schema_metadata({b"huggingface": notes}), tmp_path / "a.parquet"
    )
    if notes == b"{":
        assert refused(tmp_path / "a.parquet") == (
            "a.parquet: damaged, not valid JSON; get the file again"
        )
    else:
        assert read(tmp_path / "a.parquet").labels == ["0", "1"] * 3


def test_without_pyarrow_the_line_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "a.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert refused(file) == (
        'a.parquet: to read Parquet, install pyarrow: pip install "bakeoff[parquet]"'
    )


def test_colour_images_are_colour(tmp_path: Path) -> None:
    contents = [picture(mode="RGB", colour=(level, 1, 2)) for level in LEVELS]
    stock = read(write(tmp_path / "a.parquet", image=pa.array(contents, pa.large_binary())))
    assert stock.image_shape == (3, 3, 4)
    block = np.concatenate(list(stock.blocks([2])))
    assert block[0, :, 0, 0].tolist() == [100, 1, 2]
