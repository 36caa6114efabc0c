"""Standard output: one document or one text, and nothing that others print."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from typing import Any, TextIO

from bakeoff.text import broken


def print_as(as_json: bool, document: Callable[[], Any], text: Callable[[], str]) -> None:
    """Print the result as JSON, or as text; only the one asked for is made."""
    if as_json:
        print(json.dumps(document(), indent=1))
    else:
        print(in_words(text().removesuffix("\n"), sys.stdout))


def in_words(text: str, stream: TextIO) -> str:
    """Return a text as `stream` gets it: in a terminal no line breaks inside a word."""
    if not stream.isatty():
        return text
    width = shutil.get_terminal_size().columns
    return "\n".join(broken(line, width) for line in text.split("\n"))


@contextmanager
def codes_output_aside() -> Iterator[None]:
    """Let what code of networks prints go to standard error: standard output carries results.

    So does what it writes past Python, and what the programs do that it starts.
    """
    sys.stdout.flush()
    with ExitStack() as after:
        kept = os.dup(1)
        after.callback(os.close, kept)
        after.callback(os.dup2, kept, 1)
        os.dup2(2, 1)
        after.enter_context(redirect_stdout(sys.stderr))
        yield
