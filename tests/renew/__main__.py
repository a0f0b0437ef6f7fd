"""Renews what the repository pins, and prints what differs: `./toxw -e renew`, on a laptop as in the weekly workflow."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final

from dmconform.core.errors import ExitCode, HarnessError
from dmconform.core.text import one_line

from tests.checkout import ROOT
from tests.renew.actions import renew_actions
from tests.renew.kinds import Kind
from tests.renew.pins import differences, pins
from tests.renew.python_packages import renew_python
from tests.renew.toolchain import renew_toolchain
from tests.renew.tools import renew_go, renew_npm

RENEWED_BY: Final[Mapping[Kind, Callable[[Path], None]]] = MappingProxyType(
    {
        Kind.PYTHON: renew_python,
        Kind.NPM: renew_npm,
        Kind.GO: renew_go,
        Kind.TOOLCHAIN: renew_toolchain,
        Kind.ACTIONS: renew_actions,
    }
)
BY_HAND: Final = (
    "Not renewed here: the Debian packages, the base image and the crates that probes are built with (sdks/): "
    "CONTRIBUTING.md says how."
)


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Returns an exit code: ERROR where a kind could not be renewed. The others are renewed all the same."""
    parser = argparse.ArgumentParser(prog="./toxw -e renew --", description="Renews what the repository pins.")
    names = [one.value for one in Kind]
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"only these: {', '.join(names)} (default: all)")
    parser.add_argument("--summary", type=Path, metavar="FILE", help="write what differs to this file too, as Markdown")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.kinds if name not in names]
    if unknown:
        parser.error(f"expected kinds of {', '.join(names)}, found {', '.join(unknown)}")
    before, problems = pins(root), []
    kinds = [Kind(name) for name in given.kinds or names]
    for kind in kinds:
        try:
            RENEWED_BY[kind](root)
        except HarnessError as error:
            problems.append(f"Not renewed: {kind.value}. {one_line(str(error))}")
    left = [f"Not asked for: {kind.value} (`./toxw -e renew -- {kind.value}`)." for kind in Kind if kind not in kinds]
    text = differences(before, pins(root), [*problems, *left, BY_HAND])
    print(text, end="")
    if given.summary:
        given.summary.parent.mkdir(parents=True, exist_ok=True)
        given.summary.write_text(text, encoding="utf-8")
    return ExitCode.ERROR if problems else ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
