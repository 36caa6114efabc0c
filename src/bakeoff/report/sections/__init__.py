"""What the sections of the page show, gathered from findings."""
