"""The `bakeoff` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line with the arguments of the process."""
    from bakeoff.cli import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
