"""Networks of one architecture whose weights lie on top of each other and move in one update."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap
from torch.nn import functional as F

from bakeoff.engine.pixels import Pixels
from bakeoff.networks.randomness import seeded
from bakeoff.study.recipe import Recipe
from bakeoff.training.optimizers import make_optimizer, make_schedule
from bakeoff.training.stacking.dropout import reseed, stack_dropout

Tensors = dict[str, torch.Tensor]
"""Tensors of all networks of a stack, [seeds, ...], by their name in one network."""

_EVALUATED = 1000
"""Images in one pass of `logits`, over all seeds together."""


class Stack:
    """Networks that train in one program, each as if it were alone.

    Nothing mixes the networks: `torch.func.vmap` runs the one forward and backward pass on each
    slice, and the optimizers are elementwise, so one optimizer over the stacked weights is one for
    each network. Running means and other buffers are stacked too. The networks themselves get
    their weights back by `write_back`.
    """

    def __init__(
        self,
        models: Sequence[nn.Module],
        recipe: Recipe,
        steps_per_epoch: int,
        *,
        pixels: Pixels,
        autocast: torch.autocast,
    ) -> None:
        self._models = list(models)
        self._pixels = pixels
        self._autocast = autocast
        self._smoothing = recipe.label_smoothing or 0.0
        parameters, self._buffers = stack_module_state(self._models)
        # Gradients come from torch.func, so nothing here may record operations for autograd.
        leaves: Tensors = {
            name: nn.Parameter(value.detach().contiguous(), requires_grad=False)
            for name, value in parameters.items()
        }
        self._frozen = {n: v for n, v in leaves.items() if not parameters[n].requires_grad}
        self._weights = {n: v for n, v in leaves.items() if parameters[n].requires_grad}
        moving = nn.ParameterList(self._weights.values())
        self._optimizer = make_optimizer(moving, recipe)
        self.schedule = make_schedule(self._optimizer, recipe, steps_per_epoch)
        """What sets the learning rate, the same for all networks."""
        # Lends its layers to all networks; its own weights are never used.
        self._layers = copy.deepcopy(self._models[0])
        on_cpu = all(weight.device.type == "cpu" for weight in moving)
        self._dropout = stack_dropout(self._layers) if on_cpu else []
        self._gradients = vmap(grad_and_value(self._loss, has_aux=True), randomness="different")

    @contextmanager
    def seeded(self, seeds: Sequence[int]) -> Iterator[None]:
        """Let everything random inside start anew, one seed for each network, while this lasts."""
        reseed(self._dropout, seeds)
        with seeded(self._layers, seeds[0]):
            yield

    def update(self, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Move the weights once; return the losses before, float [seeds].

        images: uint8 [seeds, b, channels, height, width]; labels: int64 [seeds, b].
        """
        self._layers.train()
        pixels = self._pixels(images)
        gradients, (losses, buffers) = self._gradients(
            self._weights, self._buffers, self._frozen, pixels, labels
        )
        for name, weight in self._weights.items():
            # Fused optimizers go through memory in order, so weight and gradient need one layout.
            weight.grad = gradients[name].contiguous()
        self._optimizer.step()
        for name, buffer in buffers.items():
            self._buffers[name].copy_(buffer)
        return losses  # type: ignore[no-any-return]

    def _loss(
        self,
        weights: Tensors,
        buffers: Tensors,
        frozen: Tensors,
        pixels: torch.Tensor,
        labels: torch.Tensor,
    ) -> tuple[torch.Tensor, Tensors]:
        """Return the loss of one network and its buffers after the pass.

        vmap refuses that a layer writes to a buffer from outside, as batch normalisation does to
        its running means; to a copy it may.
        """
        moved = {name: buffer.clone() for name, buffer in buffers.items()}
        with self._autocast:
            logits = functional_call(self._layers, (weights, moved, frozen), (pixels,))
            return F.cross_entropy(logits, labels, label_smoothing=self._smoothing), moved

    @torch.no_grad()
    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Return float32 logits [seeds, n, classes] of uint8 images [seeds, n, c, h, w]."""
        self._layers.eval()
        state = self._weights | self._buffers | self._frozen

        def forward(state: Tensors, pixels: torch.Tensor) -> torch.Tensor:
            return functional_call(self._layers, state, (pixels,))  # type: ignore[no-any-return]

        parts = images.split(max(1, _EVALUATED // len(images)), dim=1)
        passes = [vmap(forward)(state, self._pixels(part)) for part in parts]
        return torch.cat(passes, dim=1)

    @torch.no_grad()
    def write_back(self, position: int) -> None:
        """Give the network at `position` of the stack its weights and buffers."""
        model = self._models[position]
        for name, parameter in model.named_parameters():
            if name in self._weights:
                parameter.copy_(self._weights[name][position])
        for name, buffer in model.named_buffers():
            buffer.copy_(self._buffers[name][position])

    def keep(self, positions: Sequence[int]) -> None:
        """Let only the networks at these positions go on, with their part of the optimizer."""
        self._models = [self._models[position] for position in positions]
        chosen = list(positions)
        for weight in self._weights.values():
            state = self._optimizer.state[weight]
            for key, value in state.items():
                # All but the number of steps, which is one for all.
                if isinstance(value, torch.Tensor) and value.shape == weight.shape:
                    state[key] = value[chosen]
            weight.data = weight[chosen]
            weight.grad = None
        self._buffers = {name: buffer[chosen] for name, buffer in self._buffers.items()}
        self._frozen = {name: value[chosen] for name, value in self._frozen.items()}
