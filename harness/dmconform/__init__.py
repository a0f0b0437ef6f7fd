"""Conformance suite for Envoy's dynamic modules."""

__version__ = "0.1.0"
"""The version of the distribution and of the suite that a report names; written nowhere else."""
