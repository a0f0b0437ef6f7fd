"""What is on record of each known release: how every cell ended there, whatever the documents promise.

A host that calls itself a release and behaves otherwise must not stay unnoticed where no document promises anything. So a run
compares each cell with its fact: the outcome, the host's verdict on the ABI string, what became of the probe, the named facts
that are the same in every run, and of a cell that does not pass the shape of its message.

The records are `conformance/facts/AREA.json`; `dmconform facts --write` makes them from a report, and this file reads them.
"""

from __future__ import annotations

import fnmatch
import functools
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from dmconform.core import paths
from dmconform.core.datafile import load_json, load_toml
from dmconform.core.errors import DataFileError
from dmconform.core.text import first_line
from dmconform.core.values import AbiVerdict, ChangedFact, Load, Outcome, SdkId
from dmconform.core.versions import Minor

SCHEMA: Final = 1
FOLDER: Final = paths.CONFORMANCE / "facts"
VARYING_FILE: Final = FOLDER / "varying.toml"
VARIES: Final = " (varies)"
LONGEST_MESSAGE: Final = 300
"""Characters of a cell's message that are kept: what follows is the end of a list."""
LONGEST_FACT: Final = 8000
"""Characters of a named fact that are kept; a longer one ends in a digest, so that what follows counts too."""
_DIGEST_CHARACTERS: Final = 16

_PLACE = re.compile(r"(?<![\w:/$~.…])(?:~|\$(?!CELL\b)[A-Z_]+)?/[^\s:'\"(),;\]]*[^\s:'\"(),;\].]")
_VARIES = re.compile(
    r"0x[0-9a-f]+|(?<=127\.0\.0\.1:)\d+|\b\d+(?:\.\d+)?(?= ?(?:ms|s|us|bytes|KiB)\b)|(?<=\bpid )\d+|(?<=\.cc:)\d+|(?<=\.h:)\d+"
    r"|(?<=\.go:)\d+|(?<=\.rs:)\d+|(?<=listener\(s\) )\w+(?=:)|(?<=undefined symbol: )[^\s,;]+|(?<![\w.])\d{4,5}(?![\w.])"
    r"|(?<=envoy_dynamic_module_)[0-9a-f]{64}|(?<=file is: )[0-9a-f]{64}"
)
"""Addresses, ports, sizes, durations, process ids, lines of a source, the listener of a refusal that was another cell's,
the symbol that the linker met first, and digests: these are the module's and not the host's."""


