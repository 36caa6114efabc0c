"""bakeoff: fair bake-offs of neural-network architectures.

The public names are loaded when they are first used, so that `import bakeoff` is quick.
"""

# `python -m bakeoff` comes here while the current folder is still searched, where a `typing.py` may
# lie: nothing is imported that Python has not loaded by then.
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bakeoff.commands.bake import Conclusion, Dataset, bake, load
    from bakeoff.commands.compare import compare_run
    from bakeoff.commands.judge import Judged, judge
    from bakeoff.commands.report import report_run
    from bakeoff.commands.run import Baked, run_study
    from bakeoff.comparison.statistics.crossed import PairedDifference, paired_difference
    from bakeoff.comparison.statistics.mcnemar import mcnemar
    from bakeoff.errors import BakeoffError
    from bakeoff.records.record import Record
    from bakeoff.study.protocol import Protocol
    from bakeoff.study.recipe import Recipe
    from bakeoff.study.study import Entrant, Study
    from bakeoff.study.toml import read_study

    __version__: str

__all__ = [
    "Baked",
    "BakeoffError",
    "Conclusion",
    "Dataset",
    "Entrant",
    "Judged",
    "PairedDifference",
    "Protocol",
    "Recipe",
    "Record",
    "Study",
    "__version__",
    "bake",
    "compare_run",
    "judge",
    "load",
    "mcnemar",
    "paired_difference",
    "read_study",
    "report_run",
    "run_study",
]

_HOMES = {
    "bakeoff.commands.bake": ("Conclusion", "Dataset", "bake", "load"),
    "bakeoff.commands.run": ("Baked", "run_study"),
    "bakeoff.comparison.statistics.crossed": ("PairedDifference", "paired_difference"),
    "bakeoff.comparison.statistics.mcnemar": ("mcnemar",),
    "bakeoff.commands.compare": ("compare_run",),
    "bakeoff.commands.judge": ("Judged", "judge"),
    "bakeoff.commands.report": ("report_run",),
    "bakeoff.errors": ("BakeoffError",),
    "bakeoff.records.record": ("Record",),
    "bakeoff.study.recipe": ("Recipe",),
    "bakeoff.study.study": ("Entrant", "Protocol", "Study"),
    "bakeoff.study.toml": ("read_study",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name == "__version__":
        return import_module("importlib.metadata").version("bakeoff")
    if name not in _HOME_OF:
        raise AttributeError(f"module 'bakeoff' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
