"""The values of `dmconform abi diff`, `drift` and `findings`; `--json` prints `Diff`, `Drift` and `Findings`.

In all of them "old" is the ABI that a module was built against, and "new" is that of the host that loads it.
"""

from __future__ import annotations

import enum
from collections.abc import Collection
from dataclasses import dataclass

import msgspec

from dmconform.abi.policy_rule import PolicyRule
from dmconform.binaries.facts import Binding
from dmconform.core.values import Relation

SCHEMA_VERSION = 4


class AbiChangeKind(enum.Enum):
    """The kind of a change. `classify.py` defines what each does to a module."""

    ABI_STRING = "ABI string changed"

    CALLBACK_REMOVED = "callback removed"
    UNDECLARED_REMOVED = "callback removed that no header declared"
    CALLBACK_ADDED = "callback added"
    HOOK_REMOVED = "hook removed"
    HOOK_ADDED = "hook added"
    HOOK_REQUIRED = "hook became required"
    HOOK_NEEDED = "host cannot do without the hook any more"
    HOOK_OPTIONAL = "hook no longer required"
    HOOK_NOT_MEASURED = "new hook, not measured whether it is required"
    SIGNATURE_UNKNOWN = "signature not known on both sides"

    PARAMETER_ADDED = "parameter added at the end"
    POINTER_ADDED = "parameter with a pointer added at the end"
    PARAMETER_DROPPED = "parameter dropped from the end"
    POINTER_DROPPED = "parameter with a pointer dropped from the end"
    PARAMETERS_MOVED = "parameters moved"
    PARAMETER_TYPE = "parameter type changed"
    PARAMETER_MEANING = "parameter stands for something else"
    PARAMETER_CONST = "const of a parameter changed"
    PARAMETER_RESPELLED = "parameter type spelled in another way"
    PARAMETER_RENAMED = "parameter renamed"

    RETURN_TYPE = "return type changed"
    RETURN_MEANING = "result stands for something else"
    RETURN_ADDED = "returns something now"
    RETURN_DROPPED = "returns nothing any more"
    RETURN_IN_MEMORY = "result passed in another place"
    RETURN_CONST = "const of the result changed"
    RETURN_RESPELLED = "return type spelled in another way"

    STRUCT_LAYOUT = "struct layout changed"
    FIELD_MEANING = "field stands for something else"
    FIELD_RENAMED = "field renamed or spelled in another way"
    ENUM_VALUE_CHANGED = "enum value changed"
    ENUM_VALUE_REMOVED = "enum value removed"
    ENUM_VALUE_RENAMED = "enum value renamed"
    ENUM_VALUE_ADDED = "enum value added"
    ALIAS_TARGET = "alias stands for something else"
    ALIAS_RESPELLED = "alias spelled in another way"
    FUNCTION_POINTER = "function pointer's signature changed"
    TYPE_KIND = "type is of another kind"
    TYPE_RENAMED = "type renamed"
    TYPE_REMOVED = "type removed"
    TYPE_ADDED = "type added"


class Reader(enum.Flag):
    """The side whose code reads a value that crosses the boundary, and so is misled if the two sides do not agree."""

    NEITHER = 0
    HOST = enum.auto()  # the built module passes it to the host: parameters of callbacks, results of hooks
    MODULE = enum.auto()  # the host passes it to the built module: parameters of hooks, results of callbacks
    BOTH = HOST | MODULE


class Impact(enum.Enum):
    """The impact of a change, worst first."""

    BUILT = "breaks modules already built"
    UNKNOWN = "unknown"
    REBUILD = "breaks only rebuilding"
    HARMLESS = "harmless"


class How(enum.Enum):
    """The way in which a module that is already built is broken."""

    MISSING = "refused at load where the module or the host binds at load, else the process dies at the call"
    STRING = "refused at load for its ABI string"
    REQUIRED = "refused when it is configured"
    NEEDED = "fails where the host would call the hook"
    UNDEFINED = "undefined behaviour at the call"
    ARGUMENT = "wrong argument"
    RESULT = "wrong result"
    VALUE = "a value that the module does not know"
    SILENT = "never called any more"


class Extent(enum.Enum):
    """The modules of an SDK version that are concerned."""

    EVERY = "every module"
    SOME = "modules that use it"


class UsingSdk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An SDK version whose modules use something, and how they bind: that decides between a refused load and a later death."""

    sdk: str  # such as rust@1.38:official
    extent: Extent
    binding: Binding


@dataclass(frozen=True)
class AbiDifference:
    """One difference, before it is classified. `affects` are the functions both sides have that use it."""

    kind: AbiChangeKind
    subject: str  # the name of a function or type; empty for the ABI string
    readers: Reader = Reader.NEITHER  # of what differs
    detail: str = ""
    before: str = ""
    after: str = ""
    certain: bool = True  # what both sides say was read from the release's own header or binary
    affects: tuple[str, ...] = ()


class AbiChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A difference, what it does to a module, and whose modules are concerned."""

    kind: AbiChangeKind
    subject: str
    impact: Impact
    how: How | None  # only where `impact` is BUILT
    points: tuple[str, ...]  # extension points, as conformance/abi/README.md calls them; empty: all, or none in particular
    detail: str
    before: str
    after: str
    certain: bool  # false: as far as a header shows that is not the release's own
    affects: tuple[str, ...]
    used_by: tuple[UsingSdk, ...]  # SDK versions whose modules are concerned, as far as measured
    rules: tuple[PolicyRule, ...] = ()  # that it breaks
    permitted: bool = False  # it takes away what was deprecated for long enough


