"""`python -m tests.mutants`."""

import signal
import sys

from dmconform.core.errors import ExitCode

from tests.mutants.main import main


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(ExitCode.ERROR)
