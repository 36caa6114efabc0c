"""All seeds of an entrant at once, in this process; one entrant after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import torch

from bakeoff.data.dataset import Dataset
from bakeoff.progress import Listener, PlannedTrial
from bakeoff.record import Epoch
from bakeoff.study import Study
from bakeoff.training.devices import place
from bakeoff.training.stacked import why_alone
from bakeoff.training.stacked_trial import run_stack
from bakeoff.training.trial import Trial, TrialSpec, build_entrant, run_trial

AT_ONCE = 10
"""Seeds in one stack, unless told otherwise: memory grows with each of them."""


def run_stacked(
    study: Study,
    trials: Sequence[PlannedTrial],
    dataset: Dataset,
    *,
    device: torch.device,
    precision: str,
    listener: Listener,
    at_once: int = AT_ONCE,
) -> Iterator[tuple[PlannedTrial, Trial]]:
    """Yield each planned trial with its outcome as soon as it is finished.

    At most `at_once` seeds train together. A network that cannot be stacked trains its seeds one by
    one, which the listener is told, and so does a seed that has no other beside it.
    """
    for entrant in dict.fromkeys(planned.entrant.name for planned in trials):
        whole = [planned for planned in trials if planned.entrant.name == entrant]
        together = at_once if _can_stack(study, whole, dataset, device, listener) else 1
        for start in range(0, len(whole), together):
            group = whole[start : start + together]
            specs = [
                TrialSpec(study, planned.entrant, planned.seed, dataset, device, precision)
                for planned in group
            ]
            yield from _run_group(group, specs, listener)


def _can_stack(
    study: Study,
    trials: Sequence[PlannedTrial],
    dataset: Dataset,
    device: torch.device,
    listener: Listener,
) -> bool:
    """Return whether these trials of one entrant can train together; say why if they cannot."""
    if len(trials) == 1:
        return False
    entrant, seed = trials[0].entrant, trials[0].seed
    model = place(build_entrant(study, entrant, seed, dataset), device)
    reason = why_alone(model, dataset.image_shape)
    if reason is not None:
        listener.stage(f"{entrant.name} cannot be stacked, so it trains one by one: {reason}")
    return reason is None


def _run_group(
    group: Sequence[PlannedTrial], specs: Sequence[TrialSpec], listener: Listener
) -> Iterator[tuple[PlannedTrial, Trial]]:
    for planned in group:
        listener.trial_started(planned)
    if len(group) == 1:
        yield group[0], run_trial(specs[0], partial(listener.epoch_ended, group[0]))
        return

    def on_epoch(which: int, epoch: Epoch) -> None:
        listener.epoch_ended(group[which], epoch)

    for which, trial in run_stack(specs, on_epoch):
        yield group[which], trial
