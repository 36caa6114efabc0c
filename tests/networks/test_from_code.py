"""Networks from files and packages: imported under names of their own, and felt nowhere else."""

from __future__ import annotations

import dataclasses
import inspect
import os
import random
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from bakeoff.errors import NetworkError
from bakeoff.networks import guest, stopping
from bakeoff.networks.from_code import from_file, from_package
from bakeoff.networks.sources import read_source
from tests.networks.drawn import HEAD, SOUND, drawn


def load(file: Path, name: str = "Net") -> Any:
    return from_file(read_source(file), name)


def refused(file: Path, name: str = "Net") -> str:
    with pytest.raises(NetworkError) as caught:
        load(file, name)
    return str(caught.value)


def test_a_class_and_a_function_are_found(tmp_path: Path) -> None:
    file = drawn(tmp_path, {"net.py": f"{SOUND}\ndef make(classes):\n    return Net(classes)\n"})
    assert isinstance(load(file)(), nn.Module)
    assert type(load(file, "make")(3)) is load(file)
    assert load(file) is load(file)


def test_an_odd_name_of_a_file_will_do(tmp_path: Path) -> None:
    for name in ("my net-2.py", "net.v2.py", "2.py", "__init__.py", "random.py", "torch.py"):
        assert isinstance(load(drawn(tmp_path, {name: SOUND + "# " + name}))(), nn.Module)


def test_what_is_beside_is_imported_as_python_would(tmp_path: Path) -> None:
    file = drawn(
        tmp_path,
        {
            "net.py": "import a, pack.inner as short, pack.inner\nfrom a import *\n"
            "from pack import inner, outer\nfrom pack.inner import y\n"
            "def Net(): return a.x, X, short.y, pack.inner.y, inner.y, outer.z, y\n",
            "a.py": "x = 1\nX = 2",
            "pack/__init__.py": "",
            "pack/inner.py": "from .outer import z\nfrom . import outer\ny = outer.z + 1",
            "pack/outer.py": "import a\nz = a.x + 1",
        },
    )
    assert load(file)() == (1, 2, 3, 3, 3, 2, 3)
    assert not {"a", "pack", "net"} & sys.modules.keys()


def test_two_files_of_one_name_live_side_by_side_also_when_they_import_late(
    tmp_path: Path,
) -> None:
    late = "class Net:\n    def __init__(self):\n        import layers\n        self.v = layers.v\n"
    late += "    def forward(self):\n        from layers import late\n        return late()\n"
    for each in ("one", "two"):
        layers = f"v = {each!r}\ndef late():\n    from deep import d\n    return d"
        drawn(tmp_path / each, {"net.py": late, "layers.py": layers, "deep.py": f"d = '{each}!'"})
    one, two = (load(tmp_path / each / "net.py")() for each in ("one", "two"))
    assert [one.v, two.v, one.forward(), two.forward()] == ["one", "two", "one!", "two!"]


def test_it_is_the_code_that_was_hashed_that_runs(tmp_path: Path) -> None:
    file = drawn(tmp_path, {"net.py": "import a\nNet = lambda: a.x", "a.py": "x = 1"})
    source = read_source(file)
    (tmp_path / "a.py").write_text("x = 2")
    assert from_file(source, "Net")() == 1
    assert load(file)() == 2
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.py", "net.py"]


def test_the_standard_library_is_not_shadowed(tmp_path: Path) -> None:
    text = "import random\nimport types\nNet = lambda: (random.random, types.ModuleType)"
    file = drawn(tmp_path, {"net.py": text, "random.py": "raise SystemExit", "types.py": ""})
    assert load(file)() == (random.random, type(sys))


def test_dataclasses_later_annotations_and_sources_work(tmp_path: Path) -> None:
    text = (
        "from __future__ import annotations\nfrom dataclasses import dataclass, field\n"
        "from typing import ClassVar, Optional\n"
        "@dataclass\nclass Net:\n    a: Optional[int] = None\n    b: ClassVar[int] = 3\n"
        "    c: list[Net] = field(default_factory=list)\n"
    )
    found = load(drawn(tmp_path, {"net.py": text}))
    assert [each.name for each in dataclasses.fields(found)] == ["a", "c"]
    assert inspect.getsource(found).startswith("@dataclass")


