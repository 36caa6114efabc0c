"""Where a record comes from: versions, commit, machine, and what its libraries were asked for."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from bakeoff.engine.native import kernels_in_use
from bakeoff.records.record import Provenance
from bakeoff.records.working import machine_name
from bakeoff.text import shortened, visible

_PACKAGES = ("bakeoff", "torch", "numpy", "scipy", "scikit-learn")

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


@cache
def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES}


@cache
def checkout_commit(package: Path) -> str | None:
    """Return the commit of the checkout that holds `package`, `-dirty` where its files differ.

    None for an installed package, or where git is not at hand.
    """
    if not (package.parent.parent / ".git").exists():
        return None
    # Not `describe --dirty`, which rewrites the index of the checkout, and takes its lock.
    git = ["git", "--no-optional-locks", "-C", str(package)]
    status = ["status", "--porcelain=v2", "--branch", "--untracked-files=no"]
    try:
        found = subprocess.run(
            [*git, *status], capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    commit = re.search(r"^# branch\.oid ([0-9a-f]+)$", found.stdout, re.MULTILINE)
    if commit is None:
        return None
    dirty = any(not line.startswith("#") for line in found.stdout.splitlines())
    return commit[1] + ("-dirty" if dirty else "")


@cache
def cpu_model() -> str:
    """Return the processor's name as the system gives it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def numerics() -> tuple[str, ...]:
    """Return what libraries are asked for here that changes the last bits of a result.

    What is not the usual, as `MKL_CBWR=COMPATIBLE`, in a fixed order.
    """
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


def provenance(
    *, device: torch.device, precision: str, study_hash: str, data_hash: str
) -> Provenance:
    """Return what a record made now, in this process, should say of its origin."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    return Provenance(
        versions=_versions(),
        commit=checkout_commit(Path(__file__).resolve().parent.parent),
        device=name,
        cpu=f"{cpu_model()}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}",
        threads=torch.get_num_threads(),
        precision=precision,
        platform=platform.platform(),
        study_hash=study_hash,
        data_hash=data_hash,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        kernels=kernels_in_use() if device.type == "cpu" else "PyTorch",
        numerics=numerics(),
        machine=machine_name(),
    )
