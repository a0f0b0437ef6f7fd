"""Versions of Envoy: a release `1.39.3`, or a minor `1.39`."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Minor:
    """A minor version such as 1.39."""

    major: int
    minor: int

    @classmethod
    def parse(cls, text: str) -> Minor:
        """Reads `1.39`.

        Raises:
            ValueError: it is nothing of the kind.
        """
        found = re.fullmatch(r"(\d+)\.(\d+)", text)
        if not found:
            raise ValueError(f"{text!r} is not a minor version such as 1.39")
        return cls(int(found[1]), int(found[2]))

    def next(self) -> Minor:
        """Returns X.(Y+1) of X.Y."""
        return Minor(self.major, self.minor + 1)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


@dataclass(frozen=True, order=True)
class Release:
    """A release such as 1.39.3; `suffix` is what a development build adds, as in `1.41.0-dev`."""

    major: int
    minor_number: int
    patch: int
    suffix: str = ""

    @classmethod
    def parse(cls, text: str) -> Release:
        """Reads `1.39.3` or `1.41.0-dev`.

        Raises:
            ValueError: it is nothing of the kind.
        """
        found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?", text)
        if not found:
            raise ValueError(f"{text!r} is not a release such as 1.39.3")
        return cls(int(found[1]), int(found[2]), int(found[3]), found[4] or "")

    @property
    def minor(self) -> Minor:
        """The minor this release belongs to."""
        return Minor(self.major, self.minor_number)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor_number}.{self.patch}{self.suffix}"
