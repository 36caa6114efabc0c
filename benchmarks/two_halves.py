"""Say whether two halves of a study's seeds contradict each other.

    python -m benchmarks.two_halves runs/fair

Two verdicts on one pair are computed, from the first half of the seeds alone and from the others
alone, as if each were a study of its own. They may differ, since a half knows less than the whole;
but where the first half shows that one entrant is ahead, the second must not show it of the other.
Ends with exit code 1 where it does.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bakeoff.comparison.compare import Comparison
from bakeoff.comparison.outcome import EntrantOutcome
from bakeoff.comparison.pair import PairComparison
from bakeoff.data.catalogue import load_dataset
from bakeoff.errors import BakeoffError, StoreError
from bakeoff.findings.outcomes import compare_outcomes, outcome_of
from bakeoff.findings.predicted import read_predicted
from bakeoff.findings.standings import standings
from bakeoff.records.folder import RunFolder

# Half of fewer would be one seed, of which there is no verdict.
FEWEST_SEEDS = 4


@dataclass(frozen=True)
class PairOfHalves:
    """One pair of entrants as each half of the seeds judges it."""

    first: PairComparison
    second: PairComparison

    @property
    def contradicts(self) -> bool:
        """Whether the halves show different entrants to be ahead."""
        ahead = {half.verdict.better for half in (self.first, self.second)} - {None}
        return len(ahead) > 1


def halves(folder: RunFolder) -> list[PairOfHalves]:
    """Return every pair of entrants of a run, judged by each half of its seeds.

    Raises StoreError where the study has too few seeds.
    """
    seeds = folder.study.trial_seeds
    if len(seeds) < FEWEST_SEEDS:
        raise StoreError(
            f"{folder.path}: {len(seeds)} seeds are too few to halve: run it with --seeds 10"
        )
    dataset = load_dataset(folder.study.protocol, Path())
    study, records = folder.study, folder.read_records()
    predicted = read_predicted(folder, records, dataset)
    whole = [
        outcome_of(study, study.entrant(row.entrant), records, predicted, dataset)
        for row in standings(study, records)
    ]

    def judged(half: Collection[int]) -> Comparison:
        return compare_outcomes(study, [part_of(each, half) for each in whole], dataset)

    middle = len(seeds) // 2
    both = zip(judged(seeds[:middle]).pairs, judged(seeds[middle:]).pairs, strict=True)
    return [PairOfHalves(first, second) for first, second in both]


def part_of(outcome: EntrantOutcome, seeds: Collection[int]) -> EntrantOutcome:
    """Return the answers of these seeds alone; of times nothing is asked here."""
    rows = [row for row, seed in enumerate(outcome.seeds) if seed in seeds]
    return replace(
        outcome,
        predicted=None if outcome.predicted is None else outcome.predicted[rows],
        seeds=tuple(outcome.seeds[row] for row in rows),
        seconds=None,
        epochs=None,
        left_out=tuple(trial for trial in outcome.left_out if trial.seed in seeds),
        target=None,
    )


def told(pairs: Sequence[PairOfHalves]) -> str:
    """Return both verdicts of every pair, and how many contradict each other."""
    lines = []
    for pair in pairs:
        lines += [
            f"{pair.first.a}, {pair.first.b}" + (": CONTRADICTION" if pair.contradicts else ""),
            f"  first half:  {pair.first.verdict.sentence}",
            f"  second half: {pair.second.verdict.sentence}",
        ]
    same = sum(_said(pair.first) == _said(pair.second) for pair in pairs)
    against = sum(pair.contradicts for pair in pairs)
    lines.append(f"{len(pairs)} pairs: {same} with the same verdict, {against} contradict")
    return "\n".join(lines)


def _said(pair: PairComparison) -> tuple[str, str | None]:
    return pair.verdict.kind, pair.verdict.better


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what the halves say; return the exit code."""
    parser = argparse.ArgumentParser(description="Say whether two halves contradict each other.")
    parser.add_argument("directory", type=Path, help="the folder of a run with several seeds")
    given = parser.parse_args(arguments)
    try:
        pairs = halves(RunFolder.open(given.directory))
    except BakeoffError as error:
        print(f"two_halves: {error}", file=sys.stderr)
        return error.exit_code
    print(told(pairs))
    return int(any(pair.contradicts for pair in pairs))


if __name__ == "__main__":
    sys.exit(main())
