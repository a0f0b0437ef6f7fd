"""Checks a version with what it needs to serve requests: Python's library, its packages, an application."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Final

import msgspec
from dmconform.check.result import Check
from dmconform.core.errors import HarnessError
from dmconform.core.process import run_program, tail

from tests.checkout import ROOT
from tests.python_library import NAME, PACKAGE, python_library

APP: Final = Path(__file__).parent / "app"
# As pyvoy configures its filter.
USE: Final = (
    *("--extension-point", "http_filter", "--filter-name", "pyvoy", "--filter-config"),
    json.dumps({"app": "dmconform_app:app", "interface": "wsgi", "root_path": ""}),
)
CHECK_S: Final = 120.0


def check_version(module: Path, packages: Path, hosts: tuple[str, ...]) -> Check:
    """Checks a module of pyvoy on some releases.

    Args:
        module: the module, in the unpacked wheel.
        packages: the folder with what it imports.
        hosts: releases.

    Raises:
        HarnessError: Python's library is not there, or the check ended without a result.
    """
    library = python_library()
    if library is None:
        raise HarnessError(f"expected {NAME}, which is not there; in Debian it comes with {PACKAGE}")
    package = next(parent for parent in module.parents if parent.name == "package")
    variables = {
        "LD_PRELOAD": str(library),
        "PYTHONHOME": f"{sys.base_prefix}{os.pathsep}{sys.base_exec_prefix}",
        "PYTHONPATH": os.pathsep.join(map(str, (APP, package, packages))),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    result = package.with_name("check.json")
    words = [word for host in hosts for word in ("--host", host)]
    words += [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
    command: list[str | Path] = [sys.executable, "-m", "dmconform", "check", module, *USE, *words, "--json", result]
    done = run_program(command, timeout_s=CHECK_S, env={"PYTHONPATH": str(ROOT / "harness")})
    if not result.exists():
        raise HarnessError(f"dmconform check ended with exit code {done.exit_code} and no result. {tail(done.output)}")
    return msgspec.json.decode(result.read_bytes(), type=Check)
