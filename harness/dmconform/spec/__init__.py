"""What is promised and known: requirements, cases, expectations, findings, and the cells of a selection."""
