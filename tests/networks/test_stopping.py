"""Code that does not return is stopped; code that others starve is given time."""

from __future__ import annotations

import time

import pytest

from bakeoff.networks.stopping import StoppedError, limited


def work(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def test_code_that_works_too_long_is_stopped() -> None:
    with pytest.raises(StoppedError) as caught, limited(0.2):
        work(60)
    assert str(caught.value) == "it did not come to its end within 0.2 seconds"


def test_code_that_waits_is_stopped_too() -> None:
    with pytest.raises(StoppedError), limited(0.2):
        time.sleep(60)


def test_code_that_others_keep_from_the_processor_is_given_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "process_time", lambda: 0.0)
    with limited(0.2):
        work(0.5)
    with pytest.raises(StoppedError), limited(0.2):
        work(60)
