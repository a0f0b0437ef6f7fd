"""Conformance suite for Envoy's dynamic modules."""
