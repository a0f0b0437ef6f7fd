"""`python -m dmconform` is `dmconform`."""

import os
import sys

# `-m` puts the current folder first; a file there that has the name of a library's module must not take its place.
if not sys.flags.safe_path and sys.path[0] != os.path.dirname(os.path.dirname(os.path.abspath(__file__))):  # noqa: PTH100, PTH120
    del sys.path[0]

from dmconform.cli.main import main

sys.exit(main())
