"""Reports that are kept for others."""
