"""A training has its process to itself, and leaves it as it was."""

from __future__ import annotations

import subprocess
import sys
import threading
import warnings

import pytest
import torch

from bakeoff.engine import claimed_process
from bakeoff.errors import UsageError

can_flush = pytest.mark.skipif(
    not torch.set_flush_denormal(False), reason="the processor cannot flush"
)


def flushes() -> bool:
    return sys.float_info.min / 2 == 0


@can_flush
@pytest.mark.parametrize("before", [False, True])
def test_denormals_are_zero_meanwhile_and_as_before_afterwards(before: bool) -> None:
    torch.set_flush_denormal(before)
    with claimed_process():
        assert flushes()
    assert flushes() == before
    with pytest.raises(KeyError), claimed_process():
        raise KeyError
    assert flushes() == before


SHARES = """
import torch
from bakeoff.engine import claimed_process
torch.set_num_threads(2)
numbers = torch.full((2_000_000,), 2.0**-130)
share = lambda: (numbers * 0.5 == 0).double().mean().item()
print(share())
with claimed_process(2):
    print(share())
print(share())
"""


@can_flush
def test_they_are_in_all_threads_also_those_that_were_there_before() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SHARES], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["0.0", "1.0", "0.0"]


def test_a_second_training_is_refused_wherever_it_comes_from() -> None:
    refused: list[str] = []

    def another() -> None:
        try:
            with claimed_process():
                pass
        except UsageError as error:
            refused.append(str(error))

    with claimed_process():
        another()
        thread = threading.Thread(target=another)
        thread.start()
        thread.join()
    another()
    told = "another training is at work in this process; wait for its end, or start a process"
    assert refused == [told, told]


def test_threads_and_warnings_are_as_before() -> None:
    filters = list(warnings.filters)
    with claimed_process():
        torch.set_num_threads(2)
        warnings.filterwarnings("ignore", "nothing of the kind")
    assert torch.get_num_threads() == 1
    assert warnings.filters == filters
