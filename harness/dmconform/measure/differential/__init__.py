"""Differential tests: the same calls of callbacks on several hosts, results compared."""
