"""The errors that a user can meet. The command line shows each as one line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from bakeoff.text import counted, visible

Known = TypeVar("Known")


class BakeoffError(Exception):
    """Something that the user can mend: the message says what, where, and what to do."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        # It may quote a file: nothing in it may break the line or steer the terminal.
        super().__init__(visible(message))


class UnreadableError(BakeoffError):
    """A file that cannot be read as what it should be; its reader's caller says what to do."""


class UsageError(BakeoffError):
    """The command or call itself is wrong: a misspelt name, an option out of range."""

    exit_code = 2


class StudyError(BakeoffError):
    """A study file that does not say what a study must say."""


class DataError(BakeoffError):
    """Data or arrays that are damaged, truncated or of the wrong shape."""


class NetworkError(BakeoffError):
    """A network whose code cannot be read or run, or that is none."""


class StoreError(BakeoffError):
    """A run folder that cannot be written, is damaged, or belongs to another study."""


class DamagedError(StoreError):
    """A finished trial with a file that is not the one that was written."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what}; {mend}")
        self.what = what


class NotShownError(BakeoffError):
    """A requirement on entrants that predictions do not show to be met."""

    exit_code = 3


class TrialsFailedError(BakeoffError):
    """A run that went to its end, with trials that did not complete."""

    def __init__(self, troubles: Sequence[str], planned: int, missing: int) -> None:
        """Take one trouble per trial; `missing` of them were never trained, the others failed."""
        mend = "--retry-failed trains them again"
        if missing == len(troubles):
            mend = "the same command trains what is missing"
        elif missing:
            mend = "the same command trains what is missing, with --retry-failed the others again"
        super().__init__(
            f"{len(troubles)} of {counted(planned, 'trial')} did not complete: "
            f"{'; '.join(troubles)}; {mend}"
        )


def look_up(
    name: str, known: Mapping[str, Known], complaint: str, error: type[BakeoffError]
) -> Known:
    """Return what `name` stands for; raise `error` with the nearest name where it is unknown.

    complaint: what is wrong, to be followed by the name, as "unknown study".
    """
    if name not in known:
        raise error(f"{complaint} {name!r}; {did_you_mean(name, known)}")
    return known[name]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return what to try instead of the unknown `name`: the nearest of `known`, or all of them."""
    names = sorted(known)
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if nearest:
        return f"did you mean {nearest[0]!r}?"
    return f"known: {', '.join(names)}"
