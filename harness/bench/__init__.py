"""The benchmark: what the matrix and the commands cost."""
