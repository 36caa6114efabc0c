"""Measurements, which run by hand: no test asserts a time or a size of the machine."""
