"""Tables as people and programs write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bakeoff.data.readers.csv import read_csv
from bakeoff.data.readers.stock import Stock
from bakeoff.errors import DataError
from bakeoff.study.protocol import Protocol
from tests.data.readers.pictures import put

HEADER = "label,pixel0,pixel1,pixel2,pixel3\n"
ROWS = "5,0,10,200,255\n0,1,2,3,4\n5,9,8,7,6\n"
PIXELS = [[0, 10, 200, 255], [1, 2, 3, 4], [9, 8, 7, 6]]


def read(path: Path, text: str | bytes, **asked: Any) -> Stock:
    file = path / "a.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_csv(file, Protocol(dataset="./a.csv", **asked))


def pixels(stock: Stock) -> NDArray[np.uint8]:
    return np.concatenate(list(stock.blocks(range(len(stock.labels)))))


def refused(path: Path, text: str | bytes, **asked: Any) -> str:
    with pytest.raises(DataError) as caught:
        pixels(read(path, text, **asked))
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(str(path), "")


@pytest.mark.parametrize(
    "text",
    [
        HEADER + ROWS,
        ("\ufeff" + HEADER + ROWS),
        (HEADER + ROWS).replace("\n", "\r\n"),
        (HEADER + ROWS).replace(",", ";"),
        (HEADER + ROWS).replace(",", "\t"),
        (HEADER + ROWS).replace(",", ", "),
        (HEADER + ROWS).replace(",", " , "),
        (HEADER + ROWS).replace(",", " "),
        HEADER + ROWS + "\n\r\n  \n",
        HEADER + "\n" + ROWS.replace("\n", "\n\n"),
        (HEADER + ROWS)[:-1],
        HEADER + ROWS.replace(",", ".0,").replace("\n", ".0\n"),
        '"' + (HEADER + ROWS)[:-1].replace(",", '","').replace("\n", '"\n"') + '"\n',
        HEADER.replace("label", "CLASS") + ROWS,
        HEADER.replace("label", "digit") + ROWS,
        HEADER.replace("pixel0,pixel1,pixel2,pixel3", "1x1,1x2,2x1,2x2") + ROWS,
        "pixel0,pixel1,pixel2,pixel3,label\n0,10,200,255,5\n1,2,3,4,0\n9,8,7,6,5\n",
        ",label,p0,p1,p2,p3\n0,5,0,10,200,255\n1,0,1,2,3,4\n2,5,9,8,7,6\n",
        "label,p0,p2,p1,p3\n5,0,200,10,255\n0,1,3,2,4\n5,9,7,8,6\n",
    ],
    ids=[
        "plain", "bom", "crlf", "semicolons", "tabs", "blanks", "more-blanks", "by-blanks",
        "empty-lines", "more-empty-lines", "no-last-end", "points", "quotes", "class", "digit",
        "1x1", "label-last", "index", "shuffled",
    ],
)  # fmt: skip
def test_one_table_is_spelt_in_many_ways(text: str, tmp_path: Path) -> None:
    stock = read(tmp_path, text)
    assert stock.labels == ["5", "0", "5"]
    assert stock.image_shape == (1, 2, 2)
    assert pixels(stock).reshape(3, 4).tolist() == PIXELS
    assert set(stock.parts) == {""}
    assert set(stock.kinds) == {"numbers 2 x 2"}


def test_without_a_header_the_first_image_is_one(tmp_path: Path) -> None:
    rows = [f"{row % 2},{','.join(str(row + column) for column in range(16))}" for row in range(4)]
    stock = read(tmp_path, "\n".join(rows))
    assert stock.labels == ["0", "1", "0", "1"]
    assert (stock.names[0], stock.names[3]) == ("a.csv: line 1", "a.csv: line 4")
    assert stock.notes[0] == "a.csv: the label is the first column, as what is in it tells"
    assert pixels(stock)[3].ravel().tolist() == list(range(3, 19))


def test_without_a_header_the_label_may_be_the_last(tmp_path: Path) -> None:
    stock = read(tmp_path, "7,0,9,0,cat\n0,1,0,2,dog\n")
    assert stock.labels == ["cat", "dog"]
    assert stock.notes[0] == "a.csv: the label is the last column, as what is in it tells"


def test_a_header_of_numbers_that_count_is_one(tmp_path: Path) -> None:
    header = ",".join(["label", *map(str, range(16))])
    rows = [",".join(["1", *["3"] * 16]), ",".join(["0", *["4"] * 16])]
    stock = read(tmp_path, "\n".join([header, *rows]))
    assert stock.labels == ["1", "0"]
    assert stock.names[0] == "a.csv: line 2"


def test_images_of_a_table_are_brought_to_another_size(tmp_path: Path) -> None:
    stock = read(tmp_path, HEADER + "a,7,7,7,7\nb,8,8,8,8\n", image_size=3)
    assert pixels(stock).tolist() == [[[[7] * 3] * 3], [[[8] * 3] * 3]]


def test_columns_in_three_colours_are_folded_so(tmp_path: Path) -> None:
    row = ",".join(str(10 * (column % 3)) for column in range(12))
    stock = read(tmp_path, f"label,{','.join(f'p{at}' for at in range(12))}\na,{row}\nb,{row}\n")
    assert stock.image_shape == (3, 2, 2)
    assert pixels(stock)[0].reshape(3, 4).tolist() == [[0] * 4, [10] * 4, [20] * 4]


def test_images_that_are_no_squares_have_a_size(tmp_path: Path) -> None:
    text = "label,p0,p1\na,1,2\nb,3,4\n"
    assert read(tmp_path, text, image_size=(1, 2)).image_shape == (1, 1, 2)
    assert refused(tmp_path, text) == (
        "/a.csv: 2 pixels are not a square, neither grey nor in three colours; give "
        "protocol.image_size = [height, width]"
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [("0,0.5,1,0.25", [0, 128, 255, 64]), ("0,1000,1023,512", [0, 249, 255, 128])],
)
def test_other_numbers_are_scaled_as_in_arrays(
    values: str, expected: list[int], tmp_path: Path
) -> None:
    assert (
        pixels(read(tmp_path, f"{HEADER}a,{values}\nb,0,0,0,0\n"))[0].ravel().tolist() == expected
    )


def test_a_column_may_say_parts_and_groups(tmp_path: Path) -> None:
    text = "split,label,who,p0,p1,p2,p3\nTest,a,x,9,9,9,9\ntrain,b,y,1,2,3,4\nval,a,z,5,5,5,5\n"
    stock = read(tmp_path, text, group="who")
    assert stock.parts == ["train", "validation", "test"]
    assert stock.labels == ["b", "a", "a"]
    assert stock.groups == ["y", "z", "x"]
    assert stock.names[2] == "a.csv: line 2"
    assert pixels(stock)[:, 0, 0, 0].tolist() == [1, 5, 9]


@given(st.lists(st.lists(st.integers(0, 65535), min_size=4, max_size=4), min_size=1, max_size=6))
def test_whole_numbers_are_read_as_python_reads_them(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[int]]
) -> None:
    text = HEADER + "".join(f"{at},{','.join(map(str, row))}\n" for at, row in enumerate(rows))
    (block,) = read_rows(tmp_path_factory.mktemp("table"), text)
    assert block.tolist() == rows


def read_rows(folder: Path, text: str) -> list[NDArray[Any]]:
    from bakeoff.data.readers.pixel_table import PixelRows
    from bakeoff.data.readers.text_table import form_of, lines_of

    (folder / "a.csv").write_text(text)
    lines = lines_of(form_of(folder / "a.csv"), [0])
    return list(PixelRows(lines, (1, 2, 3, 4)).blocks(range(len(lines.starts))))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "/a.csv: empty; give a table"),
        ("\n\n", "/a.csv: empty; give a table"),
        (HEADER, "/a.csv: a header and no line of values; give some"),
        ("label\n1\n", "/a.csv: line 1: one column alone; give a label and pixels, or a file name"),
        (
            "<html><body>404, not found</body></html>",
            "/a.csv: a web page, not a table; get the file again",
        ),
        (
            (HEADER + ROWS).encode("utf-16"),
            "/a.csv: not text in UTF-8; save it as CSV in UTF-8",
        ),
        (
            (HEADER + ROWS).replace("\n", "\r"),
            "/a.csv: lines end in CR alone; save it with line ends of today",
        ),
        (
            (HEADER + ROWS).encode() + b"caf\xe9,1,2,3,4\n",
            "/a.csv: line 5: not text in UTF-8; save it as CSV in UTF-8",
        ),
        (
            HEADER + ROWS + "1,2,3\n",
            "/a.csv: line 5: 3 fields, 5 in the first line; mend the line",
        ),
        (
            HEADER + "\n" + ROWS + "1,2,3,4,5,6\n",
            "/a.csv: line 6: 6 fields, 5 in the first line; mend the line",
        ),
        (
            HEADER + ROWS + "1,2,x,4,5\n",
            "/a.csv: line 5, field 3: 'x' is no pixel; give a number",
        ),
        (HEADER + ROWS + "1,2,,4,5\n", "/a.csv: line 5, field 3: '' is no pixel; give a number"),
        (HEADER + ",1,2,3,4\n", "a.csv: line 2: an empty label; name the class"),
        (
            "pixel0,pixel1,pixel2,pixel3\n1,2,3,4\n",
            "/a.csv: 4 columns of pixels and no labels; give a column called label",
        ),
        (
            "1,2,3,4\n5,6,7,8\n",
            "/a.csv: 4 columns of pixels and no labels; give a column called label",
        ),
        (
            "0,0,0,0,0\n1,0,0,0,1\n",
            "/a.csv: the first column may be the label as well as the last; give a header with a "
            "column called label",
        ),
        (
            "id,label\n1,2\n",
            "/a.csv: no pixels and no file names; there are id, label; give a label and pixels",
        ),
        (
            HEADER + "a,-1,0,0,0\n",
            "/a.csv: line 2: -1 is no pixel; give numbers from 0 to 1, 0 to 255 or 0 to 65535, not "
            "yet normalised",
        ),
        (
            HEADER + ROWS + "a,1,nan,0,0\n",
            "/a.csv: line 5: nan is no pixel; give numbers from 0 to 1, 0 to 255 or 0 to 65535, "
            "not yet normalised",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    text: str | bytes, complaint: str, tmp_path: Path
) -> None:
    assert refused(tmp_path, text) == complaint


def test_columns_that_are_not_called_as_pixels_are_passed_over(tmp_path: Path) -> None:
    text = "label,class,p0,p1,p2,p3,source\n1,one,1,2,3,4,here\n0,none,1,2,3,4,there\n"
    stock = read(tmp_path, text)
    assert stock.labels == ["1", "0"]
    assert stock.notes[:2] == (
        "a.csv: column 'class' passed over",
        "a.csv: column 'source' passed over",
    )
    assert pixels(stock)[0].ravel().tolist() == [1, 2, 3, 4]


def test_a_group_that_is_no_column_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, "label,p0\na,1\nb,2\n", group="who") == (
        "/a.csv: no column 'who' to group by; there are label, p0"
    )


# Folders


def folder_of(path: Path, files: dict[str, str]) -> Stock:
    for name, text in files.items():
        (path / name).write_text(text)
    return read_csv(path, Protocol(dataset="./a"))


def test_tables_of_a_folder_are_parts(tmp_path: Path) -> None:
    stock = folder_of(tmp_path, {"mnist_train.csv": HEADER + ROWS, "mnist_test.csv": HEADER + ROWS})
    assert stock.parts == ["train"] * 3 + ["test"] * 3
    assert stock.names[3] == "mnist_test.csv: line 2"


@pytest.mark.parametrize("name", ["train.csv", "anything.csv"])
def test_a_single_table_has_no_parts(name: str, tmp_path: Path) -> None:
    assert set(folder_of(tmp_path, {name: HEADER + ROWS}).parts) == {""}


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        (
            {"train.csv": HEADER + ROWS, "test.csv": "p0,p1,p2,p3\n1,2,3,4\n"},
            "/test.csv: 4 columns of pixels and no labels; give a column called label",
        ),
        (
            {"a.csv": HEADER + ROWS, "b.csv": HEADER + ROWS},
            ": holds a.csv, b.csv; wanted are train.csv and test.csv, or one table",
        ),
        (
            {"train.csv": HEADER + ROWS, "a_train.csv": HEADER + ROWS},
            ": a_train.csv and train.csv may both be the train part; keep one",
        ),
    ],
)
def test_a_folder_of_other_tables_is_refused(
    files: dict[str, str], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError) as caught:
        folder_of(tmp_path, files)
    assert str(caught.value).replace(str(tmp_path), "") == complaint


# Names of files


@pytest.mark.parametrize(
    "text",
    [
        "file_name,label\nin/1.png,cat\nin/2.png,dog\n",
        "\ufeffimage;class\r\nin\\1.png;cat\r\n\r\nin\\2.png;dog\r\n",
        '"label","path"\n"cat","in/1.png"\n"dog","in/2.png"\n',
        "in/1.png,cat\nin/2.png,dog\n",
        "cat\tin/1.png\ndog\tin/2.png\n",
        "in/1.png cat\nin/2.png dog\n",
    ],
    ids=["plain", "windows", "quotes", "no-header", "label-first", "blanks"],
)
def test_a_table_may_name_files(text: str, tmp_path: Path) -> None:
    put(tmp_path, "in/1.png", "in/2.png")
    stock = read(tmp_path, text)
    assert stock.labels == ["cat", "dog"]
    assert [name.replace("\\", "/") for name in stock.names] == ["in/1.png", "in/2.png"]
    assert pixels(stock).shape == (2, 1, 3, 4)


def test_columns_beside_say_parts_and_groups_of_files(tmp_path: Path) -> None:
    put(tmp_path, "1.png", "2.png")
    text = "image,label,set,person\n1.png,a,train,x\n2.png,a,TEST,y\n"
    stock = read(tmp_path, text, group="person")
    assert (stock.parts, stock.groups) == (["train", "test"], ["x", "y"])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (
            "file,label\n1.png,a\n9.png,b\n",
            "/a.csv: line 3: 9.png: no such file below ; mend the name",
        ),
        ("file,label\n1.png,\n", "/a.csv: line 2: an empty label; name the class"),
        ("file,label\n,a\n", "/a.csv: line 2: no file name; give one"),
        ("file,size\n1.png,7\n", "/a.csv: no column of labels, as label; there are file, size"),
        (
            "file,label\n1.png,a,b\n",
            "/a.csv: line 2: 3 fields, 2 in the first line; mend the line",
        ),
        (
            "file,label,split\n1.png,a,oops\n",
            "/a.csv: line 2: 'oops' is no part; give train, validation or test",
        ),
    ],
)  # fmt: skip
def test_a_name_that_leads_nowhere_is_named(text: str, complaint: str, tmp_path: Path) -> None:
    put(tmp_path, "1.png")
    assert refused(tmp_path, text) == complaint


FACES = """emotion,pixels,Usage
0,0 10 200 255,Training
3,1 2 3 4,PublicTest
0,9 8 7 6,PrivateTest
"""


@pytest.mark.parametrize(
    "text",
    [
        FACES,
        FACES.replace(",0 10 200 255,", ',"0 10  200 255 ",'),
        FACES.replace("emotion", "id,label").replace("\n0,", "\n7,0,").replace("\n3,", "\n8,3,"),
        FACES.replace(" 4", " 4.0"),
    ],
)
def test_all_pixels_may_stand_in_one_column(text: str, tmp_path: Path) -> None:
    stock = read(tmp_path, text)
    assert pixels(stock).reshape(3, 4).tolist() == PIXELS
    assert list(stock.labels) == ["0", "3", "0"]
    assert list(stock.parts) == ["train", "validation", "test"]
    assert "a.csv: all pixels of an image in its column 'pixels'" in stock.notes


def test_a_column_of_pixels_has_as_many_in_each_line_and_numbers_alone(tmp_path: Path) -> None:
    short = FACES.replace("PublicTest", "Training").replace(" 4,", ",")
    assert refused(tmp_path, short) == "/a.csv: line 3: 3 pixels, 4 in line 2; mend the line"
    odd = FACES.replace(" 3 ", " x ")
    assert refused(tmp_path, odd) == ("/a.csv: line 3, field 3: 'x' is no pixel; give a number")
