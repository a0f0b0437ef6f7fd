"""What a check finds, as values; `--json` writes them as they are. Schema: `reports/schema/check-1.schema.json`."""

from __future__ import annotations

import enum

import msgspec

from dmconform.binaries.facts import Known, ModuleFacts, StaticVerdict
from dmconform.core.values import AbiVerdict, Relation

SCHEMA_VERSION = 3


class RunKind(enum.Enum):
    """The way in which a host dealt with the module at one extension point."""

    WORKS = "works"  # loaded, configured, driven, and the host lives
    CONFIGURATION_REFUSED = "loads, but refuses this configuration"  # the module does, not the host
    HOST_REFUSES_CONFIGURATION = "the host refuses this configuration"  # before the module has a say, or after
    REFUSED = "refused at load"
    NO_SUCH_POINT = "no such extension point"  # this host has none
    SYMBOL_LOOKUP = "symbol lookup error at a call"  # a call met an unresolved symbol
    NO_ANSWER = "loads, but leaves requests unanswered"  # the host lives; it may be what the module is for
    NOT_READY = "loads, but the host does not become ready"  # the same
    CRASHED = "crashed"
    HUNG = "hung"  # the host itself does not answer any more
    NO_VERDICT = "could not be run"  # the machine's or this tool's trouble


class HostVerdict(enum.Enum):
    """The verdict on whether a module works on a host, from all that is known of it."""

    WORKS = "works"
    BREAKS = "does not work"
    UNDECIDED = "cannot be judged"


class PointRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One use of the module on one host, in a separate process."""

    extension_point: str
    filter_name: str
    kind: RunKind
    reason: str  # empty where it works
    abi_verdict: AbiVerdict  # the host's verdict on the module's ABI string
    duration_s: float
    answers: tuple[str, ...] = ()  # what it was driven with, and what came back, such as "GET / 200"
    evidence: str | None = None  # the folder with log and configuration, where they are kept


class HostEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A host and the module's results there.

    `runs` is empty where the module was not run; `not_run` then says why. `own_doing`: it does not work, and nothing shows
    that the host has to do with that (it works so on no other host either). `mismatch` is a sentence where the static
    verdict and a run contradict each other.
    """

    id: str  # a release, with `~` and eight digits of the binary's hash where it is not a known one
    release: str
    origin: str
    static: StaticVerdict
    runs: tuple[PointRun, ...]
    verdict: HostVerdict
    reason: str
    own_doing: bool = False
    not_run: str | None = None
    mismatch: str | None = None


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The range of releases in which the module works.

    `min_envoy_version` and `max_envoy_version` are None where there is no single range: it works nowhere, or with gaps.
    `islands` are the runs of neighbouring releases that work, each from its first to its last. `unresolved` are releases in
    which it works as far as it was driven, with a call left that would end the host; they are outside of the range unless
    all are such. `between` are known releases inside of the range that were not asked for.
    """

    measured: bool  # False: nothing was run, it is what is expected
    works: tuple[str, ...]
    breaks: tuple[str, ...]
    undecided: tuple[str, ...]
    unresolved: tuple[str, ...]
    islands: tuple[tuple[str, str], ...]
    between: tuple[str, ...]
    min_envoy_version: str | None
    max_envoy_version: str | None


class SdkGuess(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The minors whose SDK a module can have been built with; empty where nothing shows it."""

    minors: tuple[str, ...]
    known: Known
    reason: str


class PromiseEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The compatibility promise for the hosts, if the module was built with the SDK of this minor."""

    sdk: str
    supported_minors: tuple[str, ...]
    relations: dict[str, Relation]  # by host id
    kept: tuple[str, ...]  # host ids: supported, and it works
    broken: tuple[str, ...]  # supported, and it does not
    as_asked: tuple[str, ...]  # before there was a promise: of the minor that the documents then asked for, and it works
    luck: tuple[str, ...]  # the documents promise nothing, and it works


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The findings of `dmconform check` about a module."""

    schema_version: int
    suite_version: str
    module_file: str  # its name without folders
    module: ModuleFacts
    hooks_by_point: dict[str, tuple[str, ...]]
    ran: bool  # whether the module's code was run
    hosts: tuple[HostEntry, ...]
    span: Span
    sdk: SdkGuess
    promise: tuple[PromiseEntry, ...]  # one per minor of `sdk`
    notes: tuple[str, ...]
    exit_code: int
