"""What there is to select, as `dmconform list` shows it. Nothing is downloaded or built for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

from dmconform.core.errors import UsageError
from dmconform.core.values import Relation
from dmconform.core.versions import Minor
from dmconform.hosts.catalogue import KnownHost
from dmconform.hosts.obtain import from_file
from dmconform.hosts.selection import HostChoice, HostFile, HostImage, select_hosts
from dmconform.spec.catalogue import Catalogue
from dmconform.spec.cells import plan_cells
from dmconform.spec.selectors import select_cases, select_sdks

SCHEMA_VERSION: Final = 2


class ListedHost(msgspec.Struct, frozen=True):
    """A host. Of a file or an image, only `spec` is known before it is run or pulled."""

    spec: str  # what --host takes
    default: bool
    abi_version: str | None = None
    abi_check: str | None = None  # exact: refuses a module with another ABI string; warn: loads it
    opens: str | None = None  # how it calls dlopen: lazy or now
    binary_sha256: str | None = None
    commit: str | None = None  # that the binary reports
    build_type: str | None = None  # Clean RELEASE; or Modified …: built from other sources than those of the commit


class ListedSdk(msgspec.Struct, frozen=True):
    """An SDK version of one provider."""

    id: str
    language: str
    minor: str
    provider: str
    release: str
    abi_version: str


class ListedCase(msgspec.Struct, frozen=True):
    """A case."""

    id: str
    title: str
    languages: tuple[str, ...]


class ListedCell(msgspec.Struct, frozen=True):
    """A cell."""

    id: str
    case: str
    sdk: str
    host: str
    relation: Relation
    relation_reason: str
    promises: tuple[str, ...]


class Listing(msgspec.Struct, frozen=True, omit_defaults=True):
    """The output of `dmconform list … --json`: the one list that was asked for."""

    schema_version: int
    hosts: tuple[ListedHost, ...] | None = None
    sdks: tuple[ListedSdk, ...] | None = None
    cases: tuple[ListedCase, ...] | None = None
    cells: tuple[ListedCell, ...] | None = None


@dataclass(frozen=True)
class Selectors:
    """The values of `--host`, `--sdk`, `--case` and `--everywhere`."""

    hosts: tuple[str, ...] = ()
    sdks: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    everywhere: bool = False


def listing(what: str, selectors: Selectors, catalogue: Catalogue) -> Listing:
    """Returns the selected hosts, SDKs, cases or cells; without selectors all hosts, not only the default ones.

    Raises:
        EmptySelection, UsageError: the selectors select nothing, or make no sense.
    """
    match what:
        case "hosts":
            hosts = select_hosts(selectors.hosts, catalogue.hosts) if selectors.hosts else catalogue.hosts
            return Listing(SCHEMA_VERSION, hosts=tuple(map(_host, hosts)))
        case "sdks":
            return Listing(SCHEMA_VERSION, sdks=tuple(_sdks(selectors, catalogue)))
        case "cases":
            return Listing(SCHEMA_VERSION, cases=tuple(_cases(selectors, catalogue)))
        case _:
            return Listing(SCHEMA_VERSION, cells=tuple(_cells(selectors, catalogue)))


def _host(choice: HostChoice) -> ListedHost:
    if isinstance(choice, KnownHost):
        how = choice.abi_check.value, choice.opens.value
        built = choice.binary_sha256, choice.commit, choice.build_type
        return ListedHost(choice.release, choice.default, choice.abi_version, *how, *built)
    return ListedHost(f"path:{choice.path}" if isinstance(choice, HostFile) else f"image:{choice.reference}", default=False)


def _sdks(selectors: Selectors, catalogue: Catalogue) -> Iterator[ListedSdk]:
    for sdk in select_sdks(selectors.sdks, catalogue.sdks)[0]:
        name = str(sdk.id), sdk.id.language.value, str(sdk.id.minor), sdk.id.provider.value
        yield ListedSdk(*name, sdk.release, sdk.abi_version)


def _cases(selectors: Selectors, catalogue: Catalogue) -> Iterator[ListedCase]:
    for case in select_cases(selectors.cases, catalogue.cases):
        yield ListedCase(case.id, case.title, tuple(one.value for one in case.declaration.languages))


def _cells(selectors: Selectors, catalogue: Catalogue) -> Iterator[ListedCell]:
    hosts = [_named(choice, catalogue) for choice in select_hosts(selectors.hosts, catalogue.hosts)]
    selected = select_cases(selectors.cases, catalogue.cases), select_sdks(selectors.sdks, catalogue.sdks)[0]
    for cell in plan_cells(*selected, hosts, everywhere=selectors.everywhere):
        yield ListedCell(
            str(cell.id), cell.id.case, str(cell.id.sdk), cell.id.host, cell.relation, cell.relation_reason, cell.promises
        )


def _named(choice: HostChoice, catalogue: Catalogue) -> tuple[str, Minor]:
    if isinstance(choice, KnownHost):
        return choice.release, choice.version.minor
    if isinstance(choice, HostImage):
        raise UsageError(f"image:{choice.reference}: cells of an image cannot be listed without pulling it; use dmconform run")
    host = from_file(choice.path, catalogue.hosts, "file")
    return host.id, host.release.minor
