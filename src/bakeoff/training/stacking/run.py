"""Trials of several seeds of one entrant, trained together: as `run_trial`, for a stack."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from bakeoff.engine.devices import place
from bakeoff.records.record import Epoch
from bakeoff.training.finish import finish_trial
from bakeoff.training.fit import Streams
from bakeoff.training.provenance import provenance
from bakeoff.training.stacking.fit import Member, fit_stack
from bakeoff.training.trial import (
    Trial,
    TrialSpec,
    autocast_for,
    build_entrant,
    pixel_scale,
    to_device,
)


def run_stack(
    specs: Sequence[TrialSpec], on_epoch: Callable[[int, Epoch], None]
) -> Iterator[tuple[int, Trial]]:
    """Train the trials of one entrant together; yield place and outcome of each that is finished.

    specs: they differ in nothing but their seeds. `on_epoch` hears the place and the epoch. Seconds
    are those of the whole stack, so the records say that they are not comparable.
    """
    one = specs[0]
    study, entrant, dataset, device = one.study, one.entrant, one.dataset, one.device
    origin = provenance(
        device=device, precision=one.precision, study_hash=study.hash, data_hash=dataset.sha256
    ).model_copy(update={"stacked": len(specs)})
    everything = np.arange(len(dataset.train_labels))
    examples = to_device(dataset.train_images, dataset.train_labels, everything, device)
    members = [
        Member(
            place(build_entrant(study, entrant, spec.seed, dataset), device),
            spec.split,
            Streams(study.study_seed, spec.seed, entrant.name),
        )
        for spec in specs
    ]
    endings = fit_stack(
        members,
        entrant.recipe,
        examples,
        pixel_scale=pixel_scale(study.protocol),
        autocast=autocast_for(device, one.precision),
        on_epoch=on_epoch,
    )
    for ended in endings:
        spec, member = specs[ended.which], members[ended.which]
        chosen = member.split.validation
        held_out = to_device(dataset.train_images, dataset.train_labels, chosen, device)
        trial = finish_trial(
            spec, member.model, member.history, ended.stopped, held_out, origin, contended=True
        )
        yield ended.which, trial
