"""Kernels of our own, in C: how they are compiled (`build`) and brought into the process (`load`).

They are for CPUs with AVX-512 and need a C compiler. Where there are none, PyTorch's kernels serve.
"""

from bakeoff.engine.native.kernels import AdamStep, Kernels, kernels
from bakeoff.engine.native.load import kernels_in_use

__all__ = ["AdamStep", "Kernels", "kernels", "kernels_in_use"]