def test_a_module_of_a_package_is_run_as_one(tmp_path: Path) -> None:
    file = drawn(
        tmp_path,
        {
            "zoo/models/net.py": "from ..common import b\nfrom .layers import a\n"
            "from zoo import VERSION\nNet = lambda: (a, b, VERSION)",
            "zoo/__init__.py": "VERSION = 3",
            "zoo/models/layers.py": "a = 1",
            "zoo/models/__init__.py": "",
            "zoo/common.py": "b = 2",
        },
    )
    assert load(file)() == (1, 2, 3)


# What is wrong, in one line


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import timm_not_here", "line 1: there is no module 'timm_not_here'; install it, or lay "
         "it beside the file"),
        ("\nraise RuntimeError('set HOME first')", "line 2: RuntimeError: set HOME first"),
        ("assert 1 > 2", "line 1: AssertionError"),
        ("raise ValueError('one\\n  two')", "line 1: ValueError: one"),
        ("exit(3)", "line 1: it ends Python; let it do so below `if __name__ == "
         '"__main__":` alone'),
        ("raise KeyboardInterrupt", "line 1: KeyboardInterrupt"),
        ("input('name? ')", "line 1: EOFError: EOF when reading a line"),
        ("from os import nothing", "line 1: ImportError: cannot import name 'nothing' from 'os'"),
        ("int(\n  'x')", "line 1: ValueError: invalid literal for int() with base 10: 'x'"),
        ("import os\ndef f(): g()\ndef g(): os.stat('/nowhere')\nf()", "line 3: FileNotFoundError: "
         "[Errno 2] No such file or directory: '/nowhere'"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_imported_is_told_by_line_and_reason(
    text: str, reason: str, tmp_path: Path
) -> None:
    file = drawn(tmp_path, {"net.py": text})
    before = set(sys.modules)
    for _ in range(2):
        assert refused(file).startswith(f"{file}, {reason}")
    assert not [each for each in set(sys.modules) - before if each.startswith("bakeoff_network")]


def test_so_is_one_beside_it(tmp_path: Path) -> None:
    file = drawn(tmp_path, {"net.py": "\nimport a", "a.py": "1 / 0"})
    assert refused(file) == f"{tmp_path}/a.py, line 1: ZeroDivisionError: division by zero"


def test_a_module_that_only_running_would_find_is_not_there(tmp_path: Path) -> None:
    text = "name = 'b'\n__import__(f'pack.{name}')"
    file = drawn(
        tmp_path, {"net.py": f"import pack\n{text}", "pack/__init__.py": "", "pack/b.py": ""}
    )
    assert refused(file) == (
        f"{file}, line 3: there is no module 'pack.b'; install it, or lay it beside the file"
    )


def test_ctrl_c_is_the_users(tmp_path: Path) -> None:
    text = "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nfor _ in range(10**6): pass"
    with pytest.raises(KeyboardInterrupt):
        load(drawn(tmp_path, {"net.py": text}))


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("Nett", "there is no 'Nett'; did you mean 'Net'?"),
        ("Linear", "there is no 'Linear'; known: Net, other"),
        ("Net.small", "there is no 'Net.small'; did you mean 'Net'?"),
        ("Network", "there is no 'Network'; did you mean 'Net'?"),
        ("size", "size is of type int; name a class or a function"),
        ("made", "made is a network that is made already; name its class, or a function that makes "
         "one for each seed"),
    ],
)  # fmt: skip
def test_a_name_that_is_no_network_is_refused(name: str, complaint: str, tmp_path: Path) -> None:
    text = f"{SOUND}\nfrom torch.nn import Linear as L\ndef other(): ...\nsize = 3\nmade = Net()\n"
    file = drawn(tmp_path, {"net.py": text})
    assert refused(file, name) == f"{file}: {complaint}"


def test_a_file_without_any_says_so(tmp_path: Path) -> None:
    file = drawn(tmp_path, {"net.py": HEAD})
    assert refused(file) == f"{file}: there is no 'Net'; it defines no function and no class"


def test_a_method_of_a_class_may_make_it(tmp_path: Path) -> None:
    text = f"{SOUND}\n    @classmethod\n    def small(cls):\n        return cls(2)\n"
    assert load(drawn(tmp_path, {"net.py": text}), "Net.small")().b.out_features == 2


# What is not felt elsewhere


def everything() -> list[Any]:
    """Return what a file might change for others."""
    numpy = str(np.random.get_state(legacy=False))  # noqa: NPY002
    return [
        random.getstate(), numpy, torch.get_rng_state().tolist(),
        torch.get_default_dtype(), torch.get_default_device(), torch.is_grad_enabled(),
        torch.get_num_threads(), torch.get_deterministic_debug_mode(),
        torch.backends.cudnn.benchmark, torch.get_float32_matmul_precision(),
        torch.is_anomaly_enabled(), np.geterr(), sys.path.copy(), sys.argv, sys.stdin,
        dict(os.environ), Path.cwd(), sys.getrecursionlimit(), list(warnings.filters),
    ]  # fmt: skip


