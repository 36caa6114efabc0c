"""What claims or unpacks to gigabytes is refused at once, and without the memory for it.

That is a promise to users, so here seconds and bytes are asserted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CASES = 64


@pytest.mark.skipif(not hasattr(os, "fork"), reason="each case is measured in a process of its own")
def test_every_claim_is_refused_within_a_second_and_100_megabytes(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.hostile_sizes", str(tmp_path)],
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    assert done.stderr == ""
    measured = [json.loads(line) for line in done.stdout.splitlines()]
    assert len({case["name"] for case in measured}) == len(measured) == CASES
    for case in measured:
        assert case["refusal"] is not None, case["name"]
        assert case["refusal"].isprintable(), case["name"]
        assert len(case["refusal"]) < 1000, case["name"]
        assert case["seconds"] < 1, case
        assert case["bytes"] < 100_000_000, case
