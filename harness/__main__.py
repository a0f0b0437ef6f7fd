"""`python -m harness` is `dmconform`."""

import sys

from harness.cli import main

sys.exit(main())
