from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn
from torch.optim import Optimizer

from bakeoff.engine.optimizers import SGD, Adam, AdamW

KINDS: list[tuple[type[Optimizer], type[Optimizer]]] = [
    (SGD, torch.optim.SGD),
    (Adam, torch.optim.Adam),
    (AdamW, torch.optim.AdamW),
]


def stepped(kind: type[Optimizer]) -> tuple[list[torch.Tensor], dict[str, object]]:
    """Return the weights after five steps, three of them after a restart, and the groups' state."""
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2))
    images = torch.randn(6, 4)
    optimizer = kind(model.parameters(), lr=0.1, weight_decay=0.01, fused=True)  # type: ignore[call-arg]
    for number in range(5):
        if number == 2:
            kept = optimizer.state_dict()
            optimizer = kind(model.parameters(), lr=0.3, fused=True)  # type: ignore[call-arg]
            optimizer.load_state_dict(kept)
        optimizer.zero_grad()
        model(images).square().sum().backward()
        optimizer.step()
    return [weight.detach() for weight in model.parameters()], optimizer.state_dict()


@pytest.mark.parametrize(("ours", "theirs"), KINDS)
def test_every_bit_is_that_of_pytorchs_own(ours: type[Optimizer], theirs: type[Optimizer]) -> None:
    (weights, state), (expected, expected_state) = stepped(ours), stepped(theirs)
    assert all(torch.equal(*pair) for pair in zip(weights, expected, strict=True))
    assert state["param_groups"] == expected_state["param_groups"]


def test_a_step_has_no_history() -> None:
    weight = nn.Parameter(torch.ones(2))
    weight.grad = torch.ones(2)
    SGD([weight], lr=1.0).step()
    assert weight.tolist() == [0.0, 0.0]
    assert weight.is_leaf
    assert torch.is_grad_enabled()


def compilers_after(made: str) -> str:
    """Return whether a fresh Python has the compiler after `made` was made and took a step."""
    program = f"""
import sys
import torch
import bakeoff.engine.optimizers
optimizer = {made}([torch.nn.Parameter(torch.ones(2))], lr=0.1)
optimizer.zero_grad()
optimizer.step()
optimizer.load_state_dict(optimizer.state_dict())
print("torch._dynamo" in sys.modules)
"""
    return subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_none_of_them_imports_a_compiler(name: str) -> None:
    assert compilers_after(f"bakeoff.engine.optimizers.{name}") == "False"


def test_a_compiler_would_be_seen() -> None:
    assert compilers_after("torch.optim.SGD") == "True"
