"""The known Envoys, and how a binary comes to this machine."""
