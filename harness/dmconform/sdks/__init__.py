"""SDK versions, their sources and builds, and the store of built modules."""
