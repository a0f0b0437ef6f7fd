"""`python -m tests.attack`."""

import sys

from tests.attack.main import main

if __name__ == "__main__":
    sys.exit(main())
