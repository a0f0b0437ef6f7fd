"""Two reports, cell by cell."""
