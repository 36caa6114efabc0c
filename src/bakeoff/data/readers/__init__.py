"""One file per format or collection."""
