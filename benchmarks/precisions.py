"""Say whether bfloat16 trains networks as good as float32 does, by the project's own verdicts.

    python -m benchmarks.precisions runs/fair-float32 runs/fair-bfloat16

Two runs of one study, each in its precision. Every entrant is compared with itself, trained in the
other precision with the same seeds, as `bakeoff compare` compares two entrants, by the study's rule
of decision. Each is asked about alone, without correction for their number, since only all of them
together are claimed to be equivalent. Ends with exit code 1 where one is not shown to be.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bakeoff.comparison.outcome import EntrantOutcome
from bakeoff.comparison.pair import PairComparison
from bakeoff.data.catalogue import load_dataset
from bakeoff.data.dataset import Dataset
from bakeoff.errors import BakeoffError, StoreError
from bakeoff.findings.outcomes import compare_outcomes, outcome_of
from bakeoff.findings.predicted import read_predicted
from bakeoff.records.folder import RunFolder
from bakeoff.study.study import Entrant
from benchmarks.publish import Table, add_results_option, machine, publish


@dataclass(frozen=True)
class OfOneEntrant:
    """An entrant and how its two precisions compare: bfloat16 minus float32."""

    entrant: str
    pair: PairComparison

    @property
    def equivalent(self) -> bool:
        """Whether the precisions are shown to differ by less than the study's margin."""
        return self.pair.verdict.kind == "equivalent"


def precisions(float32: RunFolder, bfloat16: RunFolder) -> list[OfOneEntrant]:
    """Return each entrant's comparison with itself, in the order of the study.

    Raises StoreError where the folders hold other studies or precisions.
    """
    if float32.study.hash != bfloat16.study.hash:
        raise StoreError(f"{bfloat16.path}: another study than that of {float32.path}")
    dataset = load_dataset(float32.study.protocol, Path())
    found = []
    for entrant in float32.study.entrants:
        both = [
            _outcome(bfloat16, "bfloat16", entrant, dataset),
            _outcome(float32, "float32", entrant, dataset),
        ]
        (pair,) = compare_outcomes(float32.study, both, dataset).pairs
        found.append(OfOneEntrant(entrant.name, pair))
    return found


def _outcome(
    folder: RunFolder, precision: str, entrant: Entrant, dataset: Dataset
) -> EntrantOutcome:
    """Return what an entrant came to in this folder, under a name that says the precision."""
    records = [record for record in folder.read_records() if record.entrant == entrant.name]
    for record in records:
        if record.provenance.precision != precision:
            raise StoreError(
                f"{folder.trial(record.entrant, record.seed).path}: trained in "
                f"{record.provenance.precision}, not {precision}; give the float32 run first"
            )
    predicted = read_predicted(folder, records, dataset)
    outcome = outcome_of(folder.study, entrant, records, predicted, dataset)
    return replace(outcome, name=f"{entrant.name} in {precision}")


def table(found: Sequence[OfOneEntrant]) -> Table:
    """Return one row per entrant; differences in percentage points."""
    rows = []
    for each in found:
        paired, evidence = each.pair.paired, each.pair.evidence
        near = evidence.nearness if evidence else None
        rows.append(
            (
                each.entrant,
                str(len(each.pair.seeds)),
                f"{100 * paired.difference:+.3f}" if paired else "-",
                f"{100 * paired.low:+.3f} to {100 * paired.high:+.3f}" if paired else "-",
                f"{near.p_value:.2g}" if near else "-",
                each.pair.verdict.kind,
            )
        )
    columns = ("entrant", "seeds", "bfloat16 - float32", "interval", "p (equivalence)", "verdict")
    return Table(columns, tuple(rows), "Differences in percentage points.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print and keep what the precisions say; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.precisions")
    parser.add_argument("float32", type=Path, help="the folder of a run in float32")
    parser.add_argument("bfloat16", type=Path, help="the folder of the same run in bfloat16")
    add_results_option(parser)
    given = parser.parse_args(arguments)
    try:
        folder = RunFolder.open(given.float32)
        found = precisions(folder, RunFolder.open(given.bfloat16))
    except BakeoffError as error:
        print(f"precisions: {error}", file=sys.stderr)
        return error.exit_code
    decision = folder.study.decision
    publish(
        "precisions",
        [table(found)],
        setting={
            "study": folder.study.name,
            "metric": folder.study.protocol.selection_metric,
            "margin in points": decision.equivalence_margin,
            "confidence": decision.confidence,
        },
        figures={each.entrant: each.pair.to_dict() for each in found},
        machine=machine(),
        folder=given.results,
    )
    print("\n".join(each.pair.verdict.sentence for each in found))
    alike = sum(each.equivalent for each in found)
    print(f"{alike} of {len(found)} entrants are equivalent in both precisions")
    return int(alike < len(found))


if __name__ == "__main__":
    sys.exit(main())
