"""Parts the variable ARGUMENTS into words as a shell does, without expanding anything; a null byte ends each word."""

from __future__ import annotations

import os
import shlex
import sys

try:
    words = shlex.split(os.environ["ARGUMENTS"])
except ValueError as error:
    sys.exit(f"::error title=dmconform check::The input 'arguments' cannot be parted into words: {error}")
sys.stdout.buffer.write(b"".join(os.fsencode(word) + b"\0" for word in words))
