"""Steps that a GPU repeats from a recording, without Python between their operations.

A step of a small network is some fifty kernels of a few microseconds each, and starting one from
Python takes longer than running it. A CUDA graph records the update once and starts it whole.

Not yet run on a GPU: of this file, `CudaGraphs` is what the tests, which run on the CPU, do not
reach. All around it (memory that stays in place, warm-up, batches of another size, the learning
rate as a tensor) they do.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch.optim.lr_scheduler import LRScheduler

from bakeoff.engine.average import Average
from bakeoff.engine.step import Step, Update

WARM_UPS = 3
"""Updates before the recording: libraries choose their kernels and the optimizer its state."""

Work = Callable[[], torch.Tensor]
"""One update on batches at fixed places in memory; returns its loss."""


class CudaGraphs:
    """Records CUDA graphs (docs.pytorch.org, "CUDA semantics", whole-network capture)."""

    def warm_up(self, work: Work) -> torch.Tensor:
        """Do the work on a stream of its own, which capture needs to have been used before."""
        here, side = torch.cuda.current_stream(), torch.cuda.Stream()
        side.wait_stream(here)
        with torch.cuda.stream(side):
            loss = work()
        here.wait_stream(side)
        return loss

    def record(self, work: Work) -> Work:
        """Return the replay of the captured work; each replay overwrites the loss returned."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            loss = work()

        def replay() -> torch.Tensor:
            graph.replay()
            return loss

        return replay


class RecordedUpdate:
    """An update that is recorded once and then repeated.

    The first updates warm up, and are updates of the training like all others. Batches of another
    size than `batch_size`, which the last of an epoch may be, run unrecorded. The schedule stays
    outside: it writes the learning rate into the tensor that the recorded optimizer reads.
    """

    def __init__(self, update: Update, batch_size: int, recorder: CudaGraphs) -> None:
        self._update = update
        self._batch_size = batch_size
        self._recorder = recorder
        self._warm_ups_left = WARM_UPS
        self._images = self._labels = torch.empty(0)
        self._repeat: Work | None = None

    def __call__(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Move the weights once; `images` is uint8 [..., b, channels, height, width]."""
        if images.shape[-4] != self._batch_size:
            return self._update(images, labels)
        if self._warm_ups_left > 0:
            self._warm_ups_left -= 1
            return self._recorder.warm_up(partial(self._update, images, labels))
        if self._repeat is None:
            self._images, self._labels = torch.zeros_like(images), torch.zeros_like(labels)
            self._repeat = self._recorder.record(partial(self._update, self._images, self._labels))
        self._images.copy_(images)
        self._labels.copy_(labels)
        # The next repetition writes its loss to the same place.
        return self._repeat().clone()


def make_step(
    update: Update,
    schedule: LRScheduler,
    batch_size: int,
    device: torch.device,
    average: Average | None = None,
) -> Step:
    """Return what takes one step: recorded on a GPU, operation by operation elsewhere."""
    if device.type == "cuda":
        update = RecordedUpdate(update, batch_size, CudaGraphs())
    return Step(update, schedule, average)
