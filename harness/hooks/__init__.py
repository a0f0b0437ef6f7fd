"""Which hooks a host requires of a module, as measured: modules that lack one hook at a time."""
