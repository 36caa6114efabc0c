from __future__ import annotations

import numpy as np

from bakeoff.commands.contact_rows import contact_sheet
from bakeoff.data.survey import survey
from bakeoff.study.protocol import Protocol

from ..data.drawn_stocks import pictures, stock

OWN = Protocol(dataset="./photos")


def test_examples_are_spread_over_each_class_and_part() -> None:
    labels = ["cat", "dog"] * 30
    parts = ["train"] * 50 + ["test"] * 10
    images = np.arange(60, dtype=np.uint8).reshape(60, 1, 1, 1).repeat(4, 2).repeat(4, 3)
    sheet = contact_sheet(survey(stock(images, labels, parts), OWN))
    assert (sheet.title, sheet.note) == ("photos", "60 images of 2 classes, 4 x 4 grey")
    assert sheet.parts == [("train", 7), ("test", 4)]
    assert [(row.title, row.note) for row in sheet.classes] == [
        ("cat", "25 train, 5 test"),
        ("dog", "25 train, 5 test"),
    ]
    train, test = sheet.classes[0].groups
    assert [int(shown.picture[0, 0, 0]) for shown in train] == [0, 8, 16, 24, 32, 40, 48]
    assert [int(shown.picture[0, 0, 0]) for shown in test] == [50, 52, 56, 58]


def test_pairs_stay_together_and_are_called_by_their_files() -> None:
    images = pictures(30)
    images[29], images[28] = images[3], images[4]
    names = [f"some/folder/{number}\n.png" for number in range(30)]
    parts = ["train"] * 25 + ["test"] * 5
    sheet = contact_sheet(survey(stock(images, ["a", "b"] * 15, parts, names=names), OWN))
    first = sheet.odd[0]
    assert first.title == "equal, in two parts"
    captions = [[shown.caption for shown in group] for group in first.groups]
    assert captions == [["29\n.png", "3\n.png"], ["28\n.png", "4\n.png"]]
    darkest = next(row for row in sheet.odd if row.title == "darkest")
    assert [len(group) for group in darkest.groups] == [8]


def test_without_parts_there_is_one_group_and_of_many_classes_the_first_are_shown() -> None:
    labels = [f"class {number % 25}" for number in range(75)]
    sheet = contact_sheet(survey(stock(pictures(75), labels), OWN))
    assert sheet.parts == [("all images", 12)]
    assert [row.title for row in sheet.classes] == [f"class {number}" for number in range(20)]
    assert sheet.classes[0].note == "3"
    assert sheet.note.endswith("25 classes, 32 x 32 RGB; the first 20 classes")
