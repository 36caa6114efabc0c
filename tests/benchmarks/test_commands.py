"""The commands of docs/performance.md and of `make bench` are there, with the options they take."""

from __future__ import annotations

import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "performance.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
COMMANDS = sorted(
    command
    for command in set(re.findall(r"python -m (benchmarks\.\w+.*)", PAGE + MAKEFILE))
    # It makes trouble instead of measuring, and is described in docs/reliability.md.
    if command != "benchmarks.torture"
)
# Those that publish a table of seconds. The others' tables are of scores.
MEASURING = {
    file.stem
    for file in (ROOT / "benchmarks").glob("*.py")
    if "publish(\n" in file.read_text()
    and file.stem not in {"publish", "precisions", "split_difficulty", "writers"}
}


def test_the_page_and_make_bench_run_every_benchmark() -> None:
    assert len(MEASURING) == 10
    for text in (PAGE, MAKEFILE):
        assert set(re.findall(r"python -m benchmarks\.(\w+)", text)) >= MEASURING


@pytest.mark.parametrize("command", COMMANDS)
def test_the_options_of_a_command_exist(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    module, *options = shlex.split(command)
    with pytest.raises(SystemExit) as left:
        import_module(module).main([*options, "--help"])
    assert left.value.code == 0
    # Help comes before argparse complains of what it does not know.
    told = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))
    assert {option for option in options if option.startswith("--")} | {"--results"} <= told
