"""`python -m dmconform` is `dmconform`."""

import os
import sys

# `-m` puts the current folder first; a file there that has the name of a library's module must not take its place.
_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib would be searched for there
if sys.path[0] == os.getcwd() != _HERE:  # noqa: PTH109 - the same
    del sys.path[0]

try:
    from dmconform.cli.main import main
except KeyboardInterrupt:  # as later on: the imports take a while
    print("dmconform: interrupted", file=sys.stderr)
    sys.exit(4)

sys.exit(main())
