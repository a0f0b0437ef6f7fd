"""The ABI taken from headers and binaries, and two of them compared."""
