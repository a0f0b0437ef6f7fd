"""Renders the ABI data as the bindings that the reference SDKs are built over, and as checks of them by a compiler."""
