from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from bakeoff.engine.native import load as loading
from bakeoff.engine.native.build import find_compiler, library_name
from bakeoff.engine.native.load import (
    cache_folder,
    kernels_in_use,
    library,
    load,
    openmp_libraries,
)
from bakeoff.errors import UsageError

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


def sum_of(kernels: loading.Kernels) -> int:
    assert kernels.library is not None, kernels.told
    return int(kernels.library.add(2, 3))


@needs_gcc
def test_kernels_are_compiled_once_and_kept(sources: Path, tmp_path: Path, counted: Path) -> None:
    cache = tmp_path / "cache"
    first = load(sources, cache)
    assert sum_of(first) == 5
    assert first.told.startswith("native, gcc ")
    (kept,) = cache.iterdir()
    assert sum_of(load(sources, cache)) == 5
    assert counted.read_text() == "once\n"
    assert list(cache.iterdir()) == [kept]

    (sources / "add.c").write_text("int add(int a, int b) { return a + b + 1; }\n")
    assert sum_of(load(sources, cache)) == 6
    assert counted.read_text() == "once\n" * 2


@needs_gcc
def test_what_is_kept_serves_also_where_the_compiler_has_broken(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text(f'#!/bin/sh\nexec {GCC} "$@"\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    assert sum_of(load(sources, tmp_path / "cache")) == 5
    compiler.write_text(f'#!/bin/sh\n[ "$1" = --version ] && exec {GCC} --version\nexit 1\n')
    assert sum_of(load(sources, tmp_path / "cache")) == 5
    assert load(sources, tmp_path / "other").told == "PyTorch: cc failed: exit code 1"


@needs_gcc
@pytest.mark.parametrize("cache", ["a file", "a file/below"])
def test_where_nothing_can_be_kept_there_are_kernels_all_the_same(
    cache: str, sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not by permissions: root, as whom tests may run, writes everywhere.
    (tmp_path / "a file").write_text("")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    assert sum_of(load(sources, tmp_path / cache)) == 5
    assert list(temporary.iterdir()) == []


def plant(content: bytes, sources: Path, cache: Path) -> Path:
    """Put `content` where the library will be looked for."""
    kept = cache / library_name(sources, find_compiler())
    cache.mkdir()
    kept.write_bytes(content)
    return kept


@needs_gcc
def test_a_library_of_another_user_is_not_loaded(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planted = plant(b"from another user", sources, tmp_path / "cache")
    own = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: own + 1)
    assert sum_of(load(sources, tmp_path / "cache")) == 5
    assert planted.read_bytes()[:4] == b"\x7fELF"


@needs_gcc
def test_a_damaged_library_breaks_nothing(sources: Path, tmp_path: Path) -> None:
    kept = plant(b"", sources, tmp_path / "cache")
    found = load(sources, tmp_path / "cache")
    assert (found.library, found.told) == (None, f"PyTorch: {kept}: file too short")


@needs_gcc
def test_processes_that_compile_at_once(sources: Path, tmp_path: Path, counted: Path) -> None:
    code = (
        "import sys, torch; from pathlib import Path\n"
        "from bakeoff.engine.native.load import load\n"
        "torch.backends.cpu.get_cpu_capability = lambda: 'AVX512'\n"
        "input()\n"
        "print(load(*map(Path, sys.argv[1:])).library.add(2, 3))\n"
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
kernels = load(*map(Path, sys.argv[1:]))
print(kernels.told, file=sys.stderr)
print(kernels.library.threads(), openmp_libraries() == before, len(before))
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
    found = load(sources, tmp_path / "cache")
    assert (found.library, found.told) == (None, "PyTorch: the compiler's OpenMP is not PyTorch's")
    assert openmp_libraries() - before == {str(second)}


# Why there are none


def test_no_compiler(sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = load(sources, tmp_path / "cache")
    assert (found.library, found.told) == (None, "PyTorch: no C compiler")


@pytest.mark.parametrize(
    ("capability", "machine", "told"),
    [
        ("AVX2", "x86_64", "PyTorch: the processor has no AVX-512"),
        ("AVX512", "aarch64", "PyTorch: not Linux on x86-64"),
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
    found = load(sources, tmp_path / "cache")
    assert (found.library, found.told) == (None, told)


@needs_gcc
def test_a_broken_file(sources: Path, tmp_path: Path) -> None:
    (sources / "broken.c").write_text("#error on purpose\n")
    found = load(sources, tmp_path / "cache")
    assert (found.library, found.told) == (
        None, "PyTorch: gcc failed: broken.c:1:2: error: #error on purpose",
    )  # fmt: skip


def test_no_room_to_compile(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, counted: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    found = load(sources, tmp_path / "cache")
    assert found.library is None
    assert found.told.startswith("PyTorch: [Errno 2] No such file or directory")


# Those of this process


def test_they_are_kept_where_the_user_keeps_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert cache_folder() == Path("/caches/bakeoff")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", "/home/a")
    assert cache_folder() == Path("/home/a/.cache/bakeoff")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME")
    assert cache_folder() == Path("/.cache/bakeoff")


@pytest.fixture
def kernels(sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The package's kernels are those of `sources`, and are kept in the folder returned."""
    monkeypatch.setattr(loading, "SOURCES", sources)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    loading._here.cache_clear()
    yield tmp_path / "caches" / "bakeoff"
    loading._here.cache_clear()


@needs_gcc
def test_they_are_loaded_once(kernels: Path, tmp_path: Path, counted: Path) -> None:
    found = library()
    assert found is not None
    assert found.add(2, 3) == 5
    kernels.rename(tmp_path / "away")
    assert library() is found
    assert kernels_in_use().startswith("native, gcc ")
    assert counted.read_text() == "once\n"


@needs_gcc
def test_they_can_be_turned_off(kernels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKEOFF_KERNELS", "pytorch")
    assert (library(), kernels_in_use()) == (None, "PyTorch: BAKEOFF_KERNELS=pytorch")
    assert not kernels.exists()
    for asked in ("native", ""):
        monkeypatch.setenv("BAKEOFF_KERNELS", asked)
        assert library() is not None


@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("ask", [library, kernels_in_use])
def test_nothing_else_can_be_asked_for(
    ask: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAKEOFF_KERNELS", "Native")
    with pytest.raises(UsageError) as caught:
        ask()
    assert str(caught.value) == "BAKEOFF_KERNELS=Native: choose one of native, pytorch"
