"""What a binary says without being run: modules, hosts, and whether the one can load the other."""
