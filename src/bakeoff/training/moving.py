"""What has to be kept of a training so that it goes on as if it had never stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from bakeoff.errors import StoreError
from bakeoff.records.record import Provenance


@dataclass(frozen=True)
class Moving:
    """All that an epoch moves: weights and buffers, the optimizer, the schedule.

    Between two epochs there is nothing else. The order of the examples and everything random
    inside the network are drawn anew in each epoch, from seeds that follow from its number.
    """

    model: nn.Module
    optimizer: Optimizer
    schedule: LRScheduler

    def state(self) -> dict[str, Any]:
        """Return it as nested dicts of tensors and plain values; the tensors are not copied."""
        return {
            "model": dict(self.model.state_dict()),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Set everything to what `state` returned; raise StoreError where it does not fit."""
        try:
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.schedule.load_state_dict(state["schedule"])
        except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StoreError("the checkpoint is not one of this network and optimizer") from error


def changed_conditions(then: Provenance, now: Provenance) -> tuple[str, ...]:
    """Return what differs between two processes that may change the last bits of a training."""
    fields = ("device", "cpu", "threads", "platform", "commit")
    pairs = [(name, getattr(then, name), getattr(now, name)) for name in fields]
    pairs += [("kernels", _without_reason(then.kernels), _without_reason(now.kernels))]
    pairs += [
        (name, then.versions.get(name), now.versions.get(name))
        for name in sorted({*then.versions, *now.versions})
    ]
    return tuple(f"{name}: {old} then, {new} now" for name, old, new in pairs if old != new)


def _without_reason(kernels: str) -> str:
    """Return `PyTorch` for `PyTorch: no C compiler`: why they serve changes no bit."""
    return kernels.partition(":")[0]


def foreign_to(then: Provenance, now: Provenance) -> str | None:
    """Return why a checkpoint belongs to another training altogether, or None if it does not."""
    if then.study_hash != now.study_hash:
        return f"belongs to another study ({then.study_hash[:12]}); move it away"
    if then.data_hash != now.data_hash:
        return "trained on other data; give another --out"
    if then.precision != now.precision:
        return (
            f"trained in {then.precision}, not {now.precision}; "
            f"give --precision {then.precision} or another --out"
        )
    return None
