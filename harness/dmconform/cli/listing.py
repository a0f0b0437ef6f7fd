"""What `dmconform list` prints. Nothing is downloaded or built for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from dmconform.core.errors import UsageError
from dmconform.core.versions import Minor
from dmconform.hosts.catalogue import KnownHost
from dmconform.hosts.obtain import from_file
from dmconform.hosts.selection import HostChoice, HostFile, HostImage, select_hosts
from dmconform.spec.catalogue import Catalogue, load_catalogue
from dmconform.spec.cells import plan_cells
from dmconform.spec.selectors import select_cases, select_sdks

What = Literal["hosts", "sdks", "cases", "cells"]


def lines(
    what: What, hosts: tuple[str, ...], sdks: tuple[str, ...], cases: tuple[str, ...], *, everywhere: bool = False
) -> Iterator[str]:
    """The lines of a listing.

    Raises:
        EmptySelection, UsageError: the selectors select nothing, or make no sense.
    """
    catalogue = load_catalogue()
    if what == "hosts":
        chosen = select_hosts(hosts, catalogue.hosts) if hosts else catalogue.hosts
        return (_host_line(choice) for choice in chosen)
    if what == "sdks":
        return (f"{sdk.id}  release {sdk.release}  ABI {sdk.abi_version}" for sdk in select_sdks(sdks, catalogue.sdks)[0])
    if what == "cases":
        return (f"{case.id}  {case.title}" for case in select_cases(cases, catalogue.cases))
    return _cell_lines(catalogue, hosts, sdks, cases, everywhere)


def _host_line(choice: HostChoice) -> str:
    if isinstance(choice, KnownHost):
        default = "default" if choice.default else "       "
        abi = f"ABI {choice.abi_version:64} {choice.abi_check.value:5}"
        return f"{choice.release:8} {default}  {abi}  dlopen {choice.opens.value:4}  sha256:{choice.binary_sha256}"
    return f"path:{choice.path}" if isinstance(choice, HostFile) else f"image:{choice.reference}"


def _cell_lines(
    catalogue: Catalogue, hosts: tuple[str, ...], sdks: tuple[str, ...], cases: tuple[str, ...], everywhere: bool
) -> Iterator[str]:
    chosen = [_named(choice, catalogue) for choice in select_hosts(hosts, catalogue.hosts)]
    selected = select_cases(cases, catalogue.cases), select_sdks(sdks, catalogue.sdks)[0]
    cells = plan_cells(*selected, chosen, everywhere=everywhere)
    return (f"{cell.id}  {cell.relation.value}" for cell in cells)


def _named(choice: HostChoice, catalogue: Catalogue) -> tuple[str, Minor]:
    if isinstance(choice, KnownHost):
        return choice.release, choice.version.minor
    if isinstance(choice, HostImage):
        raise UsageError(f"image:{choice.reference}: cells of an image cannot be listed without pulling it; use dmconform run")
    host = from_file(choice.path, catalogue.hosts, "file")
    return host.id, host.release.minor
