"""Where a run takes place, for its report."""

from __future__ import annotations

import os
import platform
import re

from dmconform import __version__
from dmconform.containers.toolchain import ToolchainIdentity
from dmconform.core import paths
from dmconform.core.errors import HarnessError
from dmconform.core.process import run_program
from dmconform.core.timeouts import SUITE_GIT_S
from dmconform.envoy.process import hold
from dmconform.report.schema import Environment


def suite_commit() -> str:
    """Returns the commit of this suite, with `+changes` where the clone differs from it.

    An installation has none: its version distinguishes it from others, `installed-0.1.0`. Sources without git are `unknown`.
    """
    if paths.CHECKOUT is None:
        return f"installed-{__version__}"
    try:
        head = run_program(["git", "-C", paths.CHECKOUT, "rev-parse", "HEAD"], timeout_s=SUITE_GIT_S)
        status = run_program(["git", "-C", paths.CHECKOUT, "status", "--porcelain"], timeout_s=SUITE_GIT_S)
    except HarnessError:
        return "unknown"
    if head.exit_code != 0:
        return "unknown"
    return head.output.strip() + ("+changes" if status.output.strip() else "")


_WEB = re.compile(r"(https://[\w.-]+/[\w./-]+?)(\.git)?/?")


def suite_repository() -> str:
    """Returns the address of the web that this clone was made from; empty where its `origin` is none, or holds a password."""
    if paths.CHECKOUT is None:
        return ""
    try:
        origin = run_program(["git", "-C", paths.CHECKOUT, "remote", "get-url", "origin"], timeout_s=SUITE_GIT_S)
    except HarnessError:
        return ""
    found = _WEB.fullmatch(origin.output.strip()) if origin.exit_code == 0 else None
    return found[1] if found else ""


def describe(engine_name: str, toolchain: ToolchainIdentity | None) -> Environment:
    """Describes this machine and what the probes were built with."""
    try:
        distribution = platform.freedesktop_os_release().get("PRETTY_NAME", "unknown")
    except OSError:
        distribution = "unknown"
    return Environment(
        suite_version=__version__,
        suite_commit=suite_commit(),
        repository=suite_repository(),
        python=platform.python_version(),
        kernel=platform.release(),
        distribution=distribution,
        cpus=os.cpu_count() or 1,
        container_engine=engine_name,
        held_by=hold(),
        toolchain=toolchain.versions if toolchain else {},
        toolchain_drift=toolchain.drift if toolchain else (),
    )
