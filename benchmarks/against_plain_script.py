"""Time bakeoff's training steps beside those of the plain script that most people write.

    python benchmarks/against_plain_script.py [--rounds 5] [--examples 1500]

The plain script: single images through a `DataLoader`, a model in the default memory layout, Adam
as `torch.optim` gives it by default, the loss read after every step. Both train the networks of the
study `assignment`, with the same batch sizes, on the same images, in float32. They take turns, so
that a drifting machine is fair to both; the table gives medians over the rounds, per epoch of
54,000 examples, and what the six trainings of the study come to with the published epochs.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from bakeoff.data.mnist import load_mnist
from bakeoff.study import Entrant, Study
from bakeoff.study_file import find_study, read_study
from bakeoff.training.bursts import make_burst
from bakeoff.training.trial import build_entrant, pixel_scale

TRAIN_EXAMPLES = 54_000
PUBLISHED_EPOCHS = (11, 11, 11, 11, 15, 15)


class SingleImages(Dataset[tuple[torch.Tensor, int]]):
    """MNIST image by image, converted when it is asked for."""

    def __init__(self, images: torch.Tensor, labels: torch.Tensor, scale: float) -> None:
        self.images, self.labels, self.scale = images, labels, scale

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.images[index].float() * self.scale, int(self.labels[index])


def plain_script(study: Study, entrant: Entrant, examples: int) -> Callable[[], float]:
    """Return a function that trains on `examples` images in the plain way."""
    dataset = load_mnist()
    images = torch.tensor(dataset.train_images[:examples])
    labels = torch.tensor(dataset.train_labels[:examples])
    loader = DataLoader(
        SingleImages(images, labels, pixel_scale(study.protocol)),
        batch_size=entrant.recipe.batch_size,
        shuffle=True,
    )
    model: nn.Module = build_entrant(study, entrant, 0, dataset)
    optimizer = torch.optim.Adam(model.parameters(), lr=entrant.recipe.learning_rate)

    def train() -> float:
        model.train()
        total = 0.0
        for batch, targets in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(batch), targets)
            loss.backward()
            optimizer.step()
            total += loss.item()
        return total

    return train


def seconds(work: Callable[[], object]) -> float:
    """Return the wall seconds that one call takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--examples", type=int, default=1500)
    options = parser.parse_args()

    study = read_study(find_study("assignment"))
    to_epoch = TRAIN_EXAMPLES / options.examples
    totals = [0.0, 0.0]
    print(f"float32, {torch.get_num_threads()} threads, medians of {options.rounds} rounds")
    print("| entrant | plain script, s/epoch | bakeoff, s/epoch | ratio (min to max) |")
    print("|---|---|---|---|")
    for entrant, epochs in zip(study.entrants, PUBLISHED_EPOCHS, strict=True):
        plain = plain_script(study, entrant, options.examples)
        ours = make_burst(
            study,
            entrant,
            load_mnist(),
            device=torch.device("cpu"),
            precision="float32",
            examples=options.examples,
        )
        plain(), ours()
        pairs = [(seconds(plain), seconds(ours)) for _ in range(options.rounds)]
        ratios = sorted(slow / fast for slow, fast in pairs)
        medians = [statistics.median(side) * to_epoch for side in zip(*pairs, strict=True)]
        totals = [total + median * epochs for total, median in zip(totals, medians, strict=True)]
        print(
            f"| {entrant.name} | {medians[0]:.1f} | {medians[1]:.1f} | "
            f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) |",
            flush=True,
        )
    print(
        f"| six trainings, published epochs, minutes | {totals[0] / 60:.1f} | "
        f"{totals[1] / 60:.1f} | {totals[0] / totals[1]:.2f} |"
    )


if __name__ == "__main__":
    main()
