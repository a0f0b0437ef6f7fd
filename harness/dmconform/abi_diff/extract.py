"""Makes ABI data of a real header, and of the binary of the same release where one is given."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dmconform.abi.consistency import problems
from dmconform.abi.types import UNKNOWN, Abi, Function, FunctionKind, HeaderSource
from dmconform.abi_diff.parser_process import TooMuch, parse_apart
from dmconform.core.errors import UsageError
from dmconform.core.versions import Minor, Release

if TYPE_CHECKING:
    from dmconform.binaries.facts import HostFacts

HEADER_BYTES: Final = 4 << 20  # real headers have 0.7 MB
_SHOWN: Final = 20  # problems of a header in one message


class BadHeader(UsageError):
    """An error: a header cannot be made into ABI data; each problem has its place."""

    def __init__(self, header: Path, found: tuple[str, ...]) -> None:
        more = (f"and {len(found) - _SHOWN} more",) if len(found) > _SHOWN else ()
        super().__init__("\n  ".join([f"{header}: cannot be made into ABI data:", *found[:_SHOWN], *more]))
        self.problems = found


@dataclass(frozen=True)
class About:
    """The facts about a header besides its text. `release` is measured (or named), such as 1.41.0; `envoy` is its minor."""

    envoy: str | None = None
    release: str | None = None
    source: str | None = None  # the short name; the minor if None
    description: str | None = None  # of the source; its SHA-256 if None
    exact: bool = True  # whether it is the header of that very release


@dataclass(frozen=True)
class Extraction:
    """The data of a header, and notes about how it was made."""

    abi: Abi
    notes: tuple[str, ...]


def extract(header: Path, about: About = About(), binary: Path | None = None) -> Extraction:
    """Parses `header` in a confined process, and compares its names with those of a host's binary.

    A function that only the binary has is added by its name. A callback that only the header has is left out: a module that
    uses it would be refused. So is a hook if the header is not the very one of the release; else it is kept. All is noted.

    Raises:
        BadHeader: libclang has errors, or the header has what the data cannot say.
        UsageError: a file that cannot be read, or facts that contradict each other.
        TooMuch: the header is larger than it may be, or the parser ran out of its bounds, or crashed.
    """
    text = _read(header)
    host = _host(binary, about.release)
    release = about.release or (host.release if host else None)
    minor = minor_of(about.envoy, release)
    source = about.source or (minor if minor != UNKNOWN else "header")
    parsed = parse_apart(header, text, source)
    if parsed.problems:
        raise BadHeader(header, parsed.problems)
    if not parsed.functions:
        raise BadHeader(header, ("expected callbacks and hooks of dynamic modules, it declares none",))
    digest = hashlib.sha256(text).hexdigest()
    notes = [f"macro {name} is neither a type nor a function: not in the data" for name in parsed.macros]
    functions = parsed.functions
    if host is not None:
        functions, printed = _compared(functions, host, about.exact)
        notes += printed
    abi = Abi(
        envoy=minor,
        measured_on=release or UNKNOWN,
        abi_version=_abi_version(header, parsed.abi_version or digest, host, about.exact),
        sources={source: HeaderSource(about.description or f"header with the SHA-256 {digest}", about.exact)},
        types=parsed.types,
        functions=functions,
    )
    try:
        found = problems(abi)
    except RecursionError:
        raise TooMuch(header, "it has types within types, too deep") from None
    if found:
        raise BadHeader(header, found)
    return Extraction(abi, tuple(notes))


def _read(header: Path) -> bytes:
    """Reads the header's bytes. Anything but a file of a sensible size is refused before it can block or fill anything."""
    try:
        # Not blocking, or opening a FIFO would wait for its other end.
        with os.fdopen(os.open(header, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UsageError(f"{header}: expected a file with a C header; this is not a file")
            text = file.read(HEADER_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL
        raise UsageError(f"{header}: expected a C header that can be read: {getattr(error, 'strerror', error)}") from None
    if len(text) > HEADER_BYTES:
        raise TooMuch(header, f"expected up to {HEADER_BYTES} bytes, it has more")
    return text


def _host(binary: Path | None, release: str | None) -> HostFacts | None:
    from dmconform.binaries.read import read_host

    if binary is None:
        return None
    host = read_host(binary, release)
    if not host.callbacks:
        raise UsageError(f"{binary}: expected an Envoy with dynamic modules, it exports no callback")
    return host


def minor_of(envoy: str | None, release: str | None) -> str:
    """Returns the minor by its name, or by that of the release, or `UNKNOWN`.

    Raises:
        UsageError: the two contradict each other, or `envoy` is not a minor.
    """
    if envoy is not None:
        try:
            Minor.parse(envoy)
        except ValueError as error:
            raise UsageError(str(error)) from None
    try:
        of_release = str(Release.parse(release).minor) if release else None
    except ValueError:
        of_release = None  # a user's own build may call itself anything
    if envoy and of_release and envoy != of_release:
        raise UsageError(f"expected an Envoy of the release {release}, got {envoy}; name one that fits the other")
    return envoy or of_release or UNKNOWN


def _abi_version(header: Path, of_header: str, host: HostFacts | None, exact: bool) -> str:
    """Returns the ABI string: that of the binary, if it is known and the header is of another release."""
    of_host = host.abi_version if host else None
    if of_host is None or of_host == of_header:
        return of_header
    if exact:
        raise UsageError(
            f"{header}: its ABI string is {of_header}, that of the binary is {of_host}: a header of another release. Give the "
            "right one, or say --nearby"
        )
    return of_host


def _compared(functions: tuple[Function, ...], host: HostFacts, exact: bool) -> tuple[tuple[Function, ...], list[str]]:
    """Returns the functions as the binary has them, and what differed."""
    notes = []
    kept = []
    declared = {one.name for one in functions}
    for one in functions:
        if one.kind is FunctionKind.CALLBACK and one.name not in host.callbacks:
            notes.append(f"{one.name}: declared, but the binary does not export it: left out")
        elif one.kind is FunctionKind.HOOK and one.name not in host.hooks:
            notes.append(f"{one.name}: declared, but the binary does not look it up: {'kept' if exact else 'left out'}")
            if exact:
                kept.append(one)
        else:
            kept.append(one)
    for kind, names in ((FunctionKind.CALLBACK, host.callbacks), (FunctionKind.HOOK, host.hooks)):
        for name in sorted(names - declared):
            notes.append(f"{name}: in the binary, but not declared: a name without a signature")
            kept.append(Function(name, kind))
    return tuple(sorted(kept, key=lambda one: (one.kind.value, one.name))), notes
