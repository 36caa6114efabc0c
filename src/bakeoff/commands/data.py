"""`bakeoff data`: a look at images before anything is trained, and their contact sheet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bakeoff.data.catalogue import SOURCES, check_dataset, find_stock
from bakeoff.data.kept import clear, kept_folder
from bakeoff.data.readers.shipped import stock_of
from bakeoff.data.readers.stock import MixedSizesError, Stock
from bakeoff.data.survey import Survey, survey
from bakeoff.errors import UnreadableError, UsageError
from bakeoff.files.place import Place
from bakeoff.files.reading import read_file
from bakeoff.study.protocol import Protocol, is_path

_LARGEST_SHEET = 50_000_000
"""Bytes of a file that may be one of ours."""

_SIZE_OF_A_LOOK = 64
"""Pixels of a side that images of several sizes are brought to where nobody said otherwise."""


@dataclass(frozen=True, eq=False)
class Surveyed:
    """What was found in a source, and where its contact sheet went."""

    survey: Survey
    sheet: Path | None
    sheet_note: str = ""
    """Why no sheet was written, and what to do."""

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            **self.survey.to_dict(),
            "contact_sheet": None if self.sheet is None else str(self.sheet),
            "contact_sheet_note": self.sheet_note or None,
        }


def asked_protocol(source: str, **keys: str | None) -> Protocol:
    """Return the protocol of data as options on the command line ask for them.

    source: a shipped data set, or a file or folder, also `photos` for ./photos; keys: of the
    protocol, `image_size` as `64`, or `48x64` for height and width. Raises UsageError, naming the
    option.
    """
    beside = source and source not in SOURCES and not is_path(source) and Path(source).exists()
    asked: dict[str, Any] = {"dataset": f"./{source}" if beside else source}
    asked |= {key: value for key, value in keys.items() if value is not None}
    if "image_size" in asked:
        asked["image_size"] = _size(asked["image_size"])
    try:
        return Protocol.model_validate(asked)
    except ValidationError as error:
        problem = error.errors()[0]
        key = str(problem["loc"][0]) if problem["loc"] else "dataset"
        option = f"--{key.replace('_', '-')} {keys[key]}: " if key in keys else ""
        demand = problem["msg"].replace("Input should", "must", 1)
        raise UsageError(f"{option}{demand}") from error


def _size(text: str) -> int | tuple[int, ...]:
    sides = re.fullmatch(r"(\d{1,5})(?:x(\d{1,5}))?", text.strip().lower(), re.ASCII)
    if sides is None:
        raise UsageError(f"--image-size {text}: give pixels, as 64, or height and width, as 48x64")
    height, width = sides.groups()
    return int(height) if width is None else (int(height), int(width))


def survey_data(protocol: Protocol, sheet: Path | None = None) -> Surveyed:
    """Look at every image of a source, and draw a contact sheet of them.

    protocol: which data, how images are brought to one size (64 x 64 where they have several and
    nothing is said) and parts are drawn; sheet: the PNG
    file to write. Without it the sheet goes to NAME-contact-sheet.png in the current folder, unless
    another file stands there or the data do. Raises UsageError where a given `sheet` would take the
    place of another file or lie among the data, StudyError for an unknown source, DataError, naming
    it, for what cannot be read.
    """
    source = protocol.dataset
    target = sheet or Path(f"{name_of(source)}-contact-sheet.png")
    trouble = _why_no_sheet(target, source)
    if sheet is not None:
        refuse_other_file(sheet, source)
    try:
        stock = stock_at(protocol)
    except MixedSizesError:
        # A look is what tells the sizes; the line on what was converted says what was done.
        protocol = protocol.model_copy(update={"image_size": _SIZE_OF_A_LOOK, "fit": "crop"})
        stock = stock_at(protocol)
    found = survey(stock, protocol)
    if trouble:
        return Surveyed(found, None, f"no contact sheet: {target} {trouble}; --sheet FILE.png")
    # Charts and their library come with the report, and take a second.
    from bakeoff.commands.contact_rows import contact_sheet
    from bakeoff.report.pictures.contact_sheet import draw_contact_sheet

    (Place(target.parent) / target.name).write(draw_contact_sheet(contact_sheet(found)))
    return Surveyed(found, target)


def clear_kept() -> str:
    """Remove all decoded images that are kept and not in use; return the line that says so."""
    return f"{clear() / 1e6:,.0f} MB of decoded images removed from {kept_folder() or 'nowhere'}"


def stock_at(protocol: Protocol) -> Stock:
    """Return the images that a protocol names, from the current folder."""
    name = protocol.dataset
    if is_path(name):
        return find_stock(name, Path(), protocol)
    check_dataset(name, Path())
    return stock_of(SOURCES[name].load())


def name_of(source: str) -> str:
    """Return what a source is called in the names of files."""
    path = Path(source).expanduser().resolve()
    name = path.name if path.is_dir() else path.stem
    return re.sub(r"[^\w.-]+", "-", name).strip(".-") or "data"


def refuse_other_file(sheet: Path, source: str) -> None:
    """Raise UsageError where a sheet would take another file's place, or lie among the data."""
    if trouble := _why_no_sheet(sheet, source):
        raise UsageError(f"--sheet {sheet}: {trouble}; give another name")


def _why_no_sheet(target: Path, source: str) -> str:
    """Return why a sheet may not be written there, empty where it may."""
    if target.suffix.lower() != ".png":
        return "is no PNG file by its name"
    data = Path(source).expanduser()
    of_files = source not in SOURCES and data.is_dir()
    if of_files and target.resolve().is_relative_to(data.resolve()):
        return "would lie among the data"
    if not target.is_symlink() and not target.exists():
        return ""
    # As above, and only where there is something to compare with.
    from bakeoff.report.pictures.contact_sheet import is_contact_sheet

    try:
        ours = not target.is_symlink() and is_contact_sheet(read_file(target, _LARGEST_SHEET))
    except UnreadableError:
        ours = False
    return "" if ours else "is another file, which stays as it is"
