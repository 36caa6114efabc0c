"""The code of networks from elsewhere: loaded where the user names it, or where a run keeps it."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from bakeoff.errors import BakeoffError, NetworkError, StudyError
from bakeoff.networks.calling import called
from bakeoff.networks.catalogue import network
from bakeoff.networks.given import read_given
from bakeoff.networks.known import is_given, is_known, network_of, remember, remember_given
from bakeoff.networks.network import Network
from bakeoff.networks.sources import Source, read_source
from bakeoff.networks.trust import is_trusted, trust
from bakeoff.study.study import Entrant, Study

Kept = Mapping[str, Mapping[str, bytes]]
"""SHA-256 of a network's code, or of weights that it starts from -> files by their path."""


UNKNOWN = "unknown"
"""What code is known by, before the name of its entrant, where nothing is known of it."""


class UntrustedError(NetworkError):
    """Code that lies in a run folder, and that this user never had run."""


def load_code(study: Study, where: str) -> tuple[Study, Kept]:
    """Load the networks that a study of the user's names, and trust their code from now on.

    Returns the study with what code and given weights of each are known by, and the files of both.
    Raises StudyError, which begins with `where`, for a name that is unknown, code that fails,
    weights that cannot be read, or files that are not the ones that the study asks for.
    """
    entrants = []
    kept: dict[str, Mapping[str, bytes]] = {}
    for number, entrant in enumerate(study.entrants):
        try:
            known_by, source = _loaded(entrant, study.folder)
        except BakeoffError as error:
            place = f"{where}: entrants[{number}].architecture"
            raise StudyError(f"{place}: {error}") from error
        if entrant.source not in (None, known_by):
            raise StudyError(
                f"{where}: entrants[{number}].source: the code of {entrant.architecture} is "
                f"{known_by}, not {entrant.source}; leave it out, or bring that code back"
            )
        if source is not None:
            kept[source.sha256] = source.content
        found = entrant.model_copy(update={"source": known_by})
        entrants.append(_with_weights(found, study.folder, f"{where}: entrants[{number}]", kept))
    return study.model_copy(update={"entrants": tuple(entrants)}), kept


def _with_weights(
    entrant: Entrant, folder: Path, where: str, kept: dict[str, Mapping[str, bytes]]
) -> Entrant:
    """Load the weights that an entrant starts from; return it with their hash."""
    if entrant.weights is None:
        return entrant
    if network_of(*entrant.code).given is not None:
        raise StudyError(
            f"{where}.weights: {entrant.architecture} brings weights along by its arguments, too; "
            "leave one of them out"
        )
    file = folder / Path(entrant.weights).expanduser()
    try:
        given, content = read_given(file, entrant.weights)
    except NetworkError as error:
        raise StudyError(f"{where}.weights: {error}") from error
    if entrant.weights_sha256 not in (None, given.sha256):
        raise StudyError(
            f"{where}.weights_sha256: {entrant.weights} is {given.sha256}, not "
            f"{entrant.weights_sha256}; leave it out, or bring that file back"
        )
    remember_given(given)
    kept[given.sha256] = {file.name: content}
    return entrant.model_copy(update={"weights_sha256": given.sha256})


def _loaded(entrant: Entrant, folder: Path) -> tuple[str | None, Source | None]:
    """Load the network of an entrant; return what its code is known by, and the code."""
    if entrant.source is not None and is_known(*entrant.code):
        trust(_fingerprint(entrant))
        return entrant.source, network_of(*entrant.code).source
    found = network(entrant.architecture, entrant.arguments, folder)
    if ":" not in entrant.architecture:
        return None, None
    known_by = found.source.sha256 if found.source else found.version
    known = entrant.model_copy(update={"source": known_by})
    remember(*known.code, found)
    trust(_fingerprint(known))
    return known_by, found.source


def load_object(name: str, what: Callable[..., Any]) -> tuple[str, str]:
    """Let a class or function be the network of an entrant; return what a study calls it.

    That is its file and name, and what its code is known by: `UNKNOWN` and the entrant's name where
    Python does not know its source. Raises NetworkError where it cannot be called.
    """
    source, file, known_by = _source_of(what)
    called_name = getattr(what, "__qualname__", type(what).__name__)
    architecture, known_by = f"{file}:{called_name}", known_by or f"{UNKNOWN} {name}"
    made = Network(called_name, called(what, called_name, {}, source), source)
    remember(architecture, None, known_by, made)
    return architecture, known_by


