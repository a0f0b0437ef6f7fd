"""`dmconform`, and `python -m dmconform`."""

import os
import signal
import sys


def main() -> int:
    """Runs the tool; returns its exit code. An interrupt ends it also while it is still importing, which takes a while."""
    try:
        from dmconform.cli.main import main

        code = main()
    except KeyboardInterrupt:
        print("dmconform: interrupted", file=sys.stderr)
        code = 4
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # all is done: one more would only change the exit code
    # An interrupt that was caught, but passed through an `exec` of a text (each dataclass is made by one), still makes
    # `python -m` end by SIGINT, whatever the exit code is. The next `exec` makes it forget that.
    exec("")
    return code


if __name__ == "__main__":
    # `-m` puts the current folder first; a file there that has the name of a library's module must not take its place.
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - pathlib would be searched for there
    if sys.path[0] == os.getcwd() != here:  # noqa: PTH109 - the same
        del sys.path[0]
    sys.exit(main())
