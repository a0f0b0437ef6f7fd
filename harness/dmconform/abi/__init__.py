"""The ABI as data: types, loading, bindings, and the measured tables of required hooks and of reactions to faults."""
