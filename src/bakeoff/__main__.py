"""The `bakeoff` command."""

import sys

from bakeoff.files.search_paths import leave_out_current_folder


def main() -> None:
    """Run the command line with the arguments of the process."""
    leave_out_current_folder()
    # Before all else: an interruption during the imports is one too.
    from bakeoff.runners.interruption import end_at_once, how_to_go_on, stop_on_signals

    arguments = sys.argv[1:]
    stop_on_signals(how_to_go_on(arguments))
    from bakeoff.cli.main import run

    code = run(arguments)
    if code > 128:
        end_at_once(code)
    sys.exit(code)


if __name__ == "__main__":
    main()
