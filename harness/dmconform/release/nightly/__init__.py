"""A run, compared with the night before."""
