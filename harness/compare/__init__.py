"""Two reports, compared cell by cell."""
