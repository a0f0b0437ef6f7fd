"""What other people's programs say of the same things. Debian's packages; `tests/ensure_packages.py` installs them."""
