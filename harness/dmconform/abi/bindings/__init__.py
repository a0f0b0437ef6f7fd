"""Bindings and compile-time checks that are generated from the ABI data."""
