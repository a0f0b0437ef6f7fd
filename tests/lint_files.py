"""What no other linter checks: shell scripts parse, and nothing committed names a registry's host or a folder of a machine."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from dmconform.core.process import run_program

from tests.checkout import ROOT

TIMEOUT_S = 30.0
# Written so that this file does not match itself.
HOSTS = rb"pypi[.]org|files[.]pythonhosted[.]org|proxy[.]golang[.]org|(?:static|index)[.]crates[.]io|deb[.]debian[.]org"
FORBIDDEN = re.compile(HOSTS + rb"|/(?:work|root)/(?:main|scratch|shared)|/home/[a-z]+/")


def tracked() -> list[Path]:
    """The files that git tracks or would add."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        check=True,
        capture_output=True,
        timeout=TIMEOUT_S,
    ).stdout
    return [ROOT / name.decode() for name in listed.split(b"\0") if name]


def inconsistencies(path: Path) -> list[str]:
    """What is wrong with a file."""
    if not path.is_file():
        return []
    content = path.read_bytes()
    lines = enumerate(content.split(b"\n"), start=1)
    found = [f"{path}:{number}: names {match[0].decode()}" for number, line in lines for match in FORBIDDEN.finditer(line)]
    if path.suffix == ".sh" or content.startswith(b"#!/bin/sh"):
        parsed = run_program(["sh", "-n", path], timeout_s=TIMEOUT_S)
        found += [f"{path}: {parsed.output.strip()}"] if parsed.exit_code else []
    return found


def main() -> int:
    """Returns an exit code."""
    files = tracked()
    found = [line for path in files for line in inconsistencies(path)]
    print("\n".join(found) if found else f"{len(files)} files: no host names, no machine folders, all scripts parse")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
