"""Ways to run trials; each only runs them."""
