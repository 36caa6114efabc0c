"""Which trials of a study have yet to be trained, and how large their networks are."""

from __future__ import annotations

from collections.abc import Mapping

from bakeoff.data.dataset import Dataset
from bakeoff.records.folder import RunFolder
from bakeoff.runners.listener import PlannedTrial
from bakeoff.training.size import NetworkSize


def plan_trials(
    folder: RunFolder, dataset: Dataset, sizes: Mapping[str, NetworkSize]
) -> list[PlannedTrial]:
    """Return the trials that have yet to be trained: all entrants with seed 0 first, then 1, ...

    So an interrupted study can be compared, with the seeds that it got to.
    """
    images, finished = len(dataset.train_images), set(folder.finished())
    return [
        PlannedTrial(
            entrant,
            seed,
            size=sizes[entrant.name],
            work_per_epoch=float(sizes[entrant.name].multiply_adds_per_image * images),
        )
        for seed in folder.study.trial_seeds
        for entrant in folder.study.entrants
        if (entrant.name, seed) not in finished
    ]
