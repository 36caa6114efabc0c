"""How trials share the cores that there are for this process."""

from __future__ import annotations

from bakeoff.errors import UsageError
from bakeoff.files.cores import usable_cores

Asked = int | str
"""A number from 1 up, or `auto`."""


def may_be_several(jobs: Asked) -> bool:
    """Return whether several trials may train at once, as far as one can tell before a plan."""
    return jobs != "1" and usable_cores() > 1


def share_out(jobs: Asked, threads: Asked, cores: int) -> tuple[int, int]:
    """Return how many trials train at once, and in how many threads each.

    `auto` is one thread for each trial and a trial for each core: a thread that waits for no other
    loses nothing to whatever else runs, and weights do not depend on how many cores there are.
    Raises UsageError where there cannot be so many.
    """
    each = 1 if threads == "auto" else number_of("--threads", threads)
    if each > cores:
        raise UsageError(f"--threads {each}: cores to be had here: {cores}; give at most that")
    at_once = max(1, cores // each) if jobs == "auto" else number_of("--jobs", jobs)
    if each > 1 and at_once * each > cores:
        raise UsageError(
            f"--jobs {at_once} --threads {each}: cores to be had here: {cores}; more threads than "
            "that wait for each other, so leave one of the two to auto"
        )
    return at_once, each


def number_of(option: str, asked: Asked) -> int:
    """Return a number that was asked for; raise UsageError where it is none from 1 up."""
    try:
        number = int(asked)
    except ValueError:
        number = 0
    if number < 1:
        raise UsageError(f"{option} {asked}: give a number from 1 up, or auto")
    return number