MEDDLES = """import os, random, sys, warnings
import numpy as np
import torch
torch.manual_seed(0); np.random.seed(0); random.seed(0)
torch.rand(3); np.random.rand(3); random.random()
torch.set_default_dtype(torch.float64); torch.set_default_device("meta")
torch.set_grad_enabled(False); torch.set_num_threads(torch.get_num_threads() + 1)
torch.use_deterministic_algorithms(True); torch.backends.cudnn.benchmark = True
torch.set_float32_matmul_precision("medium"); torch.autograd.set_detect_anomaly(True)
np.seterr(all="raise"); sys.path.insert(0, "/nowhere"); sys.argv.append("--mine")
os.environ["MINE"] = "1"; os.chdir("/"); sys.setrecursionlimit(5000)
warnings.simplefilter("ignore")
def Net(): pass
"""


def test_whatever_it_sets_and_draws_everything_is_as_it_was(tmp_path: Path) -> None:
    before = everything()
    load(drawn(tmp_path, {"net.py": MEDDLES}))
    assert everything() == before


def test_so_it_is_when_it_fails(tmp_path: Path) -> None:
    before = everything()
    refused(drawn(tmp_path, {"net.py": f"{MEDDLES}\n1 / 0"}))
    assert everything() == before


def test_what_it_draws_is_the_same_wherever_it_is_imported(tmp_path: Path) -> None:
    text = "import random, torch\nimport numpy as np\n"
    text += "x = (random.random(), np.random.rand(), torch.rand(1).item())\nNet = lambda: x\n"
    found = []
    for seed in range(2):
        random.seed(seed)
        torch.manual_seed(seed)
        found.append(load(drawn(tmp_path, {"net.py": f"{text}# {seed}"}))())
    assert found[0] == found[1]


def test_it_sees_no_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["bakeoff", "run", "--seeds", "3"])
    text = "import argparse, sys\nargparse.ArgumentParser().parse_args()\nNet = list(sys.argv).copy"
    file = drawn(tmp_path, {"net.py": text})
    assert load(file)() == [str(file)]


def test_what_it_prints_goes_to_standard_error_whenever_it_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "import sys\nprint('a')\nsys.stdout.write('b\\n')\n"
    text += "def Net():\n    print('c')\n    print('d', file=sys.stdout)\n"
    text += "    print('e', file=sys.stderr)\n"
    load(drawn(tmp_path, {"net.py": text}))()
    assert capsys.readouterr() == ("", "a\nb\nc\nd\ne\n")


# What is stopped

MODEL = f"{HEAD}layer = nn.Linear(2, 1)\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("layer(torch.ones(1, 2)).sum().backward()\n", 6),
        ("torch.autograd.grad(layer(torch.ones(1, 2)).sum(), layer.weight)\n", 6),
        ("layer.weight.grad = torch.ones(1, 2)\ntorch.optim.SGD(layer.parameters()).step()\n", 7),
        ("try:\n    layer(torch.ones(1, 2)).sum().backward()\nexcept Exception: pass\n", 7),
    ],
)
def test_a_file_that_trains_when_it_is_imported_is_stopped_and_named(
    text: str, line: int, tmp_path: Path
) -> None:
    file = drawn(tmp_path, {"net.py": MODEL + text})
    assert refused(file) == f"{file}, line {line}: it trains before it is asked to"


def test_no_except_hides_that_it_trained(tmp_path: Path) -> None:
    text = "try:\n    layer(torch.ones(1, 2)).sum().backward()\nexcept BaseException: pass\n"
    file = drawn(tmp_path, {"net.py": MODEL + text + "def Net(): ..."})
    assert refused(file) == f"{file}, line 7: it trains before it is asked to"


# Python says nothing of a thread that ends by SystemExit, but pytest does.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_trains_when_a_file_is_imported_is_stopped_and_the_file_named(
    tmp_path: Path,
) -> None:
    text = (
        "import threading, time\n"
        "def train():\n"
        "    optimizer = torch.optim.SGD(layer.parameters())\n"
        "    while True:\n"
        "        layer(torch.ones(1, 2)).sum().backward()\n"
        "        optimizer.step()\n"
        "thread = threading.Thread(target=train, daemon=True)\n"
        "thread.start()\n"
        "thread.join()\n"
    )
    file = drawn(tmp_path, {"net.py": MODEL + text})
    assert refused(file) == f"{file}: it trains before it is asked to"


