"""Where code and programs are looked for: never in the current folder, which may be anybody's."""

# Imported while the current folder may still be searched: nothing but what Python itself has loaded
# by then, and so neither `__future__` nor `pathlib`.
# ruff: noqa: PTH109, PTH117, PTH118
import os
import sys


def leave_out_current_folder() -> None:
    """Let this process, and all that it starts, take no code from folders that nobody named.

    Those are the folder that `python -m` or the script's place puts first, where it is the current
    one, and all that depends on the current folder in PYTHONPATH and PATH: an empty entry, a dot.
    """
    try:
        here = os.getcwd()
    except OSError:  # It was removed, and nothing can come from it.
        here = ""
    if not sys.flags.safe_path and sys.path[:1] in ([""], [here]):
        del sys.path[0]
    modules = os.environ.get("PYTHONPATH", "")
    if modules and not sys.flags.ignore_environment:
        listed = modules.split(os.pathsep)
        relative = {
            os.path.normpath(os.path.join(here, each)) for each in listed if not os.path.isabs(each)
        }
        sys.path[:] = [each for each in sys.path if each not in relative]
    os.environ.update(safe_environment())


def safe_environment() -> dict[str, str]:
    """Return the variables of this process, without folders that depend on the current one."""
    found = dict(os.environ)
    if "PATH" in found:
        # A path without a folder would be the current one.
        found["PATH"] = _absolute(found["PATH"]) or os.defpath
    if "PYTHONPATH" in found:
        found["PYTHONPATH"] = _absolute(found["PYTHONPATH"])
    return found


def _absolute(folders: str) -> str:
    return os.pathsep.join(each for each in folders.split(os.pathsep) if os.path.isabs(each))
