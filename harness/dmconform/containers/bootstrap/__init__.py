"""Makes a Docker server and a base image appear on a machine that has none: `server` and `base_image` are for others."""
