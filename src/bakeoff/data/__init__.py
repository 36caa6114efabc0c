"""What they compete on: data sets by name, the split, the order of batches."""
