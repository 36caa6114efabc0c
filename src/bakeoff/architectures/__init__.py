"""The networks that ship, and how their weights start."""
