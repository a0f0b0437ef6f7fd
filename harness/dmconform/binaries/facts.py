"""What is read out of binaries, and what follows from it."""

from __future__ import annotations

import enum

import msgspec

from dmconform.binaries.kinds import FileKind, ProblemKind
from dmconform.core.extension_point import ExtensionPoint, point_of


class Binding(enum.Enum):
    """The moment when the dynamic linker looks for a symbol that a module leaves undefined."""

    NOW = "at load (BIND_NOW)"
    LAZY = "at the first call (lazy)"


class Known(enum.Enum):
    """The certainty of a fact that had to be inferred."""

    READ = "read"  # it is in the file, in a place that means it
    INFERRED = "inferred"  # the file has signs of it
    REPORTED = "reported by a host"  # at run time
    UNKNOWN = "unknown"


class Libc(enum.Enum):
    """The C library that a module was built for."""

    GLIBC = "glibc"  # that of official Envoys
    MUSL = "musl"
    BIONIC = "bionic"  # Android's
    NONE = ""  # none, or it does not show


class NeededVersion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version that a needed library must bring, without which the dynamic linker refuses the module."""

    library: str
    version: str


class Undefined(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A symbol that a module leaves undefined."""

    name: str
    weak: bool = False  # absent, it is a null pointer
    at_load: bool = False  # something else than a call needs it, so that lazy binding does not put it off
    version: str | None = None  # such as GLIBC_2.34
    library: str | None = None  # which must bring that version


class ModuleFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a module's file. Read from what the dynamic linker reads, not from section headers.

    `problem` is why it is not a library that some official Envoy could load (another kind of file, another machine, truncated,
    …), or why it was not read, in one sentence; then everything else has its default, but for `kind`, `problem_kind` and
    `architecture`.
    """

    sha256: str
    size_bytes: int
    problem: str | None = None
    architecture: str = ""  # x86-64, aarch64, or another in words
    hooks: tuple[str, ...] = ()  # event hooks it defines, sorted
    exports: int = 0  # how many symbols it defines
    undefined: tuple[Undefined, ...] = ()  # sorted by name; callbacks and everything else
    abi_version: str | None = None
    abi_version_known: Known = Known.UNKNOWN
    needed: tuple[str, ...] = ()
    search_paths: tuple[str, ...] = ()  # RUNPATH or RPATH as written
    binding: Binding = Binding.LAZY
    nodelete: bool = False
    glibc_floor: str | None = None  # such as GLIBC_2.34
    libstdcxx_floor: str | None = None  # such as GLIBCXX_3.4.30
    stripped: bool = False  # no symbol table besides the dynamic one
    language: str = ""  # cpp, go, rust, c, or empty where it is not known
    sdk: str = ""  # which SDK it was built with, in words, empty where it is not known
    language_known: Known = Known.UNKNOWN
    soname: str | None = None
    kind: FileKind = FileKind.SHARED_LIBRARY
    problem_kind: ProblemKind | None = None
    libc: Libc = Libc.NONE
    needed_versions: tuple[NeededVersion, ...] = ()

    @property
    def would_crash(self) -> bool:
        """Returns whether a host that opens it may crash, or nothing is known of what it would do: do not run it."""
        return self.not_read or self.problem_kind in (
            ProblemKind.TRUNCATED,
            ProblemKind.MALFORMED,
            ProblemKind.REFUSED,
            ProblemKind.UNREADABLE,
        )

    @property
    def not_read(self) -> bool:
        """Returns whether the reader was in trouble, so that nothing is known of the file, not even that it is bad."""
        return self.problem_kind is not None and self.problem_kind.of_reader

    @property
    def callbacks(self) -> tuple[Undefined, ...]:
        """The callbacks that it leaves undefined."""
        return tuple(one for one in self.undefined if one.name.startswith("envoy_dynamic_module_callback_"))

    @property
    def points(self) -> frozenset[ExtensionPoint]:
        """The extension points that it defines a hook of."""
        return frozenset(point for hook in self.hooks if (point := point_of(hook)) is not None)


class HostFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The functions and settings that a host offers to modules."""

    release: str  # such as 1.39.3; for an unknown binary what it says of itself
    callbacks: frozenset[str]  # that it exports
    hooks: frozenset[str]  # names of hooks that it has as strings, so looks up
    other_exports: frozenset[str]  # everything else it exports
    abi_version: str | None  # None where it is not known
    refuses_other_abi: bool | None  # refuses a module with another ABI string; None: not known
    bind_now: bool = True  # how the host itself binds
    opens_now: bool | None = None  # opens modules with RTLD_NOW, as measured at run time; None: not known
    static_modules: frozenset[str] = frozenset()  # names of modules that are linked into it; it looks for these first


class StaticKind(enum.Enum):
    """The expected reaction of a host to a module, as far as it shows without running it."""

    LOADS = "expected to load"
    REFUSED = "refused at load"
    UNRESOLVED = "loads, but a call meets an unresolved symbol"
    UNKNOWN = "unknown"


class StaticVerdict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A static verdict with its reasons.

    `missing` are the symbols by name that make it so. `reason` is one sentence for a person, which names at most a few of
    them. `notes` are things that do not decide, but that one should know (another ABI string that the host only warns
    of, a hook that its extension point requires). `other_target`: it is unknown because the module was built for another
    system than official Envoys run on, such as one with musl, which is no matter of the release.
    """

    kind: StaticKind
    reason: str
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    other_target: bool = False


class Reached(enum.Enum):
    """Whether hooks can reach a symbol."""

    YES = "yes"  # a reference leads there; whether it is ever followed is not known
    NO = "no"
    NOT_DETERMINED = "not determined"


class ReachFacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The undefined symbols that some hooks of a module can reach, sorted; `problem` is why that is not determined."""

    reached: tuple[str, ...] = ()
    problem: str | None = None

    def of(self, symbol: str) -> Reached:
        """Returns whether the hooks can reach a symbol that the module leaves undefined."""
        if self.problem is not None:
            return Reached.NOT_DETERMINED
        return Reached.YES if symbol in self.reached else Reached.NO
