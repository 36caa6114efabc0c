"""The script that most people write: the other side of against_plain_script.py.

Single images through a `DataLoader`, the model in the default memory layout, Adam as `torch.optim`
gives it by default, the loss read after every step, validation by a second `DataLoader`; float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from bakeoff.training.fit import Examples
from benchmarks.task import Task


class SingleImages(Dataset[tuple[torch.Tensor, int]]):
    """Images one by one, converted when asked for."""

    def __init__(self, examples: Examples, scale: float) -> None:
        self.examples, self.scale = examples, scale

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        image = self.examples.images[index].float() * self.scale
        return image, int(self.examples.labels[index])


Loader = DataLoader[tuple[torch.Tensor, torch.Tensor]]


@dataclass(frozen=True)
class PlainScript:
    """Model, optimizer and the two loaders."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    train: Loader
    validation: Loader

    def train_epoch(self) -> float:
        """Take one step per batch; return the sum of the losses."""
        self.model.train()
        total = 0.0
        for images, labels in self.train:
            self.optimizer.zero_grad()
            loss = F.cross_entropy(self.model(images), labels)
            loss.backward()
            self.optimizer.step()
            total += loss.item()
        return total

    def validate(self) -> float:
        """Return the accuracy on the validation examples."""
        return self.accuracy(self.validation)

    @torch.no_grad()
    def accuracy(self, loader: Loader) -> float:
        """Return the share of the loader's examples that the model names rightly."""
        self.model.eval()
        right = examples = 0
        for images, labels in loader:
            right += int((self.model(images).argmax(1) == labels).sum())
            examples += len(labels)
        return right / examples


def loader_of(task: Task, examples: Examples, *, shuffle: bool) -> Loader:
    """Return a loader of single images in the batch size of the entrant."""
    images = SingleImages(examples, task.scale)
    batch_size = task.entrant.recipe.batch_size
    # The loader stacks single labels to a tensor, which its type does not say.
    return DataLoader(images, batch_size=batch_size, shuffle=shuffle)  # type: ignore[arg-type]


def write_plain_script(task: Task) -> PlainScript:
    """Return the plain script that trains a task."""
    model = task.network()
    train, validation = task.data()
    return PlainScript(
        model,
        torch.optim.Adam(model.parameters(), lr=task.entrant.recipe.learning_rate),
        loader_of(task, train, shuffle=True),
        loader_of(task, validation, shuffle=False),
    )
