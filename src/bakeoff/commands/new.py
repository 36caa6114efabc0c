"""`bakeoff new`: a study to begin with, for images of the user's."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bakeoff.commands.data import asked_protocol, name_of, stock_at
from bakeoff.data.readers.stock import Stock
from bakeoff.errors import UsageError
from bakeoff.study.toml import parse_study, value_to_toml

_SIZES = (28, 32, 48, 64)
"""Pixels of a side that images are brought to: what a laptop trains in minutes."""

_FEW = 5_000
"""Images below which an epoch is short, and more of them are needed."""

_STUDY = """\
# Which of three networks is better on {source}? Written by `bakeoff new`; change what you like.
# To look before anything is trained: bakeoff check {file}

name = "{name}"
question = "Which network tells the {classes} classes of {source} apart best?"
# Each network is trained so often, each time with another split, order and start. One training
# shows nothing of the next; three are the least that do, and five show smaller differences.
seeds = 3

[protocol]
dataset = {dataset}
{size}{test}# Drawn anew for each seed, the same share of every class; the winner is chosen by it.
validation = 0.1
# Each channel with mean 0 and deviation 1 over the training images.
pixels = "standardised"
# Counts every class alike, however many images it has; "accuracy" counts every image alike.
selection_metric = "balanced_accuracy"

[recipe] # for every entrant that does not say otherwise
# AdamW with a rate that rises and falls suits all three; none of it is tuned for these images.
optimizer = "adamw"
learning_rate = 0.002
weight_decay = 0.01
schedule = "one-cycle"
batch_size = {batch_size}
# An equal budget. Few images need many rounds; networks from nothing seldom gain beyond these.
epochs = {epochs}

# Your own network: architecture = "my_net.py:Net", and its arguments = {{ width = 32 }}.

[[entrants]]
name = "cnn"
title = "Three convolutions"
architecture = "small-cnn"

[[entrants]]
name = "resnet"
title = "Residual network, 20 layers"
architecture = "small-resnet"

[[entrants]]
name = "vit"
title = "Vision transformer, 6 blocks"
architecture = "small-vit"
# Attention bears no higher rate from nothing.
recipe.learning_rate = 0.0005
"""


@dataclass(frozen=True)
class Written:
    """A study that was written, and what it is about."""

    file: Path
    images: int
    classes: int
    source: str

    def to_text(self) -> str:
        """Return what a person reads: what was found, and the next commands."""
        return (
            f"{self.file}: {self.images:,} images of {self.classes} classes, three entrants\n"
            f"to look at the images: {shlex.join(['bakeoff', 'data', self.source])}\n"
            f"to try the study: {shlex.join(['bakeoff', 'check', str(self.file)])}\n"
            f"to run it: {shlex.join(['bakeoff', 'run', str(self.file)])}"
        )


def new_study(source: str, file: Path | None = None) -> Written:
    """Write a study of three networks for a data source, with its reasons as comments.

    source: a file or folder, as `protocol.dataset` takes it, or a shipped name; file: where the
    study goes, by default NAME.toml in the current folder. Raises UsageError where a file is there
    already, DataError or StudyError where the source cannot be read.
    """
    protocol = asked_protocol(source)
    name = name_of(protocol.dataset)
    file = file or Path(f"{name}.toml")
    if file.exists() or file.is_symlink():
        raise UsageError(f"{file}: there already; remove it, or give another --out")
    # Of whatever sizes they are: what would be refused without one is what is to be found out.
    stock = stock_at(asked_protocol(source, image_size="64"))
    sizes = _sizes(stock)
    classes = sorted({*stock.labels})
    text = _STUDY.format(
        source=re.sub(r'[\\"\x00-\x1f\x7f]', "", protocol.dataset),
        file=file,
        name=re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")[:60] or "mine",
        classes=len(classes),
        dataset=value_to_toml(_from(file.parent, protocol.dataset)),
        size=_size_lines(sizes),
        test="" if any(stock.parts) else (
            "# There is no test part; so much is set aside once, chosen by the images themselves.\n"
            "test = 0.2\n"
        ),
        batch_size=32 if len(stock.labels) < _FEW else 64,
        epochs=30 if len(stock.labels) < _FEW else 15,
    )  # fmt: skip
    parse_study(tomllib.loads(text), str(file))  # What is written can be read.
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}; give another --out") from error
    return Written(file, len(stock.labels), len(classes), source)


def _sizes(stock: Stock) -> Counter[tuple[int, int]]:
    """Return how many images have which (width, height)."""
    found = (re.search(r"(\d+) x (\d+)$", kind) for kind in stock.kinds)
    return Counter((int(each[1]), int(each[2])) for each in found if each)


def _size_lines(sizes: Counter[tuple[int, int]]) -> str:
    """Return the keys that bring images to one size, where they have several, or are large."""
    if not sizes or (len(sizes) == 1 and max(next(iter(sizes))) <= max(_SIZES)):
        return ""
    short = [min(size) for size, count in sizes.items() for _ in range(count)]
    side = max((each for each in _SIZES if each <= median(short)), default=_SIZES[0])
    smallest, largest = min(sizes), max(sizes)
    found = (
        f"{len(sizes)} sizes, {smallest[0]} x {smallest[1]} to {largest[0]} x {largest[1]}"
        if len(sizes) > 1
        else f"{largest[0]} x {largest[1]}"
    )
    return (
        f"# Found: {found} pixels. More pixels show more and take longer, by the square.\n"
        f"image_size = {side}\n"
        '# The middle is kept; "pad" keeps all on a plain ground, "stretch" the whole frame.\n'
        'fit = "crop"\n'
    )


def _from(folder: Path, dataset: str) -> str:
    """Return how a study in `folder` names a data set that the current folder names so."""
    path = Path(dataset)
    if folder == Path() or path.is_absolute() or "/" not in dataset:
        return dataset
    return str(path.absolute())
