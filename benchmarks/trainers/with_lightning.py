"""Lightning's Trainer, with all that is optional switched off.

A `TensorDataset` in memory, as its documentation recommends for data that fits; no workers, since
the two cores are busy; no logger, checkpoint, progress bar, summary or sanity check.
"""

from __future__ import annotations

import logging
import warnings
from typing import Any, Literal

import lightning
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from bakeoff.training.fit import Examples
from benchmarks.task import Task
from benchmarks.trainers.contract import VALIDATION_BATCH, pixels

PRECISIONS: dict[str, Literal["32-true", "bf16-mixed"]] = {
    "float32": "32-true",
    "bfloat16": "bf16-mixed",
}


class Module(lightning.LightningModule):
    """The network with its loss and its optimizer."""

    def __init__(self, task: Task) -> None:
        super().__init__()
        self.network = task.network()
        self.rate = task.entrant.recipe.learning_rate

    def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
        """Return the mean cross-entropy of one batch."""
        images, labels = batch
        return F.cross_entropy(self.network(images), labels)

    def validation_step(self, batch: list[torch.Tensor], _: int) -> None:
        """Log loss and accuracy of one batch; Lightning takes their means over the epoch."""
        images, labels = batch
        logits = self.network(images)
        self.log("validation_loss", F.cross_entropy(logits, labels))
        self.log("validation_accuracy", (logits.argmax(1) == labels).float().mean())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return Adam as torch gives it by default."""
        return torch.optim.Adam(self.parameters(), lr=self.rate)


def _loader(task: Task, examples: Examples, batch_size: int, *, shuffle: bool) -> DataLoader[Any]:
    images = torch.from_numpy(pixels(examples, task.scale))
    return DataLoader(TensorDataset(images, examples.labels), batch_size, shuffle=shuffle)


class WithLightning:
    """A task trained by Lightning."""

    module: Module
    trainer: lightning.Trainer

    def __init__(self, task: Task) -> None:
        self.task = task
        train, validation = task.data()
        self.train = _loader(task, train, task.recipe.batch_size, shuffle=True)
        self.validation = _loader(task, validation, VALIDATION_BATCH, shuffle=False)
        logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    def fresh(self) -> None:
        """Build module and Trainer anew."""
        self.module = Module(self.task)
        self.trainer = lightning.Trainer(
            accelerator="cpu",
            max_epochs=self.task.epochs,
            precision=PRECISIONS[self.task.precision],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )

    def fit(self) -> None:
        """Train all epochs."""
        with warnings.catch_warnings():
            # That loading in the main process is slow: here it is not, the images are in memory.
            warnings.filterwarnings("ignore", ".*does not have many workers.*")
            # What Lightning itself calls and torch will drop.
            warnings.filterwarnings("ignore", ".*LeafSpec.*")
            self.trainer.fit(self.module, self.train, self.validation)

    @torch.inference_mode()
    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Score in float32."""
        network = self.module.network.eval()
        parts = [network(part.float() * self.task.scale) for part in images.split(500)]
        # Lightning trains a network in the mode in which it finds it.
        network.train()
        return torch.cat(parts)
