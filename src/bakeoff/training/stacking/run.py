"""Trials of several seeds of one entrant, trained together: as `run_trial`, for a stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from bakeoff.records.record import Epoch
from bakeoff.training.finish import finish_trial, unscored
from bakeoff.training.provenance import provenance
from bakeoff.training.stacking.fit import Member, fit_stack
from bakeoff.training.trial import Trial, TrialSpec, autocast_for


def run_stack(
    specs: Sequence[TrialSpec], on_epoch: Callable[[int, Epoch], None]
) -> Iterator[tuple[int, Trial]]:
    """Train the trials of one entrant together; yield place and outcome of each that is finished.

    specs: they differ in nothing but their seeds. `on_epoch` hears the place and the epoch. Seconds
    are those of the whole stack, so the records say that they are not comparable.
    """
    one = specs[0]
    origin = provenance(device=one.device, **one.conditions)
    origin = origin.model_copy(update={"stacked": len(specs)})
    members = [Member(spec.network(), spec.split, spec.streams) for spec in specs]
    endings = fit_stack(
        members,
        one.entrant.recipe,
        one.examples(np.arange(len(one.dataset.train_labels))),
        pixels=one.pixels,
        autocast=autocast_for(one.device, one.precision),
        on_epoch=on_epoch,
    )
    for which, stopped in endings:
        spec, member = specs[which], members[which]
        record = unscored(spec, member.history, stopped, origin)
        held_out = spec.examples(member.split.validation)
        yield which, finish_trial(spec, member.model, record, held_out)
