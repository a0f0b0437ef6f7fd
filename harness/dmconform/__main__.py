"""`python -m dmconform` is `dmconform`."""

import sys

from dmconform.cli.main import main

sys.exit(main())
