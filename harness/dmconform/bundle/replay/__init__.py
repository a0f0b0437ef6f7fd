"""What travels in an archive and runs the cell again."""
