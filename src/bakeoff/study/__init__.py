"""What is asked: studies as values and as TOML, and the seeds that follow from them."""
