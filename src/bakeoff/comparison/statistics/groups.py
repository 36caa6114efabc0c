"""Items that come in groups: patients, documents, questions on one passage.

Groups are drawn, not items: what an item adds to a mean is summed over its group, and the spread of
these sums is what other groups would change (clustered standard errors; Liang & Zeger 1986,
Biometrika 73:13-22). A sum is taken about a mean that it has itself pulled towards it, the larger
the group the more; so each is measured against the mean without that group: the jackknife, or "CR3"
(Bell & McCaffrey 2002, Surv. Methodol. 28:169-181; MacKinnon, Nielsen & Webb 2023, J. Econometrics
232:272-299). Degrees of freedom are Satterthwaite's, as if answers were independent (Bell &
McCaffrey; Hansen 2022, Jackknife standard errors for clustered regression).
docs/statistics.md holds the formulas, and how they were tried out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bakeoff.comparison.statistics.checks import Floats, Integers, Scores
from bakeoff.comparison.statistics.variance import CrossedParts, Strata


@dataclass(frozen=True)
class Groups:
    """Which group each item is of, and how far the sums of each group are to be trusted.

    Attributes:
        index: the group of each item, int64 [items], 0 .. number - 1, every group inhabited.
        number: of groups.
        strata: of the items.
        weights: by what an item's distance from the mean of its class counts in the sum of its
            group, float64 [items].
        degrees_of_freedom: of the variance that the sums give.
        unseen: squared standard error that is assumed for classes which one group alone holds.

    """

    index: Integers
    number: int
    strata: Strata
    weights: Floats
    degrees_of_freedom: float
    unseen: float

    def sums(self, contributions: Scores) -> Floats:
        """Return how far each group pulls the mean from where it is: float64 [rows, groups].

        contributions: what items add, [rows, items], as for `crossed_parts`.
        """
        strata, found = self.strata, np.empty((len(contributions), self.number))
        for row, values in enumerate(contributions):
            sums = np.bincount(strata.index, weights=values, minlength=len(strata.sizes))
            away = self.weights * (values - (sums / strata.sizes)[strata.index])
            found[row] = np.bincount(self.index, weights=away, minlength=self.number)
        return found

    def crossed_parts(self, by_seed: Floats, contributions: Scores) -> CrossedParts:
        """Return the parts of the variance of mean(by_seed), where groups are drawn, not items."""
        seeds = len(by_seed)
        sums = self.sums(contributions)
        means = sums.mean(axis=0)
        raw = float(means @ means) + self.unseen
        residual = float(((sums - means) ** 2).sum()) / (seeds - 1) / seeds
        return CrossedParts(
            seeds=float(np.var(by_seed, ddof=1)) / seeds,
            images=max(raw - residual, 0.0),
            residual=residual,
            raw_images=raw,
        )


def groups_of(index: Integers, strata: Strata, lone_variance: float) -> Groups:
    """Return the groups of items, with what their sums need.

    Args:
        index: the group of each item, int64 [items]; any numbers.
        strata: of the items.
        lone_variance: the variance assumed of a class mean where one group holds the whole class.

    """
    # A third of a second, which verdicts that need none of it shall not wait for.
    from scipy import sparse

    _, group = np.unique(index, return_inverse=True)
    number, classes = int(group.max()) + 1, len(strata.sizes)
    # A cell is what a group holds of a class.
    cells, cell, held = np.unique(
        group * classes + strata.index, return_inverse=True, return_counts=True
    )
    of_group, of_class = np.divmod(cells, classes)
    share = held / strata.sizes[of_class]
    in_class = np.bincount(of_class, minlength=classes)[of_class]
    # From the mean without the cell its own is 1 / (1 - share) times as far as from that with it;
    # the other factor makes it the usual variance where all cells of a class are of one size.
    scale = np.sqrt((in_class - 1) / in_class) / np.where(share < 1, 1 - share, 1.0)

    # Were answers independent, of variance 1, the covariance of the sums would be diag(adds) less
    # shares shares'. Of its square's trace only that low rank has to be multiplied out.
    of_mean = (strata.weights**2 / strata.sizes)[of_class]
    adds = np.bincount(of_group, weights=of_mean * scale**2 * share, minlength=number)
    shares = sparse.csr_array(
        (np.sqrt(of_mean) * scale * share, (of_group, of_class)), shape=(number, classes)
    )
    shrunk = shares.power(2).sum(axis=1)
    squares = float(adds @ (adds - 2 * shrunk)) + float((shares.T @ shares).power(2).sum())
    return Groups(
        index=group.astype(np.int64),
        number=number,
        strata=strata,
        weights=strata.image_weights * scale[cell],
        degrees_of_freedom=float((adds - shrunk).sum()) ** 2 / squares if squares > 0 else 1.0,
        unseen=float((strata.weights[of_class[share == 1]] ** 2).sum()) * lone_variance,
    )
