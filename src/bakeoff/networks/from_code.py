"""Networks from a file of the user's, or from a package that is installed."""

from __future__ import annotations

import builtins
import hashlib
import importlib
import importlib.metadata
import importlib.util
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from types import CodeType, FunctionType, ModuleType
from typing import Any

from torch import nn

from bakeoff.errors import NetworkError, did_you_mean
from bakeoff.networks.guest import guest, untrained
from bakeoff.networks.other_builds import import_module
from bakeoff.networks.randomness import own_numbers
from bakeoff.networks.sources import Source, dotted
from bakeoff.networks.trouble import told


def from_file(source: Source, name: str) -> Callable[..., Any]:
    """Return the function or class called `name` in a file, which is imported for it.

    Its modules get names of their own, made of the hash of its code: two files of one name, each
    with other ones beside it, live side by side. Raises NetworkError.
    """
    package = _FINDER.add(source)
    module = _imported(f"{package}.{dotted(source.main)}", str(source.file), source)
    return _callable(module, name, str(source.file))


def from_package(module: str, name: str) -> tuple[Callable[..., Any], str]:
    """Return a function or class of an installed package, and `package version`.

    Raises NetworkError.
    """
    if not all(part.isidentifier() for part in module.split(".")):
        raise NetworkError(f"{module}:{name}: {module!r} is not the name of a module")
    if module.partition(".")[0] in sys.stdlib_module_names:
        raise NetworkError(f"{module}:{name}: the standard library has no networks")
    found = _callable(_imported(module, module, None), name, module)
    home = str(getattr(found, "__module__", module) or module).partition(".")[0]
    if home in sys.stdlib_module_names:
        raise NetworkError(f"{module}:{name}: the standard library has no networks")
    return found, version_of(module)


def version_of(module: str) -> str:
    """Return `distribution version` of an installed module; "" where none says so."""
    top = module.partition(".")[0]
    owners = importlib.metadata.packages_distributions().get(top, [])
    return ", ".join(f"{each} {importlib.metadata.version(each)}" for each in dict.fromkeys(owners))


def _imported(module: str, label: str, source: Source | None) -> ModuleType:
    if module in sys.modules:
        return sys.modules[module]
    with told(label, source):
        try:
            with guest(label), own_numbers(0), untrained():
                return import_module(module)
        except BaseException:
            if source is not None:
                _forget(module.partition(".")[0])
            raise


def _forget(package: str) -> None:
    """Leave no module of a network that was imported in part."""
    for name in [each for each in sys.modules if each.partition(".")[0] == package]:
        del sys.modules[name]


def _callable(module: ModuleType, name: str, label: str) -> Callable[..., Any]:
    try:
        found = reduce(getattr, name.split("."), module)
    except AttributeError as error:
        known = [
            each
            for each, value in vars(module).items()
            if isinstance(value, type | FunctionType) and value.__module__ == module.__name__
        ]
        hint = (
            did_you_mean(name.partition(".")[0], known)
            if known
            else "it defines no function and no class"
        )
        raise NetworkError(f"{label}: there is no {name!r}; {hint}") from error
    if isinstance(found, nn.Module):
        raise NetworkError(
            f"{label}: {name} is a network that is made already; "
            "name its class, or a function that makes one for each seed"
        )
    if not callable(found):
        kind = type(found).__name__
        raise NetworkError(f"{label}: {name} is of type {kind}; name a class or a function")
    return found


class _Finder(MetaPathFinder):
    """Finds the modules of networks in files, under the names that only they have."""

    def __init__(self) -> None:
        self._sources: dict[str, Source] = {}

    def add(self, source: Source) -> str:
        """Return the name of the package that holds the modules of `source`."""
        if self not in sys.meta_path:
            sys.meta_path.append(self)
        # Of its place, too: code that stands in two speaks of its own file in each.
        digest = hashlib.sha256(f"{source.root}\0{source.sha256}".encode()).hexdigest()
        package = f"bakeoff_network_{digest[:16]}"
        self._sources[package] = source
        return package

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module of a network is, None for all others."""
        package, _, name = fullname.partition(".")
        source = self._sources.get(package)
        if source is None:
            return None
        file = source.modules.get(name)
        if file is None:
            loader: InspectLoader = _Folder()
            return (
                ModuleSpec(fullname, loader, is_package=True) if name in source.packages else None
            )
        spec = spec_from_file_location(
            fullname, source.root / file, loader=_Module(source, package)
        )
        if spec is not None and (file.endswith("__init__.py") or name in source.packages):
            # Without a folder: Python itself would find modules in it that were not hashed.
            spec.submodule_search_locations = []
        return spec


_FINDER = _Finder()


class _Folder(InspectLoader):
    """A package without code."""

    def get_source(self, fullname: str) -> str:
        return ""

    def is_package(self, fullname: str) -> bool:
        return True


class _Module(InspectLoader):
    """Runs the very bytes of a module that were hashed."""

    def __init__(self, source: Source, package: str) -> None:
        self._source = source
        self._package = package

    def _path(self, fullname: str) -> str:
        return self._source.modules[fullname.partition(".")[2]]

    def get_source(self, fullname: str) -> str:
        """Return the text, for whoever asks for the source of a class."""
        return importlib.util.decode_source(self._source.content[self._path(fullname)])

    def get_code(self, fullname: str) -> CodeType:
        """Return the code."""
        path = self._path(fullname)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return self.source_to_code(self._source.content[path], str(self._source.root / path))

    def exec_module(self, module: ModuleType) -> None:
        """Run a module, whose imports mean the modules beside it also when they come later."""
        vars(module)["__builtins__"] = vars(builtins) | {
            "__import__": partial(self._import, module.__name__.partition(".")[2]),
            "print": _print,
        }
        super().exec_module(module)

    def _import(
        self,
        importer: str,
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Do what the statement `import` does, with the names of this network's modules."""
        beside = None if level else self._source.beside(name, importer)
        if beside is None:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        imported = importlib.import_module(f"{self._package}.{beside}")
        if fromlist:
            return builtins.__import__(imported.__name__, globals, locals, fromlist, 0)
        up = name.count(".")
        return sys.modules[imported.__name__.rsplit(".", up)[0] if up else imported.__name__]


def _print(*values: object, file: Any = None, **how: Any) -> None:
    """Print to standard error: standard output is for results, whenever a network prints."""
    builtins.print(*values, file=sys.stderr if file in (None, sys.stdout) else file, **how)
