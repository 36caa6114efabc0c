"""Ten words that the page uses in a sense of its own, each in a sentence or two."""

from __future__ import annotations

GLOSSARY = {
    "entrant": "A network with its recipe. Two batch sizes of one network are two entrants.",
    "seed": "What a training's luck starts from: split, first weights, order of batches. "
    "Trainings with one seed are paired across entrants.",
    "validation data": "Training images set aside: entrants are stopped and chosen by them, so "
    "that test data stay unseen until the end.",
    "balanced accuracy": "The share of each class that is found, averaged over classes: rare "
    "classes count as much as frequent ones.",
    "interval": "What the data leave open for the value that new bake-offs would find on average.",
    "p-value": "How often a difference at least as large would be seen if there were none.",
    "Holm's correction": "Of many pairs some differ by luck alone. It raises p-values so that a "
    "wrong claim about any pair stays as rare as one pair alone would allow.",
    "verdict": "What the data support about two entrants: one is better, they are equivalent, or "
    "neither is shown.",
    "equivalent": "Shown to differ by less than the margin. Not the same as no difference shown.",
    "margin": "The difference that the study calls too small to matter, set before training.",
}
"""What each word means."""
