"""Imports of packages that go with torch, also where they were made for another build of it."""

from __future__ import annotations

import importlib
import sys
from functools import cache
from types import ModuleType

import torch


def import_module(name: str) -> ModuleType:
    """Import a module, which may need torchvision.

    Beside torch for CPUs, the usual wheel of torchvision cannot load its compiled operators, and
    then fails where it registers two of them. No classifier calls those, so it is enough that they
    have names.
    """
    try:
        return importlib.import_module(name)
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
        for each in [each for each in sys.modules if each.partition(".")[0] == "torchvision"]:
            del sys.modules[each]
        _named_operators()
        return importlib.import_module(name)


@cache
def _named_operators() -> torch.library.Library:
    """Return what gives the operators their names for as long as it lives."""
    library = torch.library.Library("torchvision", "FRAGMENT")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library
