"""Kernels of our own, in C: how they are compiled (`build`) and brought into the process (`load`).

They are for CPUs with AVX-512 and need a C compiler. Where there are none, PyTorch's kernels serve.
"""

from bakeoff.training.engine.native.load import kernels_in_use, library

__all__ = ["kernels_in_use", "library"]
