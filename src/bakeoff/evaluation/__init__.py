"""From a trained model to logits, scores and cost."""
