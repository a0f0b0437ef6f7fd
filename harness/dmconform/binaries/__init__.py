"""Static analysis: what modules and hosts say without being run."""
