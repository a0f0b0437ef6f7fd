"""The ABI of Envoy's dynamic modules as data, and the bindings generated from it."""
