"""Sandboxed jobs and the toolchain image, on any server that speaks the Docker API."""
