"""What ships: studies, architectures, data sets, one line each."""

from __future__ import annotations

import inspect

from bakeoff.errors import UsageError, look_up


def describe(what: str) -> dict[str, str]:
    """Return the name of every `studies`, `architectures` or `datasets` entry, with one line.

    Raises UsageError where `what` is none of the three.
    """
    return look_up(what, KINDS, "nothing to list is called", UsageError)()


def _studies() -> dict[str, str]:
    from bakeoff.study.toml import read_study, shipped_studies

    studies = {name: read_study(path) for name, path in shipped_studies().items()}
    return {
        name: f"{study.title}: {len(study.entrants)} entrants, {study.seeds} x each"
        for name, study in studies.items()
    }


def _architectures() -> dict[str, str]:
    from bakeoff.networks.catalogue import ARCHITECTURES

    return {
        name: (inspect.getdoc(builder) or "").partition("\n")[0]
        for name, builder in ARCHITECTURES.items()
    }


def _datasets() -> dict[str, str]:
    from bakeoff.data.catalogue import SOURCES

    return {
        name: f"{source.title} ({source.train_images:,} to train on, "
        f"{source.test_images:,} to test; {source.licence})"
        for name, source in SOURCES.items()
    }


KINDS = {"studies": _studies, "architectures": _architectures, "datasets": _datasets}
"""What can be listed."""
