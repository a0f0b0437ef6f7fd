"""What the matrix and the commands cost."""
