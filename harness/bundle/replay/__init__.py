"""What replays a cell. It goes into the archive, and needs nothing but the standard library of Python 3.9 or newer."""
