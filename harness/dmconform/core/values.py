"""The values of the whole harness: hosts, SDK versions, cells and their results."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import msgspec

from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.labels import host_label
from dmconform.core.text import where_they_differ
from dmconform.core.versions import Minor, Release


class Language(enum.Enum):
    """A language that has an SDK."""

    CPP = "cpp"
    GO = "go"
    RUST = "rust"


class Provider(enum.Enum):
    """The author of the SDK a module is built with."""

    OFFICIAL = "official"  # the Envoy project
    REFERENCE = "reference"  # this project's own minimal SDK


class Relation(enum.Enum):
    """The promise of the documents for the pair of SDK and host of a cell."""

    SUPPORTED = "supported"  # the documents promise it: it gates
    LEGACY = "legacy"  # the documents before 1.38 asked for it: it informs
    UNSUPPORTED = "unsupported"  # the documents do not promise it: it informs


class Outcome(enum.Enum):
    """The ending of a cell."""

    PASS = "pass"
    FAIL = "fail"  # an assertion of the case does not hold
    CRASH = "crash"  # the host died of a signal, or ended by itself
    HANG = "hang"  # the host did not answer in time
    REJECTED = "rejected"  # the host refused a configuration that the case needs accepted
    ERROR = "error"  # planned, and could not run
    NOT_TESTED = "not tested"  # the SDK or the host was not available
    NOT_APPLICABLE = "not applicable"  # the case says nothing about this cell

    @property
    def is_verdict(self) -> bool:
        """Whether the case ran and ended with a verdict; the others give the reason why it did not."""
        return self not in (Outcome.ERROR, Outcome.NOT_TESTED, Outcome.NOT_APPLICABLE)


class Severity(enum.Enum):
    """How bad a failure is for a user, the worst first."""

    ENDS = "ends Envoy"
    HANGS = "hangs"
    WRONG = "answers wrongly"
    REFUSED = "fails to load"
    MESSAGE = "message or counter wrong"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


class AbiVerdict(enum.Enum):
    """The host's verdict on the module's ABI string."""

    MATCHED = "matched"
    DEPRECATED = "deprecated"
    REJECTED = "rejected"
    SILENT = "silent"  # the module was loaded and the host reported nothing
    NOT_LOADED = "not loaded"


class Load(enum.Enum):
    """The effect of loading a probe: the run-time observation of "does it load?"."""

    LOADED = "loaded"
    REFUSED = "refused at load"
    UNRESOLVED = "loaded, and the call of an unresolved symbol ended the host"
    MIXED = "loaded once and refused once"
    NOT_SEEN = "not seen"  # the case loads no probe, a wrong one, or hides it; or the host does not say what it refused


class ProbeLoad(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The result of loading the probe in a cell. `symbol` is the one that the dynamic linker named, if it did."""

    load: Load = Load.NOT_SEEN
    symbol: str | None = None


class Judgement(enum.Enum):
    """The way the outcome of a cell counts in the end."""

    PASS = "pass"
    FAIL = "fail"  # a supported cell that does not hold, and no known failure is recorded for it
    XFAIL = "xfail"  # a recorded known failure
    XPASS = "xpass"  # a record that no longer applies: the cell passes, or fails in another way
    MISMATCH = "static/run-time mismatch"  # supported and passes, but the static analysis of its probe says otherwise
    CHANGED = "changed fact"  # breaks no promise, and is not what is on record of this very release
    INFORMATIONAL = "informational"  # legacy or unsupported: counted, and does not gate
    ERROR = "error"  # planned, and could not run
    SKIP = "skip"  # not applicable, or of an official SDK that was not selected by name and was not available

    @property
    def is_red(self) -> bool:
        """Whether it makes a run end with exit code 1."""
        return self in (Judgement.FAIL, Judgement.XPASS, Judgement.MISMATCH, Judgement.CHANGED)


class FactsLevel(enum.Enum):
    """What a run makes of a cell that does not behave as is on record of its host's release."""

    FAIL = "fail"  # it counts against the run
    WARN = "warn"  # it is shown
    IGNORE = "ignore"  # the records are not looked at


class FactState(enum.Enum):
    """What a cell comes to beside the facts on record of its release."""

    SAME = "as on record"
    CHANGED = "changed"
    NONE = "no fact on record"
    NOT_COMPARED = "not compared"
    """It did not run, its host is not a known release, the run does not look at the records, or it ends by chance."""


