"""The run folder: what trials leave, out and in."""
