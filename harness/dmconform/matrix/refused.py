"""Hosts that refuse a probe are asked once: their message counts for the other cells of the same file on the same host.

Only outside the supported window, where the static analysis expects the refusal, and after a host of this run has refused
the probe in its own words. A supported cell always starts a separate host; so does `dmconform reproduce`.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import msgspec

from dmconform.core.datafile import load_json
from dmconform.core.values import AbiVerdict

FOLDER = "refused-probes"
"""Below the evidence folder."""


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The message of a host that refused a probe."""

    cell: str  # where it was seen
    cell_folder: str  # as it is in the message
    message: str
    abi_verdict: AbiVerdict

    def message_for(self, cell_folder: Path) -> str:
        """Returns the message as it would read in another cell."""
        return self.message.replace(self.cell_folder, str(cell_folder))


class Refusals:
    """Refusals of one probe by one host, shared by the workers of a run through a file."""

    def __init__(self, evidence: Path, sdk: str, host: str) -> None:
        self._file = evidence / FOLDER / f"{sdk.replace(':', '+')}+{host}.json"

    def known(self) -> Refusal | None:
        """Returns the refusal seen before in this run, if there was one."""
        return load_json(self._file, Refusal) if self._file.exists() else None

    def note(self, refusal: Refusal) -> None:
        """Keeps a refusal; the last of several that come at once stays, as all have the same text."""
        self._file.parent.mkdir(exist_ok=True)
        handle, part = tempfile.mkstemp(dir=self._file.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(refusal))
        Path(part).rename(self._file)
