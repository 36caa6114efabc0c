"""What the trials of a study together support: statistics on plain numpy arrays.

`outcome` is what comes in: the classes that each trial predicts, and what it cost. `compare` is the
way through. It asks of each entrant how good it is (`statistics.entrants`), and of each pair by how
much one is better (`pairs`): `statistics.crossed` takes the difference apart into what other seeds
and what other images would change, `statistics.pivot` turns that into intervals and p-values,
`statistics.holm` corrects for the number of pairs, and `verdict` says in a word and a sentence what
is left (`words`).

`statistics` holds pure functions: arrays with named axes in, frozen values out, a paper or an
equation at each. They may be changed when docs/statistics.md, which measures how often they err, is
measured again. No torch, no files, no studies: whoever has predictions can call all of it.
"""

from bakeoff.comparison.compare import Comparison, EntrantComparison, HardImage, compare
from bakeoff.comparison.images import Flips, HardestImages, flips, hardest_images
from bakeoff.comparison.outcome import EntrantOutcome, LeftOut, TargetTimes
from bakeoff.comparison.pair import Metric, PairComparison
from bakeoff.comparison.statistics.crossed import (
    FixedTestSet,
    PairedDifference,
    paired_difference,
    paired_difference_of_balanced_accuracy,
)
from bakeoff.comparison.statistics.entrants import EntrantScores, Estimate, entrant_scores
from bakeoff.comparison.statistics.equivalence import equivalence_p
from bakeoff.comparison.statistics.holm import holm
from bakeoff.comparison.statistics.mcnemar import McNemar, mcnemar
from bakeoff.comparison.statistics.power import DecisionRule, Plan, what_would_decide
from bakeoff.comparison.statistics.survival import LogRank, TimeToTarget, log_rank, time_to_target
from bakeoff.comparison.statistics.timing import TimeRatio, time_ratio
from bakeoff.comparison.verdict import Verdict, of_trained_models, verdict

__all__ = [
    "Comparison",
    "DecisionRule",
    "EntrantComparison",
    "EntrantOutcome",
    "EntrantScores",
    "Estimate",
    "FixedTestSet",
    "Flips",
    "HardImage",
    "HardestImages",
    "LeftOut",
    "LogRank",
    "McNemar",
    "Metric",
    "PairComparison",
    "PairedDifference",
    "Plan",
    "TargetTimes",
    "TimeRatio",
    "TimeToTarget",
    "Verdict",
    "compare",
    "entrant_scores",
    "equivalence_p",
    "flips",
    "hardest_images",
    "holm",
    "log_rank",
    "mcnemar",
    "of_trained_models",
    "paired_difference",
    "paired_difference_of_balanced_accuracy",
    "time_ratio",
    "time_to_target",
    "verdict",
    "what_would_decide",
]
