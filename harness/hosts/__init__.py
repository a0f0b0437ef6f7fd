"""The hosts: which Envoy releases are known, and how a binary comes to this machine."""
