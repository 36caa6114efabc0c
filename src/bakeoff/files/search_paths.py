"""Where code and programs are looked for: never in the current folder, which may be anybody's."""

# Imported while the current folder may still be searched: nothing but what Python itself has loaded
# by then, and so neither `__future__` nor `pathlib`.
# ruff: noqa: PTH100, PTH109, PTH117
import os
import sys


def leave_out_current_folder() -> None:
    """Let this process, and all that it starts, take no code from folders that nobody named.

    Those are the folder that `python -m` or the script's place puts first, where it is the current
    one, and all that depends on the current folder in PYTHONPATH and PATH: an empty entry, a dot.
    """
    if not sys.flags.safe_path and sys.path and sys.path[0] in _current_folder():
        del sys.path[0]
    modules = os.environ.get("PYTHONPATH", "")
    if modules and not sys.flags.ignore_environment:
        relative = {os.path.abspath(each) for each in modules.split(os.pathsep) if _moves(each)}
        sys.path[:] = [each for each in sys.path if each not in relative]
    os.environ.update(safe_environment())


def safe_environment() -> dict[str, str]:
    """Return the variables of this process, without folders that depend on the current one."""
    found = dict(os.environ)
    for name in ("PATH", "PYTHONPATH"):
        if found.get(name):
            kept = [each for each in found[name].split(os.pathsep) if not _moves(each)]
            found[name] = os.pathsep.join(kept)
    return found


def _moves(folder: str) -> bool:
    """Return whether another current folder makes it another folder."""
    return not os.path.isabs(folder)


def _current_folder() -> list[str]:
    try:
        return ["", os.getcwd()]
    except OSError:  # It was removed.
        return [""]