class Behaviour(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a cell ends on a release, without what varies."""

    outcome: Outcome = Outcome.PASS
    abi: AbiVerdict = AbiVerdict.NOT_LOADED
    load: Load = Load.NOT_SEEN
    facts: dict[str, str] = {}
    detail: str = ""


class RecordedRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True):
    """The run that a record was made from."""

    started_at: str
    suite_commit: str

    @property
    def words(self) -> str:
        """The run in words."""
        return f"the run of {self.started_at}, suite {self.suite_commit[:10]}"


class FactEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A behaviour, with the cells of one case that have it.

    `cells` has SDKs by releases: `{"1.39.3 1.40.0": "cpp,go@1.38..1.40:reference"}`. `run` is a place in the file's list.
    """

    behaviour: Behaviour
    cells: dict[str, str]
    run: int


class FactsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The facts of an area."""

    schema: int
    runs: tuple[RecordedRun, ...]
    cases: dict[str, tuple[FactEntry, ...]]


@dataclass(frozen=True)
class Fact:
    """What is on record of a cell."""

    behaviour: Behaviour
    run: RecordedRun


CellKey = tuple[str, str]
"""An SDK and a release."""


class Facts:
    """The facts of all areas; a case's cells are made out of its entries when they are first asked for."""

    def __init__(self, files: Iterable[FactsFile]) -> None:
        """Keeps the entries of some files."""
        self._entries = {case: (entries, file.runs) for file in files for case, entries in file.cases.items()}
        self._cells: dict[str, dict[CellKey, Fact]] = {}

    @property
    def cases(self) -> tuple[str, ...]:
        """The cases that have a record."""
        return tuple(self._entries)

    def of_case(self, case: str) -> Mapping[CellKey, Fact]:
        """Returns what is on record of a case, by SDK and release."""
        if case not in self._cells:
            entries, runs = self._entries.get(case, ((), ()))
            self._cells[case] = {
                key: Fact(one.behaviour, runs[one.run])
                for one in entries
                for key in cells_of(one.cells)
                if chance_of("/".join((case, *key))) is None
            }
        return self._cells[case]

    def of(self, case: str, sdk: str, release: str) -> Fact | None:
        """Returns what is on record of a cell; None where nothing is."""
        return self.of_case(case).get((sdk, release))


class _Varying(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    reason: str


class _VaryingCells(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    cells: str  # a glob over ids
    reason: str


class _VaryingFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    fact: tuple[_Varying, ...]
    by_chance: tuple[_VaryingCells, ...] = ()


@functools.cache
def _varying(path: Path) -> _VaryingFile:
    found = load_toml(path, _VaryingFile)
    without = [one.name for one in found.fact if not one.reason.strip()]
    without += [one.cells for one in found.by_chance if not one.reason.strip()]
    if without:
        raise DataFileError(path, f"{without[0]}: needs a reason")
    return found


def varying_facts(path: Path = VARYING_FILE) -> frozenset[str]:
    """Returns the names of the facts of cells that are not the same in every run, so that nothing is recorded of them.

    Raises:
        DataFileError: the file is not of its format, or gives no reason.
    """
    return frozenset(one.name for one in _varying(path).fact)


def chance_of(cell: str) -> str | None:
    """Returns why nothing is recorded of a cell whose end is not the same in every run; None where it is the same.

    Args:
        cell: its id, with the release as host.
    """
    its = (one.reason for one in _varying(VARYING_FILE).by_chance if fnmatch.fnmatchcase(cell, one.cells))
    return next(its, None)


def varies(name: str) -> bool:
    """Returns whether nothing is recorded of a fact of cells: its case calls it `NAME (varies)`, or the data names it."""
    return name.endswith(VARIES) or name in varying_facts()


@functools.cache
def known_facts() -> Facts:
    """Returns the facts of this suite's data."""
    return load_facts()


def load_facts(folder: Path = FOLDER) -> Facts:
    """Loads all records.

    Raises:
        DataFileError: a file is not of its format.
    """
    return Facts(_checked(path) for path in sorted(folder.glob("*.json")))


def _checked(path: Path) -> FactsFile:
    file = load_json(path, FactsFile)
    if file.schema != SCHEMA:
        raise DataFileError(path, f"schema {file.schema}; expected {SCHEMA}")
    for case, entries in file.cases.items():
        seen: set[CellKey] = set()
        if case.partition("/")[0] != path.stem:
            raise DataFileError(path, f"{case} is not a case of this area")
        for one in entries:
            if not 0 <= one.run < len(file.runs):
                raise DataFileError(path, f"{case}: run {one.run}; there are {len(file.runs)}")
            try:
                cells = cells_of(one.cells)
            except ValueError as error:
                raise DataFileError(path, f"{case}: {error}") from None
            twice = seen.intersection(cells)
            if twice:
                raise DataFileError(path, f"{case}: two facts of {'/'.join(min(twice))}")
            seen.update(cells)
    return file


def cells_of(cells: Mapping[str, str]) -> tuple[CellKey, ...]:
    """Returns the cells that an entry is about.

    Raises:
        ValueError: SDKs are not written as expected.
    """
    return tuple(
        (sdk, release) for releases, sdks in cells.items() for release in releases.split() for sdk in written_sdks(sdks)
    )


def written_sdks(text: str) -> Iterator[str]:
    """Yields the SDKs of a text such as `cpp,go@1.38..1.40:reference rust@1.39:official`.

    Raises:
        ValueError: it is nothing of the kind.
    """
    for word in text.split():
        languages, at, rest = word.partition("@")
        minors, colon, provider = rest.partition(":")
        first, _, last = minors.partition("..")
        if not (languages and at and colon and provider):
            raise ValueError(f"{word!r} names no SDKs; expected such as cpp,go@1.38..1.40:reference")
        start, end = Minor.parse(first), Minor.parse(last or first)
        for language in languages.split(","):
            for minor in range(start.minor, end.minor + 1):
                yield f"{language}@{Minor(start.major, minor)}:{provider}"


def sdks_text(sdks: Iterable[str]) -> str:
    """Returns what `written_sdks` reads: ranges of minors of a provider, languages with the same ones together."""
    minors: dict[tuple[str, str], list[Minor]] = {}
    for one in sorted(map(SdkId.parse, sdks)):
        minors.setdefault((one.provider_name, one.language_name), []).append(one.minor)
    languages: dict[tuple[str, str], list[str]] = {}
    for (provider, language), its in sorted(minors.items()):
        for text in _ranges(its):
            languages.setdefault((provider, text), []).append(language)
    return " ".join(f"{','.join(its)}@{text}:{provider}" for (provider, text), its in languages.items())


def _ranges(minors: Sequence[Minor]) -> Iterator[str]:
    """Yields the longest ranges of minors that follow each other."""
    first = last = minors[0]
    for one in (*minors[1:], None):
        if one is not None and one == last.next():
            last = one
            continue
        yield str(first) if first == last else f"{first}..{last}"
        if one is not None:
            first = last = one


def observed(
    outcome: Outcome, abi: AbiVerdict, load: Load, facts: Mapping[str, str], detail: str, *, places: Mapping[str, str]
) -> Behaviour:
    """Returns the behaviour of a cell.

    Args:
        outcome: how it ended.
        abi: the host's verdict on the ABI string.
        load: what became of the probe.
        facts: of the cell, by name.
        detail: what was expected and seen; it counts where the case ran and did not pass.
        places: what stands for texts that are the run's own, such as `$CELL` for the cell's folder.
    """
    kept = {name: _bounded(shape(value, places)) for name, value in sorted(facts.items()) if not varies(name)}
    said = shape(detail, places)[:LONGEST_MESSAGE] if outcome.is_verdict and outcome is not Outcome.PASS else ""
    # A refusal is asked for once: which cell saw it with a host of its own, and which took it from that one, varies.
    seen = Load.NOT_SEEN if outcome is Outcome.REJECTED else load
    return Behaviour(outcome, abi if outcome.is_verdict else AbiVerdict.NOT_LOADED, seen, kept, said)


def shape(text: str, places: Mapping[str, str]) -> str:
    """Returns the first line of a text without what varies from run to run, and from machine to machine."""
    for own, name in places.items():
        text = text.replace(own, name)
    text = _PLACE.sub(lambda found: f"…/{found[0].rpartition('/')[2]}", first_line(text))
    return _VARIES.sub("…", text)


def _bounded(text: str) -> str:
    if len(text) <= LONGEST_FACT:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARACTERS]
    return f"{text[: LONGEST_FACT - _DIGEST_CHARACTERS - 1]}#{digest}"


def changes(fact: Fact, seen: Behaviour) -> tuple[ChangedFact, ...]:
    """Returns in what a cell differs from what is on record of it."""
    old, since = fact.behaviour, fact.run.words
    names = sorted(name for name in {*old.facts, *seen.facts} if not varies(name))
    pairs = [
        ("outcome", old.outcome.value, seen.outcome.value),
        ("ABI verdict", old.abi.value, seen.abi.value),
        ("load of the probe", old.load.value, seen.load.value),
        *((name, old.facts.get(name, ""), seen.facts.get(name, "")) for name in names),
        ("detail", old.detail, seen.detail),
    ]
    return tuple(ChangedFact(what, before, now, since) for what, before, now in pairs if before != now)
