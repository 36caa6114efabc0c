"""The terminal: verbs, how a run looks, tables."""
