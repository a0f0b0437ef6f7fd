"""How an Envoy is started: the command line with its bounds, the environment, and a script that does it again by hand."""

from __future__ import annotations

import resource
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

# Bounds of one Envoy. Address space, not memory in use, because that is what the kernel can bound for one process; Go modules
# and Envoy's allocator reserve several GiB without using them.
ADDRESS_SPACE_BYTES: Final = 32 << 30
FILE_BYTES: Final = 64 << 20
CPU_S: Final = 60

# What prlimit, setpriv and scripts before it end with when they cannot start the Envoy. Once started, it ends so only where the
# dynamic linker ends it.
LAUNCHER_FAILED: Final = frozenset((125, 126, 127))

SEARCH_PATH: Final = "ENVOY_DYNAMIC_MODULES_SEARCH_PATH"
BOOTSTRAP_FILE: Final = "bootstrap.json"
ADMIN_FILE: Final = "admin-address"
LISTENERS_FILE: Final = "listeners.json"
LOG_FILE: Final = "envoy.log"
BOUNDING: Final = ("prlimit", "setpriv")
"""The programs that `bounds` uses, which are in every distribution's util-linux."""


def bounds() -> list[str]:
    """Returns the words before a command that bound an Envoy by the kernel, which also kills it if its starter dies first.

    A bound that this process has itself and that is lower stays.
    """
    wanted = {
        "--as": (resource.RLIMIT_AS, ADDRESS_SPACE_BYTES),
        "--fsize": (resource.RLIMIT_FSIZE, FILE_BYTES),
        "--cpu": (resource.RLIMIT_CPU, CPU_S),
        "--core": (resource.RLIMIT_CORE, 0),
    }
    words = []
    for option, (limit, value) in wanted.items():
        _, most = resource.getrlimit(limit)
        words.append(f"{option}={value if most == resource.RLIM_INFINITY else min(value, most)}")
    limiter, killer = BOUNDING
    return [limiter, *words, killer, "--pdeathsig", "KILL"]


@dataclass(frozen=True)
class Launch:
    """An Envoy's binary, its environment, and a prefix of words that start it in another way."""

    binary: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    working_folder: Path | None = None  # the Envoy's folder if None
    drain_s: int = 0  # how long what an update replaces may go on with its connections
    concurrency: int = 1  # worker threads
    program: Path | None = None  # what the binary becomes where it is a script; itself if None

    def command(self, folder: Path) -> list[str]:
        """Returns the words that start it in a folder. The kernel bounds it, and kills it if the harness dies first."""
        return [
            *bounds(),
            *self.prefix,
            str(self.binary),
            *("--config-path", str(folder / BOOTSTRAP_FILE)),
            *("--admin-address-path", str(folder / ADMIN_FILE)),
            *("--concurrency", str(self.concurrency), "--disable-hot-restart", "--drain-time-s", str(self.drain_s)),
            *("--log-level", "warning", "--component-log-level", "dynamic_modules:info"),
        ]

    def full_environment(self, folder: Path) -> dict[str, str]:
        """Returns its environment, with nothing of the harness's own: a cell must not depend on who runs it."""
        return {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8", **self.environment}

    def write_script(self, folder: Path) -> None:
        """Writes `run-again.sh`, which starts the same Envoy by hand."""
        words = " ".join(f"{name}={shlex.quote(value)}" for name, value in sorted(self.full_environment(folder).items()))
        lines = [
            "#!/bin/sh",
            "# Runs this Envoy again by hand; stop it with Ctrl-C.",
            f"cd {shlex.quote(str(self.working_folder or folder))} || exit",
            f"exec env -i {words} {shlex.join(self.command(folder))}",
            "",
        ]
        script = folder / "run-again.sh"
        script.write_text("\n".join(lines), encoding="utf-8")
        script.chmod(0o755)
