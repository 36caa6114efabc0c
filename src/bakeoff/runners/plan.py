"""Which trials of a study have yet to be trained, and what they weigh."""

from __future__ import annotations

from bakeoff.data.dataset import Dataset
from bakeoff.records.folder import RunFolder
from bakeoff.runners.listener import PlannedTrial
from bakeoff.study.study import Entrant, Study
from bakeoff.training.cost import multiply_adds_per_image
from bakeoff.training.trial import build_entrant


def plan_trials(folder: RunFolder, dataset: Dataset) -> list[PlannedTrial]:
    """Return the trials that have yet to be trained: all entrants with seed 0 first, then 1, ...

    So an interrupted study can be compared, with the seeds that it got to.
    """
    study = folder.study
    work = {entrant.name: _work_per_epoch(study, entrant, dataset) for entrant in study.entrants}
    return [
        PlannedTrial(entrant, seed, work[entrant.name])
        for seed in study.trial_seeds
        for entrant in study.entrants
        if not folder.has_trial(entrant.name, seed)
    ]


def _work_per_epoch(study: Study, entrant: Entrant, dataset: Dataset) -> float:
    model = build_entrant(study, entrant, 0, dataset).eval()
    return float(multiply_adds_per_image(model, dataset.image_shape) * len(dataset.train_images))
