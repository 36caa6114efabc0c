from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from bakeoff.engine.native import kernels, kernels_in_use
from bakeoff.engine.native import load as loading
from bakeoff.engine.native.build import (
    Compiler,
    NoKernelsError,
    Say,
    find_compiler,
    library_key,
    nobody,
)
from bakeoff.engine.native.cache import keep
from bakeoff.engine.native.kernels import Kernels
from bakeoff.engine.native.load import load, openmp_libraries
from bakeoff.errors import UsageError

from .plain_kernels import PlainKernels

GCC = shutil.which("gcc")
needs_gcc = pytest.mark.skipif(
    GCC is None or not sys.platform.startswith("linux"), reason="no gcc on Linux here"
)


@pytest.fixture(autouse=True)
def a_machine_for_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine is taken for one with AVX-512, and nothing is asked for."""
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    for variable in ("BAKEOFF_KERNELS", "CC"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    (folder / "add.c").write_text("int add(int a, int b) { return a + b; }\n")
    return folder


@pytest.fixture
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a line for each time that the compiler compiles."""
    count, compiler = tmp_path / "count", tmp_path / "counting"
    compiler.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] || echo once >> {count}\nexec {GCC} "$@"\n'
    )
    compiler.chmod(0o755)
    count.touch()
    monkeypatch.setenv("CC", str(compiler))
    return count


def loaded(sources: Path, cache: Path | None) -> ctypes.CDLL:
    return load(sources, cache, nobody)[0]


def sum_of(library: ctypes.CDLL) -> int:
    return int(library.add(2, 3))


def refused(sources: Path, cache: Path) -> str:
    with pytest.raises(NoKernelsError) as caught:
        loaded(sources, cache)
    return str(caught.value)


@needs_gcc
def test_kernels_are_compiled_once_and_kept(sources: Path, tmp_path: Path, counted: Path) -> None:
    cache = tmp_path / "cache"
    first, compiler = load(sources, cache, nobody)
    assert sum_of(first) == 5
    assert compiler.name.startswith("gcc ")
    (kept,) = cache.iterdir()
    assert sum_of(loaded(sources, cache)) == 5
    assert counted.read_text() == "once\n"
    assert list(cache.iterdir()) == [kept]

    (sources / "add.c").write_text("int add(int a, int b) { return a + b + 1; }\n")
    assert sum_of(loaded(sources, cache)) == 6
    assert counted.read_text() == "once\n" * 2


