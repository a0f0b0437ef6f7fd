"""Makes a Docker server and a base image appear on a machine that has none."""
