from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.interleaved import Ratio, Turns, Work, always_ready, take_turns


def test_each_round_goes_the_other_way_and_the_first_is_not_counted() -> None:
    calls: list[str] = []

    def work(name: str) -> Work:
        return always_ready(lambda: calls.append(name))

    turns = take_turns({name: work(name) for name in "abc"}, rounds=3)
    assert "".join(calls) == "abc" + "abc" + "cba" + "abc"
    assert turns.works == ("a", "b", "c")
    assert turns.seconds.shape == (3, 3)
    assert (turns.seconds > 0).all()


def test_making_ready_is_done_every_time_and_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 0.0

    def pass_seconds(seconds: float) -> None:
        nonlocal clock
        clock += seconds

    def ready() -> Callable[[], object]:
        pass_seconds(100)
        return lambda: pass_seconds(2)

    monkeypatch.setattr("time.perf_counter", lambda: clock)
    turns = take_turns({"a": ready, "b": always_ready(lambda: pass_seconds(5))}, rounds=2)
    np.testing.assert_array_equal(turns.seconds, [[2, 2], [5, 5]])
    assert clock == 3 * (100 + 2 + 5)


TURNS = Turns(("slow", "fast"), np.array([[6.0, 8.0, 9.0], [2.0, 4.0, 3.0]]))


def test_ratios_are_taken_within_the_rounds() -> None:
    # 3, 2 and 3: the ratio of the medians would be 8 / 3.
    assert TURNS.ratio("slow", "fast") == Ratio(3, 2, 3)
    assert TURNS.median("slow") == 8
    assert TURNS.to_dict() == {"slow": [6, 8, 9], "fast": [2, 4, 3]}


def test_a_ratio_is_shown_with_its_range_or_as_overhead() -> None:
    assert str(Ratio(3, 2, 3.456)) == "3.00 (2.00 to 3.46)"
    assert Ratio(1.02, 0.99, 1.051).overhead() == "+2.0 % (-1.0 to +5.1)"
