"""What a step of training makes small."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional as F


@dataclass(frozen=True, eq=False)
class CrossEntropy:
    """The mean cross-entropy of a batch, in nats."""

    smoothing: float = 0.0
    """The share of each target that is spread evenly over all classes (C. Szegedy et al.,
    "Rethinking the Inception architecture", 2016)."""
    class_weights: torch.Tensor | None = None
    """float32 [classes]: how much an example of each class counts in the mean, which is divided by
    the sum of these over the batch."""

    def __call__(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return the loss of logits [b, classes], as PyTorch defines it.

        labels: int64 [b], or mixed float32 [b, classes], whose shares of each example add up to 1.
        """
        return F.cross_entropy(
            logits, labels, weight=self.class_weights, label_smoothing=self.smoothing
        )

    def with_gradient(
        self, logits: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the loss, and its gradient by the logits, [b, classes].

        By hand where each label is one class and all classes count the same, (probability -
        target) / b: this is most of the step of a small network.
        """
        if self.class_weights is not None or labels.is_floating_point():
            leaf = logits.detach().requires_grad_()
            with torch.enable_grad():
                loss = self(leaf, labels)
            (gradient,) = torch.autograd.grad(loss, leaf)
            return loss.detach(), gradient
        log_probabilities, smoothing = F.log_softmax(logits, dim=1), self.smoothing
        loss = F.nll_loss(log_probabilities, labels)
        if smoothing > 0:
            loss = (1 - smoothing) * loss - smoothing * log_probabilities.mean()
        upstream = log_probabilities.exp_()
        if smoothing > 0:
            upstream.sub_(smoothing / upstream.shape[1])
        sure = upstream.new_full((len(labels), 1), smoothing - 1)
        upstream.scatter_add_(1, labels.unsqueeze(1), sure)
        return loss, upstream.div_(len(labels))


PLAIN = CrossEntropy()


def balanced(labels: torch.Tensor, classes: int) -> torch.Tensor:
    """Return weights by which all classes count the same in total: float32 [classes].

    Of int64 labels [n]: n / (classes * images of the class), as scikit-learn's "balanced" has it;
    0 for a class that has none.
    """
    counts = labels.bincount(minlength=classes).double()
    weights = len(labels) / (classes * counts)
    return torch.where(counts > 0, weights, 0.0).float()
