"""Kernels of our own, in C.

They are compiled (`build`), kept (`cache`), brought into the process (`load`), called (`kernels`),
compared with PyTorch's (`proof`), and taken where all went well (`choice`). They are for CPUs with
AVX-512 and need a C compiler. Where there are none, PyTorch's kernels serve.
"""

from bakeoff.engine.native.choice import kernels, kernels_in_use
from bakeoff.engine.native.kernels import AdamStep, Kernels

__all__ = ["AdamStep", "Kernels", "kernels", "kernels_in_use"]
