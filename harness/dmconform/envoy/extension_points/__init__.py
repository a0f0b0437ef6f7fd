"""Makes an Envoy use a module at each extension point."""
