"""The harness: plans cells, builds probes, drives real Envoys, judges and reports. See docs/architecture.md."""
