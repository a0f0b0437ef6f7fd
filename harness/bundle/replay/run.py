#!/usr/bin/env python3
"""Replays the cell of this archive on an Envoy of this machine: see README.txt."""

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.dont_write_bytecode = True  # nothing is left behind
    here = Path(__file__).resolve().parent
    sys.path[:0] = [str(here), str(here / "vendored")]
    sys.exit(importlib.import_module("replay.main").main(here, sys.argv[1:]))
