"""Reports that are kept for others: published as they were made, checked for ever after, and shown side by side."""
