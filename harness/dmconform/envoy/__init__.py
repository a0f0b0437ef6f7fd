"""Drives one real Envoy: launch, configuration, clients and servers."""
