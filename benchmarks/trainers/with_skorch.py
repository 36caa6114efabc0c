"""skorch's NeuralNetClassifier on arrays, without printing and scikit-learn scoring."""

from __future__ import annotations

from typing import Any

import torch
from skorch import NeuralNetClassifier
from skorch.dataset import Dataset
from skorch.helper import predefined_split

from benchmarks.task import Task
from benchmarks.trainers.contract import VALIDATION_BATCH, pixels

PRECISIONS = {"float32": None}
"""skorch has no reduced precision of its own."""


class WithSkorch:
    """A task trained by skorch, which scores the validation accuracy after each epoch by itself."""

    network: torch.nn.Module
    classifier: Any

    def __init__(self, task: Task) -> None:
        self.task = task
        train, validation = task.data()
        self.images, self.labels = pixels(train, task.scale), train.labels.numpy()
        self.validation = Dataset(pixels(validation, task.scale), validation.labels.numpy())

    def fresh(self) -> None:
        """Build network and classifier anew."""
        recipe = self.task.recipe
        self.network = self.task.network()
        # A network that is there already is trained in place.
        self.classifier = NeuralNetClassifier(
            self.network,
            criterion=torch.nn.CrossEntropyLoss,
            optimizer=torch.optim.Adam,
            lr=recipe.learning_rate,
            batch_size=recipe.batch_size,
            max_epochs=recipe.epochs,
            iterator_train__shuffle=True,
            iterator_valid__batch_size=VALIDATION_BATCH,
            train_split=predefined_split(self.validation),
            verbose=0,
        )

    def fit(self) -> object:
        """Train all epochs."""
        return self.classifier.fit(self.images, self.labels)

    @torch.inference_mode()
    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Score in float32."""
        network = self.network.eval()
        return torch.cat([network(part.float() * self.task.scale) for part in images.split(500)])
