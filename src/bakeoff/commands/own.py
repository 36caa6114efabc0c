"""`bakeoff inspect --own`: how the networks of a run do on test cases of the user's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bakeoff.data.catalogue import load_dataset
from bakeoff.errors import UsageError
from bakeoff.findings.own import OwnCases, own_cases
from bakeoff.records.folder import RunFolder
from bakeoff.records.own_images import OWN, own_images
from bakeoff.text import counted


@dataclass(frozen=True)
class OwnTold:
    """What all networks of a run say of the images in its own-images."""

    found: OwnCases

    def to_dict(self) -> dict[str, Any]:
        """Return what `--json` prints."""
        return {
            "images": [
                {
                    "name": each.name,
                    "label": each.label,
                    "predicted": {
                        name: said[:, place].tolist() for name, said in self.found.said.items()
                    },
                }
                for place, each in enumerate(self.found.images)
            ],
            "entrants": [
                {"entrant": name, "seeds": list(self.found.seeds[name]), "right": right, "of": of}
                for name in self.found.said
                for right, of in [self.found.right(name)]
            ],
            "findings": list(self.found.findings),
        }

    def to_text(self) -> str:
        """Return what a person reads: one line per entrant, then what it supports."""
        width = max(map(len, self.found.said))
        lines = [f"{counted(len(self.found.images), 'image')} of your own"]
        for name in self.found.said:
            right, of = self.found.right(name)
            seeds = counted(len(self.found.seeds[name]), "seed")
            lines.append(f"{name:<{width}}  {right} of {counted(of, 'answer')} right ({seeds})")
        return "\n".join([*lines, *(f"- {line}" for line in self.found.findings)])


def own_of_run(directory: Path, *, trust_code: bool = False) -> OwnTold:
    """Return how every complete trial of a run does on the images that the user kept beside it.

    Raises UsageError where there is none, StoreError where files are damaged, and UntrustedError as
    `inspect_run` does.
    """
    folder = RunFolder.open(directory)
    dataset = load_dataset(folder.study.protocol, folder.study.folder)
    images = own_images(folder.place(), dataset.classes, dataset.image_shape)
    records = [each for each in folder.read_records() if each.complete]
    if not images or not records:
        missing = "no image" if not images else "no complete trial"
        raise UsageError(
            f"{directory}: {missing} to ask; bakeoff serve keeps images in {OWN}/CLASS/0000.png"
        )
    # Whoever has no image of their own waits for no torch.
    import torch

    from bakeoff.engine.team import given_threads
    from bakeoff.findings.inside import load_network
    from bakeoff.training.code import load_kept
    from bakeoff.training.trial import pixels_of

    asked = {each.entrant for each in records}
    code = [each for each in folder.study.entrants if each.name in asked]
    load_kept(code, folder.code, folder.study.folder, trusted=trust_code)
    pixels = pixels_of(folder.study.protocol, dataset, torch.device("cpu"))
    with given_threads():
        networks = (
            (each.entrant, each.seed, load_network(folder, each, dataset)) for each in records
        )
        return OwnTold(own_cases(images, networks, pixels, dataset.classes))
