"""What ships: studies, architectures, data sets, one line each."""

from __future__ import annotations

import inspect

from bakeoff.errors import UsageError, did_you_mean


def describe(what: str) -> list[tuple[str, str]]:
    """Return (name, one line) of every `studies`, `architectures` or `datasets` entry.

    Raises UsageError where `what` is none of the three.
    """
    kinds = {"studies": _studies, "architectures": _architectures, "datasets": _datasets}
    if what not in kinds:
        raise UsageError(f"nothing called {what!r} to list; {did_you_mean(what, kinds)}")
    return kinds[what]()


def _studies() -> list[tuple[str, str]]:
    from bakeoff.study.toml import read_study, shipped_studies

    studies = [(name, read_study(path)) for name, path in shipped_studies().items()]
    return [
        (name, f"{study.title}: {len(study.entrants)} entrants, {study.seeds} x each")
        for name, study in studies
    ]


def _architectures() -> list[tuple[str, str]]:
    from bakeoff.networks.catalogue import ARCHITECTURES

    return [
        (name, (inspect.getdoc(builder) or "").partition("\n")[0])
        for name, builder in ARCHITECTURES.items()
    ]


def _datasets() -> list[tuple[str, str]]:
    from bakeoff.data.catalogue import SOURCES

    datasets = [load() for load in SOURCES.values()]
    return [
        (
            data.name,
            f"{data.title} ({len(data.train_labels):,} to train on, "
            f"{len(data.test_labels):,} to test; {data.licence})",
        )
        for data in datasets
    ]
