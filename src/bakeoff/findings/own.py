"""How the networks of a run do on test cases of the user's own, and what that supports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bakeoff.findings.judgement import Judgement, judge_predictions
from bakeoff.records.own_images import OwnImage
from bakeoff.records.predictions.given import predictions_of_arrays
from bakeoff.training.predict import predict_logits

FEWEST = 5
"""Images from which a paired analysis can show anything: of four in one direction p is 1/8."""


@dataclass(frozen=True, eq=False)
class OwnCases:
    """What all networks say of the user's own images."""

    images: tuple[OwnImage, ...]
    seeds: Mapping[str, tuple[int, ...]]
    """By entrant."""
    said: Mapping[str, NDArray[np.int64]]
    """By entrant, the classes [seeds, images]."""
    judgement: Judgement | None
    """None where there is nothing to compare yet."""

    def right(self, entrant: str) -> tuple[int, int]:
        """Return how many answers of an entrant's networks are right, and of how many."""
        labels = np.array([each.label for each in self.images])
        return int((self.said[entrant] == labels).sum()), self.said[entrant].size

    @property
    def findings(self) -> tuple[str, ...]:
        """What `judge` says of each two entrants."""
        if self.judgement is None:
            return ()
        return tuple(pair.verdict.sentence for pair in self.judgement.comparison.tested)


def own_cases(
    images: Sequence[OwnImage],
    networks: Iterable[tuple[str, int, nn.Module]],
    pixels: Callable[[torch.Tensor], torch.Tensor],
    classes: Sequence[str],
) -> OwnCases:
    """Return what networks, each with its entrant and seed, say of one or more images."""
    seen = torch.from_numpy(np.stack([each.image for each in images]))
    answers: dict[str, dict[int, NDArray[np.int64]]] = {}
    for entrant, seed, model in networks:
        answered = predict_logits(model, seen, pixels).argmax(1).numpy()
        answers.setdefault(entrant, {})[seed] = answered
    said = {entrant: np.stack([*each.values()]) for entrant, each in answers.items()}
    seeds = {entrant: tuple(each) for entrant, each in answers.items()}
    judgement = None
    if len(images) >= FEWEST and len(said) > 1:
        labels = np.array([each.label for each in images])
        names = [each.name for each in images]
        judgement = judge_predictions(predictions_of_arrays(said, labels, None, names, classes))
    return OwnCases(tuple(images), seeds, said, judgement)