def test_a_file_that_ends_the_process_is_named(tmp_path: Path) -> None:
    file = drawn(tmp_path, {"net.py": "import os\nos._exit(0)\n"})
    assert refused(file) == (
        f'{file}, line 2: it ends Python; let it do so below `if __name__ == "__main__":` alone'
    )
    file = drawn(tmp_path, {"forks.py": "import os\nif not os.fork(): os._exit(0)\n"})
    assert refused(file).startswith(f"{file}: there is no 'Net'")


def test_what_trains_below_main_alone_is_fine_and_others_may_train_meanwhile(
    tmp_path: Path,
) -> None:
    text = f'{MODEL}if __name__ == "__main__":\n    layer(torch.ones(1, 2)).sum().backward()\n'
    assert callable(load(drawn(tmp_path, {"net.py": f"{text}\ndef Net(): ..."})))
    layer = nn.Linear(2, 1)
    layer(torch.ones(1, 2)).sum().backward()
    torch.optim.SGD(layer.parameters()).step()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest, "limited", lambda seconds: stopping.limited(0.2))


@pytest.mark.parametrize(
    "loop",
    [
        "while True: pass",
        "import time\ntime.sleep(60)",
        "while True:\n  try: 1 / 0\n  except Exception: pass",
    ],
)
@pytest.mark.usefixtures("impatient")
def test_a_file_that_never_returns_is_stopped_and_named(loop: str, tmp_path: Path) -> None:
    file = drawn(tmp_path, {"net.py": loop})
    begun = time.monotonic()
    line = refused(file)
    assert line.startswith(f"{file}, line ")
    assert line.endswith(": it did not come to its end within 0.2 seconds")
    assert time.monotonic() - begun < 30


@pytest.mark.usefixtures("impatient")
def test_so_it_is_in_another_thread(tmp_path: Path) -> None:
    file, lines = drawn(tmp_path, {"net.py": "while True: pass"}), list[str]()
    thread = threading.Thread(target=lambda: lines.append(refused(file)))
    thread.start()
    thread.join()
    assert lines == [f"{file}, line 1: it did not come to its end within 0.2 seconds"]


# Packages


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in which packages are installed."""
    drawn(
        tmp_path,
        {
            "zoo_of_tests/__init__.py": "",
            "zoo_of_tests/nets.py": f"print('hello')\nimport os\nfrom os import abort\n{SOUND}",
            "zoo_of_tests/broken.py": "\n1 / 0",
            "zoo_of_tests-1.2.dist-info/METADATA": "Name: zoo-of-tests\nVersion: 1.2\n",
            "zoo_of_tests-1.2.dist-info/top_level.txt": "zoo_of_tests\n",
        },
    )
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("installed")
def test_a_network_of_a_package_is_found_with_its_version(
    capsys: pytest.CaptureFixture[str],
) -> None:
    found, version = from_package("zoo_of_tests.nets", "Net")
    assert isinstance(found(), nn.Module)
    assert version == "zoo-of-tests 1.2"
    assert capsys.readouterr() == ("", "hello\n")


@pytest.mark.parametrize(
    ("module", "name", "complaint"),
    [
        ("zoo_of_testz", "Net", "zoo_of_testz: there is no module 'zoo_of_testz'; install it, or "
         "lay it beside the file"),
        ("zoo_of_tests.nets", "Nett", "zoo_of_tests.nets: there is no 'Nett'; did you mean 'Net'?"),
        ("zoo_of_tests.nets", "abort", "zoo_of_tests.nets:abort: the standard library has no "
         "networks"),
        ("zoo_of_tests.nets", "os.abort", "zoo_of_tests.nets:os.abort: the standard library has no "
         "networks"),
        ("zoo_of_tests.broken", "Net", "zoo_of_tests.broken, line 2: ZeroDivisionError: division "
         "by zero"),
        ("os", "abort", "os:abort: the standard library has no networks"),
        ("", "Net", ":Net: '' is not the name of a module"),
        ("a..b", "Net", "a..b:Net: 'a..b' is not the name of a module"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("installed")
def test_what_a_package_does_not_have_is_told(module: str, name: str, complaint: str) -> None:
    with pytest.raises(NetworkError) as caught:
        from_package(module, name)
    assert str(caught.value) == complaint
