"""What is asked of the libraries, outside this program, that changes the last bits of a result."""

from __future__ import annotations

import os
from typing import Any

import torch

from bakeoff.text import shortened, visible

_VARIABLES = (
    "ATEN_CPU_CAPABILITY",
    "CUBLAS_WORKSPACE_CONFIG",
    "DNNL_CPU_ISA_HINTS",
    "DNNL_DEFAULT_FPMATH_MODE",
    "DNNL_MAX_CPU_ISA",
    "MKL_CBWR",
    "MKL_DEBUG_CPU_TYPE",
    "MKL_ENABLE_INSTRUCTIONS",
    "NVIDIA_TF32_OVERRIDE",
    "ONEDNN_CPU_ISA_HINTS",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
)
"""What PyTorch, oneDNN, MKL, OpenBLAS and cuBLAS read from the environment."""


def numerics() -> tuple[str, ...]:
    """Return what is set here and not the usual, as `MKL_CBWR=COMPATIBLE`, in a fixed order."""
    mkldnn: Any = torch.backends.mkldnn
    exact = ("none", "ieee")
    settings = {
        "deterministic_algorithms": (torch.are_deterministic_algorithms_enabled(), (False,)),
        "float32_matmul_precision": (torch.get_float32_matmul_precision(), ("highest",)),
        "mkldnn": (mkldnn.enabled, (True,)),
        "mkldnn.conv.fp32_precision": (mkldnn.conv.fp32_precision, exact),
        "mkldnn.deterministic": (mkldnn.deterministic, (False,)),
        "mkldnn.matmul.fp32_precision": (mkldnn.matmul.fp32_precision, exact),
    }
    asked = [f"{name}={os.environ[name]}" for name in _VARIABLES if os.environ.get(name)]
    asked += [
        f"torch {name}={value}" for name, (value, usual) in settings.items() if value not in usual
    ]
    return tuple(shortened(visible(each)) for each in asked)
