"""What a pass forward and back reaches in a network, and what it should have reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from bakeoff.training.examined import Examined, Finding


@dataclass(frozen=True)
class Gradient:
    """What one pass forward and back reached."""

    reached: frozenset[str]
    """The parameters that got a gradient."""
    hidden: tuple[torch.Tensor, ...]
    """What got one and is no parameter of the network."""
    not_finite: str | None
    """A parameter whose gradient is not finite."""
    sparse: str | None
    """A parameter whose gradient is sparse."""

    @classmethod
    def of(cls, examined: Examined, size: int) -> Gradient:
        """Send images forward and back in training; the network keeps no gradient."""
        sample, model = examined.sample, examined.first
        images = sample.batch(size)
        logits = examined.logits(images, model, "training")
        labels = torch.arange(len(images), device=images.device) % sample.classes
        loss = F.cross_entropy(logits, labels)
        named = {name: each for name, each in model.named_parameters() if each.requires_grad}
        hidden = _leaves(loss, but=list(model.parameters()))
        if loss.requires_grad:
            with examined.running("cannot be differentiated", len(images)):
                loss.backward()
        reached = {name: each.grad for name, each in named.items() if each.grad is not None}
        wrong = (name for name, each in reached.items() if not bool(each.sum().isfinite()))
        sparse = (name for name, each in reached.items() if each.is_sparse)
        found = cls(frozenset(reached), hidden, next(wrong, None), next(sparse, None))
        model.zero_grad(set_to_none=True)
        return found


def _leaves(loss: torch.Tensor, but: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """Return the tensors that `loss` has a gradient for, without some."""
    known, found = {id(each) for each in but}, []
    waiting, seen = [loss.grad_fn], set()
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        leaf = getattr(node, "variable", None)
        if isinstance(leaf, torch.Tensor) and id(leaf) not in known:
            found.append(leaf)
        waiting += [after for after, _ in node.next_functions]
    return tuple(found)


def hidden_numbers(gradients: Sequence[Gradient]) -> int:
    """Return how many numbers are hidden in each pass: a forward may also make some for itself."""
    lasting = {id(each) for each in gradients[1].hidden}
    return sum(each.numel() for each in gradients[0].hidden if id(each) in lasting)


def gradient_findings(examined: Examined, gradients: Sequence[Gradient]) -> Iterator[Finding]:
    """Find parameters that cannot be trained, in passes of two batch sizes."""
    name, model = examined.name, examined.first
    if hidden := hidden_numbers(gradients):
        yield Finding(
            "refuse",
            f"{name} computes with {hidden:,} weights that the optimizer does not "
            "see and no file keeps: put layers that stand in a list or dict into an nn.ModuleList "
            "or nn.ModuleDict, and tensors into nn.Parameter",
        )
    for gradient in gradients:
        if gradient.not_finite is not None:
            yield Finding(
                "refuse",
                f"{name}: the gradient of {gradient.not_finite} is not finite in the first step; "
                "a root or division at 0?",
            )
            break
    if gradients[0].sparse is not None:
        yield Finding(
            "refuse",
            f"{name}: the gradient of {gradients[0].sparse} is sparse, which no optimizer here "
            "takes; leave out sparse=True",
        )
    trained = {key: each.numel() for key, each in model.named_parameters() if each.requires_grad}
    unused = {key: trained[key] for key in trained if not any(key in g.reached for g in gradients)}
    if len(unused) == len(trained):
        yield Finding(
            "refuse",
            f"{name}: no gradient reaches any of its {sum(trained.values()):,} parameters; "
            "look for detach, no_grad, argmax or .data between them and the logits",
        )
    elif unused:
        which = next(iter(unused)) + (f" and {len(unused) - 1} more" if len(unused) > 1 else "")
        yield Finding(
            "warn",
            f"{name}: {sum(unused.values()):,} of {sum(trained.values()):,} parameters are never "
            f"used ({which}); they stay as they start and are counted all the same",
        )