class ChangedFact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something about a cell that is not as it is on record of the release."""

    what: str  # outcome, ABI verdict, load of the probe, detail, or the name of a fact of the cell
    recorded: str
    observed: str
    since: str  # the run that the record was made from

    @property
    def words(self) -> str:
        """The change in words: of long texts the part where they differ."""
        recorded, observed = where_they_differ(self.recorded, self.observed)
        return f"{self.what}: on record {recorded or 'nothing'}, observed {observed or 'nothing'}"


@dataclass(frozen=True, order=True)
class SdkId:
    """An SDK version of one provider, written `rust@1.39:official`."""

    language_name: str
    minor: Minor
    provider_name: str

    @property
    def language(self) -> Language:
        """The language as a value."""
        return Language(self.language_name)

    @property
    def provider(self) -> Provider:
        """The provider as a value."""
        return Provider(self.provider_name)

    def __str__(self) -> str:
        return f"{self.language_name}@{self.minor}:{self.provider_name}"

    @classmethod
    def of(cls, language: Language, minor: Minor, provider: Provider) -> SdkId:
        """Makes an id of values."""
        return cls(language.value, minor, provider.value)

    @classmethod
    def parse(cls, text: str) -> SdkId:
        """Reads what `str` writes.

        Raises:
            ValueError: it is nothing of the kind.
        """
        language, minor, provider = sdk_parts(text)
        return cls.of(Language(language), Minor.parse(minor), Provider(provider))


def sdk_parts(text: str) -> tuple[str, str, str]:
    """Returns language, minor and provider of an SDK id in a report, which may come from a suite that knows more of them."""
    language, _, rest = text.partition("@")
    minor, _, provider = rest.partition(":")
    return language, minor, provider


class Host(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An Envoy binary that is on this machine.

    `id` is its release, with `~` and eight digits of its hash added where it is not a known release.
    """

    id: str
    release_text: str
    binary: str
    sha256: str
    build: str  # what `--version` prints after "version:"
    origin: str

    @property
    def release(self) -> Release:
        """The release as a value."""
        return Release.parse(self.release_text)

    @property
    def commit(self) -> str:
        """The commit of the Envoy project that its binary names."""
        return self.build.partition("/")[0]

    @property
    def is_modified(self) -> bool:
        """Whether its binary says that it was built from other sources than the commit's."""
        return "Modified" in self.build.split("/")

    @property
    def build_type(self) -> str:
        """The state of the sources and the kind of build, as its binary names them: `Clean RELEASE`."""
        return " ".join(self.build.split("/")[2:4])

    @property
    def label(self) -> str:
        """Its id, marked where its build is modified: the name that people read."""
        return host_label(self.id, is_modified=self.is_modified)


class ModuleFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One built shared library."""

    name: str  # as in sdks/PROBES.md
    path: str
    sha256: str
    size_bytes: int
    glibc_floor: str  # the newest GLIBC_x.y symbol version it needs
    needed: tuple[str, ...]


class Feature(enum.Enum):
    """A feature that an SDK may lack; `lacks` in `sdk.toml`, and how reports name it."""

    DESTROY = "destroy"  # a callback at the end of a filter
    RECREATION = "recreation"  # of a stream, by its filter
    STATISTICS = "statistics"  # a look at the host's, by bootstrap extensions

    @property
    def text(self) -> str:
        """The feature in words, after "no"."""
        return {
            Feature.DESTROY: "callback at the end of a filter",
            Feature.RECREATION: "way to start a stream anew",
            Feature.STATISTICS: "look at the host's statistics",
        }[self]


AT_POINT = "@"
"""Is in the id of a case between its name and the extension point at which it runs, where it runs at several."""


def known_point_of(case: str) -> ExtensionPoint | None:
    """Returns the extension point in the id of a case of this suite; None where it names none."""
    name = case.partition(AT_POINT)[2]
    return ExtensionPoint(name) if name else None


class CellId(msgspec.Struct, frozen=True, order=True):
    """The address of a cell in the matrix, written `CASE/SDK/HOST`."""

    case: str  # area/name, or area/name@point
    sdk: str
    host: str

    def __str__(self) -> str:
        return f"{self.case}/{self.sdk}/{self.host}"

    @property
    def folder(self) -> str:
        """The cell's folder below the evidence folder; without colons, which separate folders in LD_LIBRARY_PATH."""
        return str(self).replace(":", "+")

    @property
    def point(self) -> ExtensionPoint | None:
        """The extension point that its case names; None where it names none."""
        return known_point_of(self.case)

    def on(self, host: str) -> CellId:
        """Returns the same cell on another host."""
        return CellId(self.case, self.sdk, host)

    @classmethod
    def parse(cls, text: str) -> CellId:
        """Reads what `str` writes.

        Raises:
            ValueError: it does not have four parts.
        """
        parts = text.split("/")
        if len(parts) != 4 or not all(parts):
            raise ValueError(
                f"{text!r} is not a cell; expected AREA/CASE/SDK/HOST such as "
                "window/proxied_traffic/rust@1.39:reference/1.40.0 (dmconform list cells shows them all)"
            )
        return cls(f"{parts[0]}/{parts[1]}", parts[2], parts[3])
