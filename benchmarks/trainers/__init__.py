"""The same training by several libraries, each in a file of its own."""
