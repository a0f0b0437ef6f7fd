"""The types of `conformance/abi/MINOR.json`; `conformance/abi/README.md` describes the format."""

from __future__ import annotations

import enum
from typing import Annotated, Final

import msgspec

UNKNOWN: Final = "unknown"
"""Takes the place of a minor or a release that is not known."""


MinorText = Annotated[str, msgspec.Meta(pattern=r"^[0-9]+\.[0-9]+$")]


class FunctionKind(enum.Enum):
    """The side that implements a function."""

    CALLBACK = "callback"  # the host does, the module calls it
    HOOK = "hook"  # the module does, the host calls it


class Provenance(enum.Enum):
    """The trust in the signature of a function."""

    EXACT = "exact header"  # the header of the release itself
    NEARBY = "nearby header"  # the header of another release or of a development line
    NAME = "name only"  # the binary has the name, no header at hand declares it


class Documented(enum.Enum):
    """What a header's comment says of a module that lacks a hook."""

    OPTIONAL = "optional"
    MANDATORY = "mandatory"


class Deprecation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a header's comment says of something that is deprecated. Minors are None where the comment has none."""

    replacement: tuple[str, ...] = ()  # functions and types that the comment names
    since: MinorText | None = None
    earliest_removal: MinorText | None = None


class HeaderSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A header that signatures and types were read from."""

    description: str
    exact: bool  # whether it is the header of the release that the file is about


class EnumValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One constant of an enum."""

    name: str
    value: int


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A struct's field or a function's parameter: its name and its C type as written in the header."""

    name: str
    type: str


class Alias(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind", tag="alias"):
    """`typedef TYPE NAME`."""

    name: str
    source: str
    type: str
    deprecated: Deprecation | None = None


class Enum(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind", tag="enum"):
    """`typedef enum { … } NAME`."""

    name: str
    source: str
    values: tuple[EnumValue, ...]
    deprecated: Deprecation | None = None


class Struct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind", tag="struct"):
    """`typedef struct { … } NAME`, fields in order."""

    name: str
    source: str
    fields: tuple[Member, ...]
    deprecated: Deprecation | None = None


class FunctionPointer(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="kind", tag="function_pointer"
):
    """`typedef RETURNS (*NAME)(PARAMS)`."""

    name: str
    source: str
    returns: str
    params: tuple[Member, ...]
    deprecated: Deprecation | None = None


AbiType = Alias | Enum | Struct | FunctionPointer


class Function(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A callback or hook. `params` and `returns` are None where only its name is known."""

    name: str
    kind: FunctionKind
    source: str | None = None
    returns: str | None = None
    params: tuple[Member, ...] | None = None
    documented: Documented | None = None  # of a hook: what its comment says of modules without it
    deprecated: Deprecation | None = None

    @property
    def has_signature(self) -> bool:
        """Whether more than the name is known."""
        return self.params is not None and self.returns is not None


class Abi(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ABI of one minor, or of one header or binary: see `conformance/abi/README.md`."""

    envoy: Annotated[str, msgspec.Meta(pattern=r"^([0-9]+\.[0-9]+|unknown)$", description="The minor, such as 1.39.")]
    measured_on: Annotated[str, msgspec.Meta(min_length=1, description="The release whose binary was read, or unknown.")]
    abi_version: Annotated[str, msgspec.Meta(min_length=1, description="What a module's initialisation returns, or unknown.")]
    sources: dict[str, HeaderSource]  # by the short name that types and functions give as their source
    types: tuple[Alias | Enum | Struct | FunctionPointer, ...]
    functions: tuple[Function, ...]

    def provenance(self, function: Function) -> Provenance:
        """Returns how far the signature of one of its functions can be trusted."""
        if function.source is None:
            return Provenance.NAME
        return Provenance.EXACT if self.sources[function.source].exact else Provenance.NEARBY

    def names(self, kind: FunctionKind) -> frozenset[str]:
        """Returns the names of all its callbacks, or of all its hooks."""
        return frozenset(function.name for function in self.functions if function.kind is kind)
