"""From an SDK version to modules: sources, bindings, container jobs, cache, and what the ELF file says."""
