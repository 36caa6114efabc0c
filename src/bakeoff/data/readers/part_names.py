"""How people call the parts of a data set."""

from __future__ import annotations

import re

PARTS = ("train", "validation", "test")

_SPELLINGS = {
    "train": "train", "training": "train",
    "val": "validation", "valid": "validation", "validation": "validation", "dev": "validation",
    "test": "test", "testing": "test",
    "publictest": "validation", "privatetest": "test",  # Of a contest at Kaggle.
}  # fmt: skip

_SET = re.compile(r"[ _-](set|data|images)$")
"""What may stand behind: `training_set`."""


def part_named(name: str) -> str | None:
    """Return the part that a folder or file is named after; None where it is none."""
    return _SPELLINGS.get(_SET.sub("", name.lower()))
