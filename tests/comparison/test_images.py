from __future__ import annotations

import numpy as np

from bakeoff.comparison import flips, hardest_images


def test_ranking_puts_most_wrong_first_and_keeps_ties_in_order() -> None:
    wrong = np.array([[0, 1, 0, 1, 0], [0, 1, 1, 1, 0], [0, 0, 0, 1, 0]], dtype=bool)
    ranking = hardest_images(~wrong)
    assert ranking.order.tolist() == [3, 1, 2, 0, 4]
    assert ranking.wrong.tolist() == [3, 2, 1, 0, 0]
    assert ranking.trials == 3


def test_flips_need_most_seeds() -> None:
    a = np.array([[1, 1, 0, 1], [1, 0, 0, 1], [1, 0, 0, 1], [1, 1, 0, 1]], dtype=bool)
    b = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1], [1, 0, 0, 1]], dtype=bool)
    found = flips(a, b)
    # Image 1 parts them in two of four seeds only.
    assert found.only_a.tolist() == [0]
    assert found.only_b.tolist() == [2]
    assert flips(b, a).only_a.tolist() == [2]
