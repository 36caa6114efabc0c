"""Kernels of our own, in C.

They are compiled (`build`), kept (`cache`), called (`kernels`), compared with PyTorch's (`proof`),
and brought into the process and taken where all went well (`load`). They are for CPUs with AVX-512
and need a C compiler. Where there are none, PyTorch's kernels serve.
"""

from bakeoff.engine.native.kernels import AdamStep, Kernels
from bakeoff.engine.native.load import kernels, kernels_in_use

__all__ = ["AdamStep", "Kernels", "kernels", "kernels_in_use"]
