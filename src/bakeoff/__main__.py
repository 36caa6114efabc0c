"""The `bakeoff` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line with the arguments of the process."""
    # Before all else: an interruption during the imports is one too.
    from bakeoff.interruption import stop_on_signals

    stop_on_signals()
    from bakeoff.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
