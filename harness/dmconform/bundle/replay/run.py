#!/usr/bin/env python3
"""Replays the cell of this archive on an Envoy of this machine: see README.txt."""

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.dont_write_bytecode = True  # nothing is left behind
    if sys.version_info < (3, 10):  # noqa: UP036 (this machine's may be older than the harness's)
        print("run.py: expected Python 3.10 or newer, this is " + sys.version.split()[0])
        sys.exit(2)
    here = Path(__file__).resolve().parent
    sys.path[:0] = [str(here), str(here / "vendored")]
    sys.exit(importlib.import_module("dmconform.bundle.replay.main").main(here, sys.argv[1:]))
