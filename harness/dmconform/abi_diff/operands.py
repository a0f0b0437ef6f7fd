"""The two sides of a comparison, from what a command line may name: a minor, a release, or a file.

A file is recognised by its content, not by its name: a data file, a C header, or an Envoy binary.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

import msgspec

from dmconform.abi.loading import load_abi, load_abi_file
from dmconform.abi.types import UNKNOWN, Abi, Function, FunctionKind
from dmconform.core import paths
from dmconform.core.errors import UsageError
from dmconform.core.extension_point import CALLBACK_PREFIX
from dmconform.core.labels import host_label
from dmconform.core.memory import bounded_memory
from dmconform.core.nearest import unknown
from dmconform.core.versions import Minor
from dmconform.hosts.catalogue import KnownHost, load_hosts, release_label
from dmconform.hosts.obtain import sha256_of

_MINOR = re.compile(r"\d+\.\d+")
_RELEASE = re.compile(r"\d+\.\d+\.\d+")
_LOOKED_AT_BYTES = 4096
OPERAND_HELP = "a minor (1.39), a known release (1.39.3), or a file: ABI data, a header abi.h, or an Envoy binary"


@dataclass(frozen=True)
class Operand:
    """One side of a comparison."""

    label: str
    abi: Abi
    minor: str  # empty where not known
    release: str | None = None  # whose binary the names were read from
    refuses_other_abi: bool | None = None  # whether the host refuses modules with another ABI string
    idle_hooks: frozenset[str] = frozenset()  # hooks that it declares and never looks up


def load_operand(text: str) -> Operand:
    """Loads what a word of the command line names.

    Raises:
        UsageError: it names nothing of the kind, or its file cannot be understood.
        HarnessError: a release must be downloaded, and is not available.
    """
    if _MINOR.fullmatch(text):
        if text not in known_minors():
            raise UsageError(unknown("minor", text, known_minors(), more="there is no ABI data of it"))
        return of_minor(text)
    if _RELEASE.fullmatch(text):
        return _of_release(text)
    path = Path(text)
    if not path.exists():
        raise UsageError(f"{text}: expected {OPERAND_HELP}; there is no such file")
    return _of_file(path)


def of_minor(minor: str, folder: Path = paths.ABI) -> Operand:
    """Loads the ABI data of a minor. Errors as `load_abi`."""
    abi = load_abi(folder, minor)
    host = _known(abi.measured_on)
    return Operand(f"Envoy {minor}", abi, minor, abi.measured_on, _refuses(host), _idle(abi, host))


def of_release(host: KnownHost, base: Operand) -> Operand:
    """Returns the operand of a known release.

    It is `base`, the data of its minor, with the functions that were measured on this release.
    """
    if base.release == host.release:
        return base
    lacks = frozenset(host.lacks)
    functions = [one for one in base.abi.functions if one.kind is FunctionKind.HOOK or one.name not in lacks]
    functions += [Function(name, _kind(name)) for name in host.adds]
    abi = msgspec.structs.replace(
        base.abi,
        measured_on=host.release,
        abi_version=host.abi_version,
        # The header of one release is a nearby one of another.
        sources={name: msgspec.structs.replace(source, exact=False) for name, source in base.abi.sources.items()},
        functions=tuple(functions),
    )
    return Operand(f"Envoy {release_label(host.release)}", abi, base.minor, host.release, _refuses(host), _idle(abi, host))


def _kind(name: str) -> FunctionKind:
    return FunctionKind.CALLBACK if name.startswith(CALLBACK_PREFIX) else FunctionKind.HOOK


def _idle(abi: Abi, host: KnownHost | None) -> frozenset[str]:
    return abi.names(FunctionKind.HOOK) & frozenset(host.lacks if host else ())


def known_minors(folder: Path = paths.ABI) -> tuple[str, ...]:
    """Returns the minors with ABI data, oldest first."""
    return tuple(
        str(one) for one in sorted(Minor.parse(path.stem) for path in folder.glob("*.json") if _MINOR.fullmatch(path.stem))
    )


def _known(release: str) -> KnownHost | None:
    return next((host for host in load_hosts(paths.HOSTS_FILE) if host.release == release), None)


def _refuses(host: KnownHost | None) -> bool | None:
    return None if host is None else host.refuses_other_abi


def _of_release(release: str) -> Operand:
    host = _known(release)
    if host is None:
        releases = [one.release for one in load_hosts(paths.HOSTS_FILE)]
        raise UsageError(unknown("release", release, releases, more="dmconform list hosts shows all"))
    return of_release(host, of_minor(str(host.version.minor)))


def _of_file(path: Path) -> Operand:
    try:
        # Without waiting: a named pipe without a writer would not even open.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # it is read twice, which a pipe cannot be
                raise UsageError(f"{path}: expected {OPERAND_HELP}; it is not a file")
            start = file.read(_LOOKED_AT_BYTES)
    except OSError as error:
        raise UsageError(f"{path}: expected {OPERAND_HELP}; it cannot be read: {error.strerror}") from error
    if start.startswith(b"\x7fELF"):
        return _of_binary(path)
    if start.lstrip().startswith(b"{"):
        return _of_data(path)
    return _of_header(path)


def _of_data(path: Path) -> Operand:
    with bounded_memory(path):
        abi = load_abi_file(path)
    minor = "" if abi.envoy == UNKNOWN else abi.envoy
    return Operand(f"data {path.name}", abi, minor, _release(abi), _refuses(_known(abi.measured_on)))


def _of_header(path: Path) -> Operand:
    from dmconform.abi_diff.extract import extract

    abi = extract(path).abi
    return Operand(f"header {path.name}", abi, "" if abi.envoy == UNKNOWN else abi.envoy, _release(abi))


def _release(abi: Abi) -> str | None:
    return None if abi.measured_on == UNKNOWN else abi.measured_on


def _of_binary(path: Path) -> Operand:
    from dmconform.binaries.read import read_host

    facts = read_host(path)
    if not facts.callbacks:
        raise UsageError(
            f"{path}: expected an Envoy with dynamic modules, it exports no callback; of modules, see `dmconform check`"
        )
    functions = tuple(
        Function(name, kind)
        for kind, names in ((FunctionKind.CALLBACK, facts.callbacks), (FunctionKind.HOOK, facts.hooks))
        for name in sorted(names)
    )
    found = re.match(r"(\d+\.\d+)\.\d+", facts.release)
    minor = found[1] if found else ""
    abi = Abi(minor or UNKNOWN, facts.release, facts.abi_version or UNKNOWN, {}, (), functions)
    digest = sha256_of(path)
    is_modified = any(one.is_modified for one in load_hosts(paths.HOSTS_FILE) if one.binary_sha256 == digest)
    label = host_label(f"binary {path.name}", is_modified=is_modified)
    return Operand(label, abi, minor, facts.release, facts.refuses_other_abi)
