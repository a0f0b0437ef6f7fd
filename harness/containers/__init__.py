"""Containers that probes are built in: the Docker server, the base and toolchain images, and the sandbox of a job."""
