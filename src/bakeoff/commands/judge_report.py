"""A judgement written down: comparison.json, figures, report.html."""

from __future__ import annotations

import json
from pathlib import Path

from bakeoff.commands.item_pictures import ItemPictures
from bakeoff.errors import UsageError
from bakeoff.files.place import Place
from bakeoff.findings.judged import judged_findings
from bakeoff.findings.judgement import Judgement
from bakeoff.report.judgement import draw_judgement


def write_report(judgement: Judgement, out: Path, images: Path | None) -> Path:
    """Write the files to the folder `out`, the page last, and return the page.

    images: a folder with pictures of items, or None. Raises UsageError where `out` is a run folder,
    whose report is another, or `images` no folder; StoreError where a file cannot be written.
    """
    if (out / "study.toml").exists():
        raise UsageError(f"{out}: a run folder, with a report of its own; give another folder")
    if images is not None and not images.is_dir():
        raise UsageError(f"{images}: no folder of pictures; give one, or leave out --images")
    pictures = ItemPictures(images, judgement.predictions.items)
    drawn = draw_judgement(judged_findings(judgement, pictures))
    folder = Place(out)
    texts = {
        folder / "comparison.json": json.dumps(judgement.to_dict(), indent=1) + "\n",
        **{folder / "figures" / f"{name}.svg": svg for name, svg in drawn.figures.items()},
        folder / "report.html": drawn.page,
    }
    for place, text in texts.items():
        place.write(text.encode())
    return out / "report.html"
