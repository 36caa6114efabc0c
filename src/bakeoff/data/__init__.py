"""Sources of images, the split, and the order of batches."""
