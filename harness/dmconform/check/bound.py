"""What keeps a module from a release, and what would help, as values."""

from __future__ import annotations

import enum

import msgspec

from dmconform.binaries.facts import Reached


class BoundKind(enum.Enum):
    """The reason for which a release is outside of the range."""

    HOST_LACKS_CALLBACKS = "the host lacks callbacks"
    MODULE_LACKS_HOOKS = "the module lacks hooks"
    NO_EXTENSION_POINT = "the host has no such extension point"
    ABI_STRING = "the host refuses the ABI string"
    SYMBOLS_OF_OTHERS = "symbols are missing that no Envoy brings"


class BoundSymbol(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A symbol that is missing. `reached`: whether hooks of the extension points in use can reach it."""

    name: str
    reached: Reached


class Remedy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change that would widen the range. `loads_on` are the known releases on which the module would then load."""

    text: str
    loads_on: tuple[str, ...] = ()


class Bound(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One reason, for the neighbouring releases that it is alike on."""

    kind: BoundKind
    where: str  # the releases in words: as minors where all known releases of these are among them
    releases: tuple[str, ...]  # oldest first
    reason: str  # one sentence, without names of missing functions
    missing: tuple[BoundSymbol, ...] = ()
    remedies: tuple[Remedy, ...] = ()
