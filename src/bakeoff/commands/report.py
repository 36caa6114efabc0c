"""`bakeoff report`: what a run supports, written down: comparison.json, figures, report.html."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

from bakeoff.data.catalogue import load_dataset
from bakeoff.data.dataset import Dataset
from bakeoff.engine.team import given_threads
from bakeoff.errors import NetworkError
from bakeoff.files import locks
from bakeoff.files.place import Place
from bakeoff.findings.conclusion import REPORT, Conclusion, conclude, looked_at
from bakeoff.findings.findings import gather_findings
from bakeoff.findings.inside import view_of
from bakeoff.findings.view import View
from bakeoff.records.folder import RunFolder
from bakeoff.records.record import Record
from bakeoff.report import draw_report
from bakeoff.training.code import load_kept

COMPARISON = "comparison.json"


@given_threads()
def report_run(
    directory: Path | str, *, reopen: bool = False, trust_code: bool = False
) -> Conclusion:
    """Write the report of what an earlier run left in `directory`, and return what it says.

    With `reopen` also by another rule of decision than verdicts were seen by. Code of networks that
    lies in the folder is run if the user had it run before, or with `trust_code`; else there are no
    pictures of what is inside.
    """
    folder = RunFolder.open(Path(directory))
    dataset = load_dataset(folder.study.protocol, folder.study.folder)
    return report_folder(folder, dataset, reopen=reopen, trust_code=trust_code)


def report_folder(
    folder: RunFolder, dataset: Dataset, *, reopen: bool = False, trust_code: bool = False
) -> Conclusion:
    """Write comparison.json, figures and report.html of a run, and return what they say.

    Options as of `report_run`. Raises StoreError as `conclude` does, and where a file cannot be
    written.
    """
    conclusion = looked_at(folder, conclude(folder, dataset, reopen=reopen))
    files = files_of_report(folder, conclusion, dataset, trust_code=trust_code)
    with locks.held(folder.conclusion_lock):
        for file, content in files.items():
            file.remove_leftovers()
            file.write(content)
    return conclusion


def files_of_report(
    folder: RunFolder, conclusion: Conclusion, dataset: Dataset, *, trust_code: bool = False
) -> dict[Place, bytes]:
    """Return comparison.json, figures and report.html, as they are written, the page last."""
    look = partial(_look, folder, dataset, trust_code)
    drawn = draw_report(gather_findings(conclusion, dataset, look))
    document = json.dumps(conclusion.comparison.to_dict(), indent=1) + "\n"
    figures = {folder.place("figures", f"{name}.svg"): svg for name, svg in drawn.figures.items()}
    texts = {folder.place(COMPARISON): document, **figures, folder.place(REPORT): drawn.page}
    return {file: text.encode() for file, text in texts.items()}


def _look(
    folder: RunFolder, dataset: Dataset, trust_code: bool, record: Record, index: int
) -> View | str:
    """Return what the network of a trial sees in a test image, or in one line why nobody can."""
    try:
        load_kept(
            [folder.study.entrant(record.entrant)],
            folder.code,
            folder.study.folder,
            trusted=trust_code,
        )
        return view_of(folder, record, dataset, index)
    except NetworkError as error:
        return str(error)
