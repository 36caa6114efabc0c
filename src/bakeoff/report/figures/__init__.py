"""The charts: each file turns records into series, then draws the series as SVG."""
