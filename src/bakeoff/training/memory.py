"""Memory that runs out: how it is told from other errors, and what is given back."""

from __future__ import annotations

import gc

import torch

# The CPU allocator of torch, C++ and the libraries under them raise a plain RuntimeError.
_SAID = ("DefaultCPUAllocator", "bad_alloc", "not enough memory", "ALLOC_FAILED", "out of memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether `error` says that memory, of the machine or the GPU, ran out."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(said in str(error) for said in _SAID)


def free_memory(device: torch.device) -> None:
    """Give back what a failed training held, so that the next one finds room."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
