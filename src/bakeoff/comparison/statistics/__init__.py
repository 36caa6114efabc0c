"""Pure functions on plain numpy arrays."""
