"""What changed between two ABIs of Envoy's dynamic modules, and what that does to modules that are already built."""
