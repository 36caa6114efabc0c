"""bakeoff: fair bake-offs of neural-network architectures."""
