"""Files from anywhere, read with care: what they are and how large is known before they are read.

Each function raises UnreadableError, `<file>: <reason>`, to which its caller adds what to do.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import stat
import tomllib
from collections.abc import Callable, Mapping
from io import BufferedReader
from pathlib import Path
from typing import Any, NoReturn

from bakeoff.errors import UnreadableError
from bakeoff.text import visible

SEAL = "seal"
"""The last key of a sealed document."""
_SEAL_LINE = "# SHA-256 of what follows: "

_MOST_VALUES = 200_000  # Of one JSON document: a value of two bytes can take 300 once it is read.

# A key of this many parts is no key; reading takes a time that grows with the square of them.
_KEY_PART = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
_ENDLESS_KEY = re.compile(rf"(?<![\w-]){_KEY_PART}(?:[ \t]*\.[ \t]*{_KEY_PART}){{16}}")


def open_file(path: Path, opened: Callable[[int], int] | None = None) -> BufferedReader:
    """Open a regular file to read.

    opened: opens it with the flags that it is given, in another way than by its path.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK  # A FIFO in its place must not make us wait for a writer.
    try:
        descriptor = opened(flags) if opened else os.open(path, flags)
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise UnreadableError(f"{path}: not the name of a file") from error
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        what = "Is a directory" if stat.S_ISDIR(mode) else "not a regular file"
        raise UnreadableError(f"{path}: {what}")
    return os.fdopen(descriptor, "rb")


def read_file(path: Path, most: int, opened: Callable[[int], int] | None = None) -> bytes:
    """Return the bytes of a regular file of at most `most` bytes; what is larger is not read.

    opened: as for `open_file`.
    """
    try:
        with open_file(path, opened) as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > most:
                raise UnreadableError(f"{path}: {size:,} bytes, at most {most:,} are read")
            content = stream.read(size + 1)
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror}") from error
    except MemoryError as error:
        raise UnreadableError(f"{path}: does not fit into memory") from error
    if len(content) != size:
        raise UnreadableError(f"{path}: changed while it was read")
    return content


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a regular file, of which a piece at a time is read."""
    with open_file(path) as stream:
        try:
            return hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise UnreadableError(f"{path}: {error.strerror}") from error


def parse_json(content: bytes, where: str, most_values: int = _MOST_VALUES) -> Any:
    """Return the value of a JSON document in UTF-8.

    Stricter than the library: no key twice, no number that is not finite, no endless list.
    """
    if sum(map(content.count, (b",", b"[", b"{"))) > most_values:
        raise UnreadableError(f"{where}: damaged, more than {most_values:,} values")
    try:
        return json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_each_key_once,
            parse_float=_finite,
            parse_constant=_refuse_constant,
        )
    except RecursionError as error:
        raise UnreadableError(f"{where}: damaged, nested too deeply") from error
    except (ValueError, MemoryError) as error:
        raise UnreadableError(f"{where}: damaged, not valid JSON") from error


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key stands twice")
    return document


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise ValueError(f"{text} is not finite")
    return value


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")


def parse_toml(content: bytes, where: str) -> dict[str, Any]:
    """Return the table of a TOML document in UTF-8.

    As editors of other systems write it: after a byte order mark, with line ends of any kind.
    """
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        if _ENDLESS_KEY.search(text):
            raise UnreadableError(f"{where}: not valid TOML: nested too deeply")
        return tomllib.loads(text)
    except RecursionError as error:
        raise UnreadableError(f"{where}: not valid TOML: nested too deeply") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UnreadableError(f"{where}: not valid TOML: {visible(str(error))}") from error
    except (ValueError, OverflowError, MemoryError) as error:
        raise UnreadableError(f"{where}: not valid TOML: a value is too large") from error


def sealed(document: Mapping[str, Any]) -> bytes:
    """Return the document as JSON whose last key is the SHA-256 of the rest as it stands there."""
    rest = json.dumps(document, indent=1, allow_nan=False)
    digest = hashlib.sha256(rest.encode()).hexdigest()
    return (json.dumps({**document, SEAL: digest}, indent=1, allow_nan=False) + "\n").encode()


def unsealed(content: bytes, where: str) -> dict[str, Any]:
    """Return the document that `sealed` wrote; one with any other byte in it is refused."""
    document = parse_json(content, where)
    if not isinstance(document, dict):
        raise UnreadableError(f"{where}: damaged, not a JSON object")
    document.pop(SEAL, None)
    if sealed(document) != content:
        raise UnreadableError(f"{where}: damaged, its seal is not that of its content")
    return document


def sealed_toml(text: str) -> bytes:
    """Return the TOML below a comment that holds its SHA-256."""
    return f"{_SEAL_LINE}{hashlib.sha256(text.encode()).hexdigest()}\n{text}".encode()


def unsealed_toml(content: bytes, where: str) -> dict[str, Any]:
    """Return the table that `sealed_toml` wrote; one with any other byte in it is refused."""
    line, _, text = content.partition(b"\n")
    if line != f"{_SEAL_LINE}{hashlib.sha256(text).hexdigest()}".encode():
        raise UnreadableError(f"{where}: damaged, its first line is not the SHA-256 of the rest")
    return parse_toml(text, where)