def _source_of(what: Callable[..., Any]) -> tuple[Source | None, str, str | None]:
    """Return the code of an object, its file as a study names it, and what the code is known by."""
    try:
        file = inspect.getsourcefile(what)
        if file is not None and file.endswith(".py") and Path(file).is_file():
            source = read_source(Path(file))
            return source, Path(file).name, source.sha256
        text = inspect.getsource(what)
    except (TypeError, OSError, NetworkError):
        return None, "python", None
    return None, "python", hashlib.sha256(text.encode()).hexdigest()


def load_kept(
    entrants: Iterable[Entrant],
    kept_in: Callable[[str], Path],
    home: Path | None = None,
    *,
    trusted: bool = False,
) -> None:
    """Load the networks of entrants of a run folder, from where they lay or from what it keeps.

    kept_in: the SHA-256 of code, or of given weights -> the folder that holds it. home: the folder
    that the study named files from. While the same code lies there still, it is loaded there, since
    it may read what else lies beside it. trusted: whether the user said so, or
    a command that the user gave has loaded it before. Raises UntrustedError where this user never
    had that code run, NetworkError where it is gone or damaged, or where another version of its
    package is installed.
    """
    for entrant in entrants:
        _load_kept_weights(entrant, kept_in)
        if is_known(*entrant.code):
            continue
        file, colon, name = entrant.architecture.rpartition(":")
        if not trusted and not is_trusted(_fingerprint(entrant)):
            code = kept_in(entrant.source or "") if file.endswith(".py") else entrant.source
            raise UntrustedError(
                f"{entrant.name}: {entrant.architecture} is code that you never had run; look at "
                f"{code}, then say --trust-code"
            )
        where, folder = entrant.architecture, home or Path()
        if file.endswith(".py") and not _lies_in(home, file, entrant.source):
            folder = kept_in(entrant.source or "")
            where = f"{_main(folder, file, entrant.source)}{colon}{name}"
        found = network(where, entrant.arguments, folder)
        if found.version not in ("", entrant.source) and not trusted:
            raise NetworkError(
                f"{entrant.name}: {entrant.architecture} was trained with {entrant.source}, and "
                f"{found.version} is installed; install the former, or say --trust-code"
            )
        remember(*entrant.code, found)
        trust(_fingerprint(entrant))


def _load_kept_weights(entrant: Entrant, kept_in: Callable[[str], Path]) -> None:
    """Load the weights that an entrant starts from, of which a run keeps a copy."""
    sha256 = entrant.weights_sha256
    if entrant.weights is None or sha256 is None or is_given(sha256):
        return
    file = kept_in(sha256) / Path(entrant.weights).name
    given, _ = read_given(file, entrant.weights)
    if given.sha256 != sha256:
        raise NetworkError(
            f"{file}: not the weights that {entrant.name} started from; bring them back"
        )
    remember_given(given)


def _lies_in(home: Path | None, file: str, sha256: str | None) -> bool:
    """Return whether the code with this hash lies where the study named it."""
    if home is None:
        return False
    try:
        return read_source(home / Path(file).expanduser()).sha256 == sha256
    except (NetworkError, RuntimeError):
        return False


def _main(folder: Path, file: str, sha256: str | None) -> Path:
    """Return which of the kept files was named, told by the hash that all have together."""
    for candidate in _called(folder, Path(file).name):
        if read_source(candidate).sha256 == sha256:
            return candidate.relative_to(folder)
    raise NetworkError(
        f"{folder}: not the code that {file} was trained with; bring it back, or pictures and "
        "predictions cannot be made anew"
    )


def _called(folder: Path, name: str) -> Iterable[Path]:
    return sorted(folder.rglob(name)) if folder.is_dir() else ()


def _fingerprint(entrant: Entrant) -> str:
    """Return what trust is in: this code, called by this name with these arguments."""
    called = json.dumps(entrant.code, sort_keys=True)
    return hashlib.sha256(called.encode()).hexdigest()
