"""Items that come in groups: patients, documents, questions on one passage.

Groups are drawn, not items: what an item adds to a mean is summed over its group, and the spread of
these sums is what other groups would change (clustered, or Liang & Zeger 1986, Biometrika 73:13-22,
standard errors). A sum is taken about the mean that it has itself pulled towards it, the larger the
group the more; the correction for that is CR2 (Bell & McCaffrey 2002, Surv. Methodol. 28:169-181),
under the working model that answers of a group are as alike as `correlation` says, with
Satterthwaite's degrees of freedom under the same (Pustejovsky & Tipton 2018, J. Bus. Econ. Stat.
36:672-683).
docs/statistics.md holds the formulas.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from bakeoff.comparison.statistics.checks import Floats, Integers
from bakeoff.comparison.statistics.variance import CrossedParts, Strata

# Of the variance of an item's answers, how much its group has in common in the working model.
CORRELATION = 0.5


@dataclass(frozen=True)
class Groups:
    """Which group each item is of, and how far the sums of each group are to be trusted.

    Attributes:
        index: the group of each item, int64 [items], 0 .. number - 1, every group inhabited.
        number: of groups.
        strata: of the items.
        correction: by what each group's squared sum is multiplied, float64 [groups] (CR2).
        degrees_of_freedom: of the variance so estimated (Satterthwaite).
        unseen: squared standard error that is assumed for classes which one group alone holds.

    """

    index: Integers
    number: int
    strata: Strata
    correction: Floats
    degrees_of_freedom: float
    unseen: float

    def sums(self, contributions: Floats) -> Floats:
        """Return how far each group pulls the mean from itself: float64 [rows, groups].

        contributions: what items add, float64 [rows, items], as for `crossed_parts`.
        """
        strata = self.strata
        away = np.empty_like(contributions)
        for row, values in enumerate(contributions):
            sums = np.bincount(strata.index, weights=values, minlength=len(strata.sizes))
            away[row] = values - (sums / strata.sizes)[strata.index]
        return self.moves(away)

    def moves(self, contributions: Floats) -> Floats:
        """Return what each group adds to the mean, in each row: float64 [rows, groups]."""
        weights = self.strata.image_weights
        return np.stack(
            [
                np.bincount(self.index, weights=weights * row, minlength=self.number)
                for row in contributions
            ]
        )

    def crossed_parts(self, by_seed: Floats, contributions: Floats) -> CrossedParts:
        """Return the parts of the variance of mean(by_seed), where groups are drawn, not items."""
        seeds = len(by_seed)
        sums = self.sums(contributions)
        means = sums.mean(axis=0)
        raw = float(self.correction @ means**2) + self.unseen
        joint = float(self.correction @ ((sums - means) ** 2).sum(axis=0))
        residual = joint / (seeds - 1) / seeds
        return CrossedParts(
            seeds=float(np.var(by_seed, ddof=1)) / seeds,
            images=max(raw - residual, 0.0),
            residual=residual,
            raw_images=raw,
        )


def groups_of(
    index: Integers, strata: Strata, lone_variance: float, correlation: float = CORRELATION
) -> Groups:
    """Return the groups of items, with corrections and degrees of freedom.

    Args:
        index: the group of each item, int64 [items]; any numbers.
        strata: of the items.
        lone_variance: the variance assumed of a class mean where one group holds the whole class.
        correlation: of two answers of a group and class, in the working model, in [0, 1].

    """
    _, group = np.unique(index, return_inverse=True)
    number, classes = int(group.max()) + 1, len(strata.sizes)
    cells, held = np.unique(group * classes + strata.index, return_counts=True)
    of_group, of_class = np.divmod(cells, classes)
    share = held / strata.sizes[of_class]
    seen = share < 1
    unseen = float((strata.weights[of_class[~seen]] ** 2).sum()) * lone_variance

    # The working model: variance of what a cell adds to its class mean, and of that mean.
    spread = (1 - correlation) * share / strata.sizes[of_class] + correlation * share**2
    spread = np.where(seen, spread * strata.weights[of_class] ** 2, 0.0)
    in_all = np.bincount(of_class, weights=spread, minlength=classes)
    share = np.where(seen, share, 0.0)
    about_mean = spread * (1 - 2 * share) + share**2 * in_all[of_class]
    by_group = np.bincount(of_group, weights=spread, minlength=number)
    left = np.bincount(of_group, weights=about_mean, minlength=number)
    correction = np.divide(by_group, left, out=np.ones(number), where=left > 0)

    # Covariances of the sums are a diagonal and a matrix of low rank; of their squares' sum only
    # that low rank has to be multiplied out.
    shape = (number, classes)
    shares = sparse.csr_array((share, (of_group, of_class)), shape=shape)
    spreads = sparse.csr_array((spread, (of_group, of_class)), shape=shape)
    both = sparse.hstack([shares, spreads]).tocsr()
    middle = np.block(
        [[np.diag(in_all), -np.eye(classes)], [-np.eye(classes), np.zeros((classes, classes))]]
    )
    inner = middle @ (both.T @ (both * correction[:, None])).toarray()
    squares = (
        float((correction**2 * by_group**2).sum())
        + 2 * float((correction**2 * by_group * (left - by_group)).sum())
        + float((inner * inner.T).sum())
    )
    return Groups(
        index=group.astype(np.int64),
        number=number,
        strata=strata,
        correction=correction,
        degrees_of_freedom=float(in_all.sum()) ** 2 / squares if squares > 0 else 1.0,
        unseen=unseen,
    )
