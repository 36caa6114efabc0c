"""What the code of a network in a file is: that file, and the modules beside it that it imports.

Found by reading: nothing is run. The standard library's names mean the standard library, then come
the files beside, then what is installed.
"""

from __future__ import annotations

import ast
import hashlib
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from bakeoff.errors import NetworkError, UnreadableError
from bakeoff.files.reading import read_file

MOST_FILES = 500
MOST_BYTES = 10_000_000
"""Of all files of a network together."""

_NEVER_BESIDE = sys.stdlib_module_names | {"torch", "numpy"}
"""What a file beside a network cannot stand in for: nothing would run without them."""


@dataclass(frozen=True)
class Source:
    """The code of a network: what it is hashed, copied and imported from."""

    root: Path
    """The folder that the paths of `content` start from."""
    main: str
    """The path of the file that was named."""
    content: Mapping[str, bytes]
    """By path, with slashes."""
    imports_from: tuple[str, ...]
    """Dotted names of the packages in which `import x` looks for x: empty for the root."""

    @property
    def file(self) -> Path:
        """The file that was named."""
        return self.root / self.main

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of all paths and contents."""
        digest = hashlib.sha256(self.main.encode())
        for path, content in sorted(self.content.items()):
            digest.update(f"\0{path}\0{len(content)}\0".encode())
            digest.update(content)
        return digest.hexdigest()

    @cached_property
    def modules(self) -> Mapping[str, str]:
        """The path of each module by its dotted name, which starts at the root."""
        return {dotted(path): path for path in self.content}

    @cached_property
    def packages(self) -> frozenset[str]:
        """Dotted names of all folders, with or without an `__init__.py`."""
        parents = [Path(path).parents for path in self.content]
        return frozenset(".".join(each.parts) for above in parents for each in above)

    def beside(self, name: str, importer: str) -> str | None:
        """Return the dotted name of the module that `import name` means in the module `importer`.

        None where it means something that is installed. A file never means itself.
        """
        first = name.partition(".")[0]
        if first in _NEVER_BESIDE:
            return None
        for package in self.imports_from:
            top = f"{package}.{first}" if package else first
            if top != importer and (top in self.modules or top in self.packages):
                return f"{package}.{name}" if package else name
        return None


def dotted(path: str) -> str:
    """Return the name of the module in a file, `a/b.py` or `a/b/__init__.py` -> `a.b`."""
    parts = list(Path(path).with_suffix("").parts)
    if parts[-1] == "__init__":
        del parts[-1]
    return ".".join(part.replace(".", "_") for part in parts)


def read_source(file: Path) -> Source:
    """Return the code of a network in `file`, without running any.

    Raises NetworkError where a file cannot be read, is not Python, or imports too much.
    """
    file = file.absolute()
    found = _Found()
    tree = found.add(file)
    root = _root(file, tree)
    tops = list(dict.fromkeys((file.parent, root)))
    found.follow(file, tree, root, tops)
    return Source(
        root=root,
        main=file.relative_to(root).as_posix(),
        content={path.relative_to(root).as_posix(): text for path, text in found.content.items()},
        imports_from=tuple(".".join(top.relative_to(root).parts) for top in tops),
    )


def defined_in(file: Path) -> list[str]:
    """Return the functions and classes that a file defines; raise NetworkError as `read_source`."""
    body = _Found().add(file).body
    kinds = ast.FunctionDef | ast.ClassDef
    return [each.name for each in body if isinstance(each, kinds) and each.name[0] != "_"]


def parsed(content: bytes, where: str) -> ast.Module:
    """Return the syntax of Python code; raise NetworkError, with the line, where it is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Of what its author wrote, as "\d".
            return ast.parse(content)
    except SyntaxError as error:
        line = f", line {error.lineno}" if error.lineno else ""
        raise NetworkError(f"{where}{line}: not valid Python: {error.msg}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise NetworkError(f"{where}: not valid Python: {error}") from error


def _root(file: Path, tree: ast.Module) -> Path:
    """Return the folder that the modules of a network are named from.

    The file's own, as when Python runs it, but for a file that imports by dots or by the name of
    its package: that is a module of the package, and needs the folder above it.
    """
    above = package = file.parent
    while (package / "__init__.py").is_file() and package != package.parent:
        package = package.parent
    imports = list(_imports(tree))
    dots = max((each.level for each in imports), default=0)
    outermost = file.relative_to(package).parts[0]
    by_name = any(each.level == 0 and each.names[0][0] == outermost for each in imports)
    if not dots and not by_name and file.name != "__init__.py":
        return file.parent
    for _ in range(dots - 1):
        above = above.parent
    return min(above, package, key=lambda folder: len(folder.parts))


@dataclass(frozen=True)
class _Import:
    level: int
    """How many dots stand before the names."""
    names: tuple[tuple[str, ...], ...]
    """Of modules, or of what may be one: `from a import b, c` -> (a, b), (a, c)."""


def _imports(tree: ast.Module) -> Iterator[_Import]:
    """Yield all imports of a file, also those inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield _Import(0, (tuple(alias.name.split(".")),))
        elif isinstance(node, ast.ImportFrom):
            module = tuple((node.module or "").split(".")) if node.module else ()
            yield _Import(node.level, tuple((*module, alias.name) for alias in node.names))


@dataclass
class _Found:
    """The files of a network, while they are looked for."""

    content: dict[Path, bytes] = field(default_factory=dict)

    def add(self, file: Path) -> ast.Module:
        """Read a file and return its syntax."""
        left = MOST_BYTES - sum(map(len, self.content.values()))
        if len(self.content) == MOST_FILES:
            raise NetworkError(f"{file}: belongs to a network of more than {MOST_FILES} files")
        try:
            self.content[file] = read_file(file, left)
        except UnreadableError as error:
            raise NetworkError(f"{error}; a network is a file of Python") from error
        return parsed(self.content[file], str(file))

    def follow(self, file: Path, tree: ast.Module, root: Path, tops: Sequence[Path]) -> None:
        """Add all files that `file` imports, and that those import."""
        waiting = [(file, tree)]
        while waiting:
            file, tree = waiting.pop()
            around = [above for above in file.parents if above.is_relative_to(root)]
            wanted = [above / "__init__.py" for above in around if above != root]
            for each in _imports(tree):
                # A file at the root has no package: dots may lead no further up.
                starts = around[each.level - 1 : each.level] if each.level else tops
                for names in each.names:
                    wanted += _files(names, starts, but=None if each.level else file)
            new = [each for each in dict.fromkeys(wanted) if each not in self.content]
            waiting += [(each, self.add(each)) for each in new if each.is_file()]


def _files(names: Sequence[str], starts: Sequence[Path], but: Path | None) -> list[Path]:
    """Return the files that Python reads to import a.b.c, in the first folder that has any."""
    if but is not None and names[0] in _NEVER_BESIDE:
        return []
    for folder in starts:
        found, inside = [], folder
        for name in names:
            package, module = inside / name / "__init__.py", inside / f"{name}.py"
            if package.is_file():
                found.append(package)
            elif module.is_file():
                found.append(module)
                break
            inside /= name
        if found and found[0] != but:
            return found
    return []
