"""Cases: what a case declares, and how the files of `conformance/cases/` are read.

A case is a pytest function that takes a `cell` and is decorated with `case`. Its id is AREA/NAME: `test_rtld.py` with
`test_local_by_default` is `rtld/local_by_default`. Its docstring's first line is its title. A function that is declared for
extension points is one case at each of them, `AREA/NAME@POINT`.
"""

from __future__ import annotations

import contextlib
import enum
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from dmconform.core.datafile import load_toml
from dmconform.core.errors import DataFileError
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import AT_POINT, Language, Provider, Relation, SdkId, Severity, known_point_of
from dmconform.core.versions import Minor
from dmconform.spec.promise import promised

if TYPE_CHECKING:
    from dmconform.sdks.catalogue import Sdk

UNRELEASED = "an unreleased commit, of which nothing is promised"
CaseFunction = Callable[..., None]
_ATTRIBUTE = "dmconform_case"


class Level(enum.Enum):
    """The degree to which a sentence of the documents binds."""

    MUST = "must"  # it is promised, and cases show it
    SHOULD = "should"  # it is recommended
    NOTE = "note"  # it describes, explains or warns; nothing to show


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sentence of the documents in our own words: see the top of `conformance/spec/requirements.toml`."""

    id: str
    statement: str
    document: str
    section: str
    level: Level = Level.MUST
    since: str | None = None  # the first minor of hosts that it holds for
    until: str | None = None  # the last one
    contradicts: str | None = None  # id of the sentence of the other document that says otherwise
    uncovered: str | None = None  # why no case shows it
    link: str = ""  # to the document; `documents.toml` has it, the file of requirements does not
    severity: Severity = Severity.WRONG  # of an answer that is not as it says

    def holds_on(self, host: Minor) -> bool:
        """Returns whether the sentence is about hosts of this minor."""
        if self.since is not None and host < Minor.parse(self.since):
            return False
        return self.until is None or host <= Minor.parse(self.until)

    @property
    def releases(self) -> str:
        """The hosts it holds for in words; empty where the documents set no bound."""
        if self.since is not None and self.until is not None:
            return f"{self.since} to {self.until}"
        return f"from {self.since} on" if self.since is not None else f"up to {self.until}" if self.until is not None else ""


class _SpecFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    requirement: tuple[Requirement, ...]


def load_requirements(path: Path) -> dict[str, Requirement]:
    """Loads the requirements by id, in the order of the file.

    Raises:
        DataFileError: the file is not of its format, or a requirement makes no sense.
    """
    found: dict[str, Requirement] = {}
    for one in load_toml(path, _SpecFile).requirement:
        if one.id in found:
            raise DataFileError(path, f"duplicate id {one.id!r}")
        found[one.id] = one
        try:
            bounds = [Minor.parse(bound) for bound in (one.since, one.until) if bound is not None]
        except ValueError as error:
            raise DataFileError(path, f"{one.id}: since or until: {error}") from None
        if bounds != sorted(bounds):
            raise DataFileError(path, f"{one.id}: holds since {one.since}, which is after {one.until}, its until")
        empty = [name for name in ("statement", "document", "section", "uncovered") if getattr(one, name) == ""]
        if empty:
            raise DataFileError(path, f"{one.id}: {empty[0]} is empty")
        if one.link:
            raise DataFileError(path, f"{one.id}: has a link; expected links in documents.toml, by document and section")
    for one in found.values():
        if one.contradicts is not None and one.contradicts not in found:
            raise DataFileError(path, f"{one.id}: contradicts {one.contradicts!r}, which is not an id")
    return found


@dataclass(frozen=True)
class Declaration:
    """The notes of the decorator on a case."""

    requirements: tuple[str, ...]
    languages: tuple[Language, ...]
    supported_for: tuple[Language, ...]
    companions: bool = False
    everywhere: bool = False
    own_minor: bool = False
    points: tuple[ExtensionPoint, ...] = ()
    says_where_not: bool = False

    @property
    def probes(self) -> tuple[Language, ...]:
        """The languages of whose SDKs it needs each; none where its module needs no SDK."""
        return () if self.own_minor else self.languages

    def runs_with(self, sdk: SdkId, host: Minor) -> bool:
        """Returns whether there is a cell of it with an SDK version on hosts of a minor, whatever is promised."""
        if sdk.language not in self.languages:
            return False
        return not self.own_minor or (sdk.provider is Provider.REFERENCE and sdk.minor == host)


@dataclass(frozen=True)
class CellPromise:
    """What the documents promise for a case in a cell, why, and the ids of the promises."""

    relation: Relation
    reason: str
    promises: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """A case: its id, title, the requirements it checks, and whom it concerns."""

    id: str
    title: str
    declaration: Declaration
    line: int
    shows: tuple[Requirement, ...] = ()

    @property
    def point(self) -> ExtensionPoint | None:
        """The extension point at which it runs; None where it names none."""
        return known_point_of(self.id)

    @property
    def severity(self) -> Severity:
        """How bad it is for a user where an assertion does not hold: the worst of what it shows."""
        return min((one.severity for one in self.shows), key=lambda one: one.rank, default=Severity.WRONG)

    def relation(self, sdk: Sdk, host: Minor) -> CellPromise:
        """Returns what the documents promise for this case in a cell, and why."""
        if sdk.development is not None:
            return CellPromise(Relation.UNSUPPORTED, UNRELEASED)
        language = sdk.id.language
        if language not in self.declaration.supported_for:
            names = ", ".join(one.value for one in self.declaration.supported_for)
            return CellPromise(
                Relation.UNSUPPORTED,
                f"the documents promise this for {names} only" if names else "the documents do not promise this",
            )
        minor = sdk.id.minor
        pair = promised(minor, host)
        if pair.relation is Relation.SUPPORTED and self.shows and not any(one.holds_on(host) for one in self.shows):
            bounds = ", ".join(dict.fromkeys(one.releases for one in self.shows))
            return CellPromise(Relation.UNSUPPORTED, f"the documents promise this of hosts {bounds}, this one is {host}")
        rules = "; ".join(f"{one.id}: {one.title}" for one in pair.by)
        return CellPromise(pair.relation, f"{minor} on {host}: {rules or 'no promise is about this pair'}", pair.ids)


EVERY_LANGUAGE = tuple(Language)
UNDECLARED_POINTS = frozenset({ExtensionPoint.HTTP_FILTER, ExtensionPoint.NETWORK_FILTER, ExtensionPoint.LISTENER_FILTER})
"""The extension points of cases that declare none."""


def points_with_cases(cases: Iterable[Case]) -> frozenset[ExtensionPoint]:
    """Returns the extension points at which cases use probes."""
    return UNDECLARED_POINTS | {point for one in cases for point in one.declaration.points}


def case(
    *requirements: str,
    languages: tuple[Language, ...] = EVERY_LANGUAGE,
    supported_for: tuple[Language, ...] = EVERY_LANGUAGE,
    companions: bool = False,
    everywhere: bool = False,
    own_minor: bool = False,
    points: tuple[ExtensionPoint, ...] = (),
    says_where_not: bool = False,
) -> Callable[[CaseFunction], CaseFunction]:
    """Declares a case.

    Args:
        *requirements: ids in `conformance/spec/requirements.toml` that the case checks.
        languages: whose probes it runs with; one is enough where the language does not matter.
        supported_for: the languages whose SDK the documents make the promise for; the others are measured, and do not gate.
            None where the documents leave it open: the case then is informational.
        companions: whether it loads probes of further SDK versions, which must then be built too (`Cell.companions`).
        everywhere: whether it runs on every pair of SDK and host, as far from the promise as they may be; the others do so with
            `--everywhere` only.
        own_minor: whether it runs with the reference SDK of the host's own minor alone: one cell for each host, for modules in
            C, which need the ABI and no SDK.
        points: the extension points at which it runs, each time as another case, with `Cell.point`; none: it is one case.
        says_where_not: whether it also has cells where SDK or host lack the extension point, which are not applicable and say
            why; one case is enough to say it.
    """
    noted = Declaration(requirements, languages, supported_for, companions, everywhere, own_minor, points, says_where_not)

    def declare(function: CaseFunction) -> CaseFunction:
        setattr(function, _ATTRIBUTE, noted)
        return function

    return declare


def declaration_of(function: object) -> Declaration | None:
    """Returns what `case` noted on a function, if anything."""
    found = getattr(function, _ATTRIBUTE, None)
    return found if isinstance(found, Declaration) else None


def case_ids(file: Path, function_name: str, declaration: Declaration) -> dict[str, ExtensionPoint | None]:
    """Returns the ids of the cases that a function in a file is, each with its extension point if it has one."""
    name = f"{file.stem.removeprefix('test_')}/{function_name.removeprefix('test_')}"
    if not declaration.points:
        return {name: None}
    return {f"{name}{AT_POINT}{point.value}": point for point in declaration.points}


def function_of(case_id: str) -> tuple[str, str]:
    """Returns the names of the file, without its suffix, and of the function that a case is."""
    area, _, name = case_id.partition(AT_POINT)[0].partition("/")
    return f"test_{area}", f"test_{name}"


@contextlib.contextmanager
def _no_bytecode() -> Iterator[None]:
    """Keeps Python from writing beside the cases, which may be part of an installation."""
    before = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def load_cases(folder: Path, requirements: dict[str, Requirement]) -> tuple[Case, ...]:
    """Loads all cases below a folder, in the order of the files.

    Raises:
        DataFileError: a file cannot be imported, or a case names an unknown requirement or has no title.
    """
    cases: list[Case] = []
    for file in sorted(folder.glob("test_*.py")):
        name = f"dmconform_cases.{file.stem}"
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise DataFileError(file, "cannot be imported")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            with _no_bytecode():
                spec.loader.exec_module(module)
        except Exception as error:
            raise DataFileError(file, f"cannot be imported: {type(error).__name__}: {error}") from error
        for name, function in inspect.getmembers(module, inspect.isfunction):
            declaration = declaration_of(function)
            if declaration is None:
                if name.startswith("test_"):
                    raise DataFileError(file, f"{name} is not decorated with @case")
                continue
            unknown = [one for one in declaration.requirements if one not in requirements]
            if unknown or not declaration.requirements:
                raise DataFileError(file, f"{name}: expected ids of known requirements, found {unknown or 'none'}")
            title = (inspect.getdoc(function) or "").partition("\n")[0]
            if not title:
                raise DataFileError(file, f"{name}: has no docstring, whose first line is its title")
            line = inspect.getsourcelines(function)[1]
            shows = tuple(requirements[one] for one in declaration.requirements)
            for one, point in case_ids(file, name, declaration).items():
                cases.append(Case(one, title if point is None else f"At {point.value}: {title}", declaration, line, shows))
    return tuple(sorted(cases, key=lambda one: (one.id.partition("/")[0], one.line)))