@needs_gcc
def test_what_is_kept_serves_also_where_the_compiler_has_broken(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text(f'#!/bin/sh\nexec {GCC} "$@"\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    assert sum_of(loaded(sources, tmp_path / "cache")) == 5
    compiler.write_text(f'#!/bin/sh\n[ "$1" = --version ] && exec {GCC} --version\nexit 1\n')
    assert sum_of(loaded(sources, tmp_path / "cache")) == 5
    assert refused(sources, tmp_path / "other") == "cc failed: exit code 1"


@needs_gcc
@pytest.mark.parametrize("cache", ["a file", "a file/below", None])
def test_where_nothing_can_be_kept_there_are_kernels_all_the_same(
    cache: str | None, sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not by permissions: root, as whom tests may run, writes everywhere.
    (tmp_path / "a file").write_text("")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    said: list[str] = []
    folder = None if cache is None else tmp_path / cache
    assert sum_of(load(sources, folder, said.append)[0]) == 5
    assert said[-1] == (
        f"kernels cannot be kept safely in {folder or 'a folder for caches'}, so every process "
        "compiles them anew"
    )
    assert list(temporary.iterdir()) == []


@needs_gcc
@pytest.mark.parametrize("damage", ["flip", "cut", "zeros", "empty", "another"])
def test_a_damaged_library_is_built_anew(
    damage: str, sources: Path, tmp_path: Path, counted: Path
) -> None:
    cache = tmp_path / "cache"
    assert sum_of(loaded(sources, cache)) == 5
    (kept,) = cache.iterdir()
    whole = kept.read_bytes()
    middle = len(whole) // 2
    kept.write_bytes(
        {
            "flip": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
            "cut": whole[:middle],
            "zeros": bytes(len(whole)),
            "empty": b"",
            "another": b"from another user",
        }[damage]
    )
    assert sum_of(loaded(sources, cache)) == 5
    assert counted.read_text() == "once\n" * 2
    assert [file.read_bytes()[:4] for file in cache.iterdir()] == [b"\x7fELF"]
    assert sum_of(loaded(sources, cache)) == 5
    assert counted.read_text() == "once\n" * 2


@needs_gcc
def test_what_is_loaded_is_not_the_file(sources: Path, tmp_path: Path) -> None:
    library = loaded(sources, tmp_path / "cache")
    for kept in (tmp_path / "cache").iterdir():
        os.truncate(kept, 0)  # A library mapped from it would be a bus error from here on.
    assert sum_of(library) == 5


@needs_gcc
def test_a_library_that_cannot_be_opened_is_told(sources: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    keep(cache, library_key(sources, find_compiler()), b"whole, but no library")
    with pytest.raises(OSError, match=r"file too short|invalid ELF header"):
        loaded(sources, cache)


@needs_gcc
@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
@pytest.mark.parametrize("name", [b"gr\xf6\xdfe", "日本".encode()])
def test_a_path_in_any_encoding_will_do(
    name: bytes, locale: str, sources: Path, tmp_path: Path
) -> None:
    code = (
        "import os, sys, torch; from pathlib import Path\n"
        "from bakeoff.engine.native.load import load, openmp_libraries\n"
        "torch.backends.cpu.get_cpu_capability = lambda: 'AVX512'\n"
        "import mmap\n"
        "with open(sys.argv[3], 'r+b') as file:\n"
        "    seen = mmap.mmap(file.fileno(), 0)\n"  # Its path is in the map of memory.
        "    print(len(openmp_libraries()))\n"
        "print(load(Path(sys.argv[1]), Path(sys.argv[2]), print)[0].add(2, 3))\n"
    )
    folder = tmp_path / os.fsdecode(name)
    folder.mkdir()
    mapped = folder / "mapped"
    mapped.write_bytes(b"1")
    done = subprocess.run(
        [sys.executable, "-c", code, sources, folder, mapped],
        env=os.environ | {"LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["1", "5"], done.stderr
    assert len(list(folder.iterdir())) == 2


@needs_gcc
def test_processes_that_compile_at_once(sources: Path, tmp_path: Path, counted: Path) -> None:
    code = (
        "import sys, torch; from pathlib import Path\n"
        "from bakeoff.engine.native.load import load\n"
        "torch.backends.cpu.get_cpu_capability = lambda: 'AVX512'\n"
        "input()\n"
        "print(load(*map(Path, sys.argv[1:]), print)[0].add(2, 3))\n"
    )
    command = [sys.executable, "-c", code, str(sources), str(tmp_path / "cache")]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate()[0] for process in processes] == ["5\n"] * 2
    assert len(list((tmp_path / "cache").iterdir())) == 1
    assert 1 <= len(counted.read_text().splitlines()) <= 2


# One pool of threads

POOL = r"""
#include <omp.h>
int threads(void) {
    int counted = 0;
    #pragma omp parallel reduction(+ : counted)
    counted = 1;
    return counted;
}
"""

SHARED = """
import os, sys, torch
from pathlib import Path
from bakeoff.engine.native.load import load, openmp_libraries
torch.backends.cpu.get_cpu_capability = lambda: "AVX512"
torch.set_num_threads(2)
torch.ones(1 << 18).add_(1)
before, tasks = openmp_libraries(), len(os.listdir("/proc/self/task"))
library, _ = load(*map(Path, sys.argv[1:]), lambda line: None)
print(library.threads(), openmp_libraries() == before, len(before))
print(tasks >= 2, len(os.listdir("/proc/self/task")) - tasks)
"""


@needs_gcc
def test_the_threads_are_those_of_pytorch(tmp_path: Path) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "sources" / "pool.c").write_text(POOL)
    done = subprocess.run(
        [sys.executable, "-c", SHARED, str(tmp_path / "sources"), str(tmp_path / "cache")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["2 True 1", "True 0"], done.stderr


@needs_gcc
def test_a_second_openmp_is_refused(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A library by the name of LLVM's, brought along as by its compiler.
    second = tmp_path / "libomp.so.5"
    (tmp_path / "omp.c").write_text("int pool;\n")
    subprocess.run([str(GCC), "-shared", "-fPIC", "-o", second, tmp_path / "omp.c"], check=True)
    compiler = tmp_path / "cc"
    compiler.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && exec {GCC} --version\n'
        f'exec {GCC} "$@" -Wl,--no-as-needed {second}\n'
    )
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    before = openmp_libraries()
    told = "the compiler's OpenMP is not PyTorch's"
    assert refused(sources, tmp_path / "cache") == told
    assert openmp_libraries() - before == {bytes(second)}


# Why there are none


def test_no_compiler(sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refused(sources, tmp_path / "cache") == "no C compiler"


@pytest.mark.parametrize(
    ("capability", "machine", "told"),
    [
        ("AVX2", "x86_64", "the processor has no AVX-512"),
        ("AVX512", "aarch64", "not Linux on x86-64"),
    ],
)
def test_other_machines(
    capability: str,
    machine: str,
    told: str,
    sources: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert refused(sources, tmp_path / "cache") == told


@needs_gcc
def test_a_broken_file(sources: Path, tmp_path: Path) -> None:
    (sources / "broken.c").write_text("#error on purpose\n")
    told = "gcc failed: broken.c:1:2: error: #error on purpose"
    assert refused(sources, tmp_path / "cache") == told


@pytest.mark.usefixtures("counted")
def test_no_room_to_compile(sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError):
        loaded(sources, tmp_path / "cache")


# Which kernels a process takes, and what it says of them

OURS = PlainKernels()
LIBRARY = (ctypes.CDLL(None), Compiler(("/bin/gcc",), "gcc (Debian 12.2.0-14) 12.2.0\n"))


@pytest.fixture
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "_CHOSEN", {})


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[Say]:
    """Who was told to listen, once for each time that the library was loaded."""
    heard: list[Say] = []

    def load(sources: Path, folder: Path | None, say: Say) -> tuple[ctypes.CDLL, Compiler]:
        heard.append(say)
        return LIBRARY

    monkeypatch.setattr(loading, "load", load)
    monkeypatch.setattr(Kernels, "of", lambda library: OURS)
    return heard


@pytest.mark.usefixtures("nothing_chosen")
def test_they_are_loaded_once(loads: list[Say]) -> None:
    assert kernels(print) is OURS
    assert kernels() is OURS
    assert kernels_in_use() == "native, gcc 12.2.0"
    assert loads == [print]


@pytest.mark.usefixtures("nothing_chosen")
def test_they_can_be_turned_off(loads: list[Say], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKEOFF_KERNELS", "pytorch")
    assert (kernels(), kernels_in_use()) == (None, "PyTorch: BAKEOFF_KERNELS=pytorch")
    assert loads == []
    for asked in ("native", ""):
        monkeypatch.setenv("BAKEOFF_KERNELS", asked)
        assert kernels() is OURS


@pytest.mark.parametrize("ask", [kernels, kernels_in_use])
@pytest.mark.usefixtures("nothing_chosen")
def test_nothing_else_can_be_asked_for(
    ask: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAKEOFF_KERNELS", "Native")
    with pytest.raises(UsageError) as caught:
        ask()
    assert str(caught.value) == "BAKEOFF_KERNELS=Native: choose one of native, pytorch"


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (NoKernelsError("no C compiler"), "PyTorch: no C compiler"),
        (OSError("/gr\udcf6/x.so: file too short"), "PyTorch: /gr\\udcf6/x.so: file too short"),
        (AttributeError("undefined symbol: max_pool"), "PyTorch: undefined symbol: max_pool"),
    ],
)
@pytest.mark.usefixtures("nothing_chosen")
def test_without_them_pytorchs_serve(
    reason: Exception, told: str, loads: list[Say], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Kernels:
        raise reason

    monkeypatch.setattr(loading, "load", fail)
    assert (kernels(), kernels_in_use()) == (None, told)


@pytest.mark.usefixtures("nothing_chosen", "loads")
def test_those_that_answer_otherwise_are_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "wrong_answer", lambda found: "relu_pool_float32")
    told = "PyTorch: relu_pool_float32, compiled by gcc 12.2.0, gave other numbers"
    assert (kernels(), kernels_in_use()) == (None, told)


@pytest.mark.usefixtures("nothing_chosen")
def test_a_library_without_our_functions_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "load", lambda *_: LIBRARY)
    assert kernels() is None
    assert kernels_in_use().startswith("PyTorch: ")
    assert "max_pool_float32" in kernels_in_use()