class RuleStatus(enum.Enum):
    """Whether a change of the ABI keeps a rule of the policy."""

    HELD = "held"
    BROKEN = "broken"
    UNKNOWN = "not known"


class RuleBreak(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One change that breaks a rule."""

    subject: str  # the function or type
    kind: AbiChangeKind
    detail: str
    certain: bool  # false: as far as a header shows that is not the release's own


class RuleVerdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule of the policy, and whether the newer ABI keeps it.

    `unknown` says of what it could not be judged, in sentences; where nothing breaks the rule, but something is not known, its
    status is not known. `remarks` are facts for it. `certain` is false where it holds as far as a header shows that is not the
    release's own.
    """

    rule: PolicyRule
    status: RuleStatus
    broken_by: tuple[RuleBreak, ...] = ()
    unknown: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    certain: bool = True


class AbiSide(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the two ABIs."""

    label: str  # as a person would call it
    envoy: str  # its minor or release; empty where not known
    abi_version: str | None
    callbacks: int
    hooks: int
    exact: int  # functions whose signature is from the release's own header
    nearby: int  # from another header
    name_only: int


class Compared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The extent to which the functions that both sides have could be compared."""

    functions: int
    exact: int  # both signatures from the header of the release itself
    nearby: int  # at least one from a nearby header
    unknown: int  # at least one not known: only the name is compared


class Diff(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All changes. Sorted: worst first, then by extension point and name."""

    old: AbiSide
    new: AbiSide
    compared: Compared
    changes: tuple[AbiChange, ...]
    policy: tuple[RuleVerdict, ...] = ()
    binds: bool = False  # whether the policy binds the newer side; else its rules are a comparison only
    notes: tuple[str, ...] = ()
    schema_version: int = SCHEMA_VERSION

    def of(self, *impacts: Impact) -> tuple[AbiChange, ...]:
        """Returns the changes with one of these impacts."""
        return tuple(change for change in self.changes if change.impact in impacts)

    @property
    def breaks_built(self) -> bool:
        """Whether a module that is already built may be broken by anything."""
        return bool(self.of(Impact.BUILT))

    def offending(self, allowed: Collection[PolicyRule] = ()) -> tuple[AbiChange, ...]:
        """Returns the changes that must not be, but for those all of whose broken rules are allowed.

        These are what breaks modules that are already built, unless the policy permits it, and, where the policy binds, what
        breaks one of its rules.
        """
        return tuple(
            one
            for one in self.changes
            if ((one.impact is Impact.BUILT and not one.permitted) or (self.binds and one.rules))
            and not (one.rules and set(one.rules) <= set(allowed))
        )


class AbiBreak(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change that breaks what two neighbouring minors promise."""

    sdk_minor: str  # the minor of the SDK that a module is built with
    host_minor: str
    host_releases: tuple[str, ...]  # the known releases of that minor that it is so on
    relation: Relation  # what the documents say of the pair
    promises: tuple[str, ...]  # ids of conformance/spec/promises.toml that make it so
    subject: str  # the function or type; empty for the ABI string
    kind: AbiChangeKind
    how: How
    points: tuple[str, ...]
    used_by: tuple[UsingSdk, ...]
    detail: str
    certain: bool  # false: as far as a header shows that is not the release's own
    rules: tuple[PolicyRule, ...] = ()  # of the policy that it breaks
    permitted: bool = False  # the policy permits it


class MinorPair(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pair of minors that was compared, with the number of changes of each impact on the release that the data is of."""

    sdk_minor: str
    host_minor: str
    host_releases: tuple[str, ...]  # all known releases of that minor; what only some of them break is among the findings
    relation: Relation
    promises: tuple[str, ...]  # ids of conformance/spec/promises.toml
    built: int
    unknown: int
    rebuild: int
    harmless: int
    compared: Compared
    policy: tuple[RuleVerdict, ...] = ()
    binds: bool = False  # whether the policy binds the host


class AbiBreaks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The findings of the ABI data about pairs of minors, oldest first, without any module or host being run."""

    pairs: tuple[MinorPair, ...]
    findings: tuple[AbiBreak, ...]
    schema_version: int = SCHEMA_VERSION

    @property
    def broken(self) -> tuple[AbiBreak, ...]:
        """The findings about supported pairs."""
        return tuple(one for one in self.findings if one.relation is Relation.SUPPORTED)

    def offending(self, allowed: Collection[PolicyRule] = ()) -> tuple[AbiBreak, ...]:
        """Returns the findings about supported pairs that the policy does not permit, but for those whose rules are allowed."""
        return tuple(one for one in self.broken if not one.permitted and not (one.rules and set(one.rules) <= set(allowed)))


class StringVerdict(enum.Enum):
    """The verdict on whether the ABI string changed with the ABI."""

    STAYED_RIGHTLY = "nothing changed, and the string did not move"
    MOVED_RIGHTLY = "the ABI changed, and the string moved"
    STAYED = "the ABI changed, and the string did not move"
    MOVED = "nothing changed, and the string moved all the same"
    UNKNOWN = "the string of one of them is not known"


class Drift(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The changes since the newest known minor, and whether the ABI string changed with it."""

    verdict: StringVerdict
    changed: int  # changes besides the string
    breaking: int  # those of them that break modules already built
    diff: Diff
    schema_version: int = SCHEMA_VERSION
