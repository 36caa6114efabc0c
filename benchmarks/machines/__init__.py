"""What many trials on many machines cost: see docs/machines.md."""
