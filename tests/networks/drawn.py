"""Files of networks, drawn into a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

HEAD = """import torch
from torch import nn
from torch.nn import functional as F

"""

SOUND = f"""{HEAD}
class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.a = nn.Linear(64, 16)
        self.b = nn.Linear(16, classes)

    def forward(self, x):
        return self.b(F.relu(self.a(x.flatten(1))))
"""
"""A network for images of 64 pixels, with 1,210 parameters."""


def drawn(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files by their path below `folder`; return the first."""
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder / next(iter(files))
