"""The trained networks of all complete trials, held ready, and what they say of an image."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bakeoff.data.dataset import Dataset
from bakeoff.engine.team import given_threads
from bakeoff.findings.inside import load_network
from bakeoff.findings.own import OwnCases, own_cases
from bakeoff.records.folder import RunFolder
from bakeoff.records.own_images import OwnImage
from bakeoff.records.record import Record
from bakeoff.training.code import load_kept
from bakeoff.training.predict import predict_logits
from bakeoff.training.trial import pixels_of


@dataclass(frozen=True, eq=False)
class Answer:
    """What the networks of one entrant say of one image."""

    entrant: str
    seeds: tuple[int, ...]
    probabilities: NDArray[np.float32]
    """[seeds, classes], softmax of the logits."""

    @property
    def mean(self) -> NDArray[np.float32]:
        """The mean over seeds, [classes]."""
        mean: NDArray[np.float32] = self.probabilities.mean(axis=0)
        return mean


class Trained:
    """Networks by entrant and seed. Those of a running study are joined as their trials finish."""

    def __init__(self, folder: RunFolder, dataset: Dataset, *, trust_code: bool = False) -> None:
        self._folder, self._dataset, self._trust_code = folder, dataset, trust_code
        self._models: Mapping[tuple[str, int], nn.Module] = {}
        self._pixels = pixels_of(folder.study.protocol, dataset, torch.device("cpu"))

    @given_threads()
    def hold(self, records: Sequence[Record]) -> None:
        """Hold the networks of these complete trials, and no others.

        Raises StoreError where weights are damaged, and UntrustedError or NetworkError where the
        code of one may not, or cannot, be run.
        """
        complete = [each for each in records if each.complete]
        entrants = {each.entrant for each in complete}
        study = self._folder.study
        chosen = [each for each in study.entrants if each.name in entrants]
        load_kept(chosen, self._folder.code, study.folder, trusted=self._trust_code)
        # A new mapping: whoever is answering goes on with the one that it has.
        self._models = {
            key: self._models.get(key) or self._loaded(record)
            for record in complete
            for key in [(record.entrant, record.seed)]
        }

    def _loaded(self, record: Record) -> nn.Module:
        return load_network(self._folder, record, self._dataset).eval()

    @given_threads()
    @torch.no_grad()
    def answers(self, image: NDArray[np.uint8]) -> list[Answer]:
        """Return what all say of an image, to the bit what `inspect` does.

        image: uint8 [channels, height, width]. Entrants are in the order of the study.
        """
        seen = self._pixels(torch.tensor(image[None]))
        return [
            Answer(
                entrant,
                tuple(seed for seed, _ in models),
                # One by one: in a batch the last bits may be others.
                np.stack([model(seen).softmax(1)[0].numpy() for _, model in models]),
            )
            for entrant, models in self._by_entrant()
        ]

    @given_threads()
    def answers_along(self, images: NDArray[np.uint8]) -> list[tuple[str, NDArray[np.float32]]]:
        """Return what each entrant says of images [n, channels, height, width], [n, classes].

        The probabilities are means over seeds.
        """
        frames = torch.tensor(images)
        return [
            (
                entrant,
                torch.stack(
                    [predict_logits(model, frames, self._pixels).softmax(1) for _, model in models]
                )
                .mean(0)
                .numpy(),
            )
            for entrant, models in self._by_entrant()
        ]

    @given_threads()
    def own_cases(self, images: Sequence[OwnImage]) -> OwnCases:
        """Return what all say of images that the user kept, of which there is one."""
        networks = ((*key, model) for key, model in self._models.items())
        return own_cases(images, networks, self._pixels, self._dataset.classes)

    def _by_entrant(self) -> Iterator[tuple[str, list[tuple[int, nn.Module]]]]:
        models = self._models
        for entrant in self._folder.study.entrants:
            own = [(seed, model) for (name, seed), model in models.items() if name == entrant.name]
            if own:
                yield entrant.name, own
