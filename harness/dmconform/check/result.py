"""What a check finds, as values; `--json` writes them as they are. Schema: `reports/schema/check-4.schema.json`."""

from __future__ import annotations

import enum

import msgspec

from dmconform.binaries.facts import Known, ModuleFacts, StaticVerdict
from dmconform.check.bound import Bound
from dmconform.core.labels import host_label
from dmconform.core.values import AbiVerdict, Relation
from dmconform.hosts.catalogue import MODIFIED_MARK

SCHEMA_VERSION = 4


class RunKind(enum.Enum):
    """The way in which a host dealt with the module at one extension point."""

    WORKS = "works"  # loaded, configured, driven, and the host lives
    WORKS_WITH_ERRORS = "works with errors"  # the same, but each answer is a server error, or the module reports one each time
    CONFIGURATION_REFUSED = "fails while it is configured: it refuses"  # the module does, not the host
    CONFIGURATION_CRASHED = "fails while it is configured: the host crashes"
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
    ERRORS = "works with errors"
    BREAKS = "does not work"
    UNDECIDED = "not judged"


class PointBasis(enum.Enum):
    """The reason why the module is used at an extension point."""

    GIVEN = "given"  # by --extension-point, or by the settings file
    ONLY = "the only one that it has hooks of"
    LIKELIEST = "the likeliest of those that it has hooks of"
    NEXT = "the likelier ones refuse it"
    ALL = "--all-points"

    @property
    def is_guess(self) -> bool:
        """Whether nothing says that the module is for this extension point."""
        return self in (PointBasis.LIKELIEST, PointBasis.NEXT, PointBasis.ALL)


class TriedUse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One use of the module, the same on each host."""

    extension_point: str
    basis: PointBasis
    filter_name: str
    name_given: bool  # False: the name of the file
    config_bytes: int  # of the text, or of the message as JSON
    config_given: bool
    environment: tuple[str, ...]  # names of the variables that are set for the hosts


class PointRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One use of the module on one host, in a separate process."""

    extension_point: str
    filter_name: str
    kind: RunKind
    reason: str  # the host's or the harness's words; empty where it works
    abi_verdict: AbiVerdict  # the host's verdict on the module's ABI string
    duration_s: float
    answers: tuple[str, ...] = ()  # what it was driven with, and what came back, such as "GET / 200"
    evidence: str | None = None  # the folder with log and configuration, where they are kept
    log_lines: tuple[str, ...] = ()  # of the module, its language's runtime or the linker, next to the failure
    frame: str = ""  # the first named function on the stack of a crash
    abi_version: str | None = None  # the module's ABI string as the host reports it


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
    relation: Relation | None = None  # what the documents promise here; None where the SDK is not known
    build: str = ""  # what `--version` prints: commit/release/Clean or Modified/…; empty where the host was not asked

    @property
    def label(self) -> str:
        """The id, marked where the binary was built from other sources than those of its commit."""
        return host_label(self.id, is_modified=MODIFIED_MARK in self.build)


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The range of releases in which the module works.

    `min_envoy_version` and `max_envoy_version` are None where there is no single range: it works nowhere, or with gaps.
    `islands` are the runs of neighbouring releases that work, each from its first to its last. `unresolved` are releases in
    which it works as far as it was driven, with a call left that would end the host; they are outside of the range unless
    all are such. `between` are known releases inside of the range that were not asked for, `not_available` those next to its
    ends, or inside of it, that exist and that no package registry has. `expected` are, where it works on no host, known
    releases that were not asked for and that are expected to load it.
    """

    measured: bool  # False: nothing was run, it is what is expected
    works: tuple[str, ...]
    breaks: tuple[str, ...]
    undecided: tuple[str, ...]
    unresolved: tuple[str, ...]
    islands: tuple[tuple[str, str], ...]
    between: tuple[str, ...]
    not_available: tuple[str, ...]
    expected: tuple[str, ...]
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
    supported_minors: tuple[str, ...]  # the SDK's own, the next one and those of the hosts, as far as they are supported
    supported: str  # all that are, by promise, in words; empty where nothing is promised
    promises: dict[str, tuple[str, ...]]  # by host id: the promises that cover it
    relations: dict[str, Relation]  # by host id
    kept: tuple[str, ...]  # host ids: supported, and it works
    broken: tuple[str, ...]  # supported, and it does not
    same_minor: tuple[
        str, ...
    ]  # before there was a promise: of the SDK's own minor, as the documents then demanded, and it works
    unsupported: tuple[str, ...]  # the documents promise nothing, and it works


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
    bounds: tuple[Bound, ...]  # what keeps it from the known releases that are expected not to load it
    tried: tuple[TriedUse, ...]  # how it was used, or would be with --no-run
    options: tuple[str, ...]  # the words of the command line that say how it is used; values of variables left out
    notes: tuple[str, ...]
    exit_code: int
    isolated_by: str | None = None  # what kept its code from network, home folder and environment; None where nothing did
    held_by: str | None = None  # what ended all that it started with its Envoy; None where it was not run, or was isolated


class TogetherEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A host, and what happens when all modules are loaded into one process there; `run` is None where that was not done."""

    id: str
    release: str
    run: PointRun | None
    verdict: HostVerdict
    reason: str


class CheckSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The findings of `dmconform check` about several modules, on the same hosts."""

    schema_version: int
    modules: tuple[Check, ...]
    together: tuple[TogetherEntry, ...]  # empty without --together
    works: tuple[str, ...]  # releases in which all work, and work together
    min_envoy_version: str | None  # the range in which all work; None where there is no single one
    max_envoy_version: str | None
    exit_code: int
