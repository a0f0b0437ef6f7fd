"""The modules that travel in an archive and run the cell again."""
