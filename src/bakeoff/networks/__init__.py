"""What competes: network families by name, and how their weights start."""
