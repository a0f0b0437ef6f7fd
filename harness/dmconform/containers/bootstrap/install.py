"""Brings the Docker server onto a Debian machine that has none, without letting anything run there afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from dmconform.containers.bootstrap.privilege import as_root
from dmconform.core.errors import HarnessError
from dmconform.core.process import Finished, find_program, run_program, tail
from dmconform.core.timeouts import ENGINE_INSTALL_S

SYSTEMD_RUNS = Path("/run/systemd/system")
POLICY = Path("/usr/sbin/policy-rc.d")
UNITS = ("docker.service", "docker.socket", "containerd.service")


def find_or_install_dockerd(progress: Callable[[str], None]) -> str:
    """Returns the path of `dockerd`, which is installed from Debian's package if it is missing.

    Raises:
        HarnessError: it is missing and cannot be installed.
    """
    found = find_program("dockerd")
    if found is not None:
        return found
    apt = find_program("apt-get")
    if apt is None:
        raise HarnessError(
            "No Docker server answers, dockerd is not installed, and this machine has no apt-get to install it with. "
            "Install Docker and start it, or set DOCKER_HOST to a server elsewhere."
        )
    prefix = as_root("install the package docker.io")
    progress("installing the package docker.io")
    done = install_quietly(prefix, apt, ("docker.io",), UNITS)
    if done.exit_code != 0:
        raise HarnessError(
            "The package docker.io could not be installed. Install and start Docker by hand, or set "
            f"DOCKER_HOST to a server elsewhere. {tail(done.output)}"
        )
    found = find_program("dockerd")
    if found is None:
        raise HarnessError("The package docker.io was installed, but there is still no dockerd on PATH.")
    return found


def install_quietly(prefix: list[str], apt: str, packages: tuple[str, ...], units: tuple[str, ...]) -> Finished:
    """Installs packages in such a way that no service of them starts, now or at the next boot.

    Args:
        prefix: what to put before a command to run it as root.
        apt: the path of apt-get.
        packages: Debian packages.
        units: the units that they bring for systemd. One that systemd knew before is left as it is.

    Returns:
        How the installation ended, which the caller has to look at.
    """
    systemctl = find_program("systemctl") if SYSTEMD_RUNS.is_dir() else None
    new_units = [unit for unit in units if systemctl is None or not unit_exists(systemctl, unit)]
    with services_denied(prefix):
        install = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", apt, "-q", "-y", "--no-remove"]
        install += ["install", "--no-install-recommends", *packages]
        done = run_program(install, timeout_s=ENGINE_INSTALL_S)
        if done.exit_code != 0:  # there were no package lists yet, or old ones
            run_program([*prefix, apt, "-q", "update"], timeout_s=ENGINE_INSTALL_S)
            done = run_program(install, timeout_s=ENGINE_INSTALL_S)
    if done.exit_code == 0 and systemctl is not None and new_units:
        run_program([*prefix, systemctl, "disable", "--now", *new_units], timeout_s=ENGINE_INSTALL_S)
    return done


def unit_exists(systemctl: str, unit: str) -> bool:
    """Returns whether systemd knew a unit before: then it belongs to someone else, and stays as it is."""
    return run_program([systemctl, "cat", unit], timeout_s=ENGINE_INSTALL_S).exit_code == 0


@contextlib.contextmanager
def services_denied(prefix: list[str]) -> Iterator[None]:
    """Keeps packages from starting their services for a while, by Debian's own means for that."""
    if POLICY.exists():
        yield
        return
    command = ["sh", "-c", f"printf '#!/bin/sh\\nexit 101\\n' >{POLICY} && chmod 755 {POLICY}"]
    run_program([*prefix, *command], timeout_s=ENGINE_INSTALL_S)
    try:
        yield
    finally:
        run_program([*prefix, "rm", "-f", str(POLICY)], timeout_s=ENGINE_INSTALL_S)
