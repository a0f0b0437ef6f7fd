"""The mutants as data: every file of `catalogue/` is an area, and its keys are described in `docs/mutants.md`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec
from dmconform.core.datafile import load_toml
from dmconform.core.errors import DataFileError
from dmconform.core.values import Language
from dmconform.core.versions import Minor
from dmconform.hosts.catalogue import KnownHost

CATALOGUE: Final = Path(__file__).parent / "catalogue"
_ID: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_REQUIREMENT: Final = re.compile(r"\S+\.\S+")  # a word with a dot, where a fact would be several words
_LONGEST: Final = 1000  # the interposer has room for so many characters
_BETWEEN: Final = ";"


class Mutant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A host that misbehaves in one way."""

    id: str  # unique over all files
    breaks: str  # what such a host does, in a sentence
    violates: str  # the id of a requirement, or in words the measured fact that does not hold
    operation: str  # of the interposer
    noticed_by: tuple[str, ...] = ()  # cases, the cheapest first
    arguments: dict[str, str] = {}  # of the operation; {abi} is the host's ABI string
    sdk: Language = Language.CPP  # of the reference SDK whose modules are loaded
    older_sdk: bool = False  # that of the minor before the host's, instead of the host's own
    since: str | None = None  # the first and the last minor of the hosts that it concerns
    until: str | None = None
    equivalent: str | None = None  # why nothing can notice it; then it is not run, and does not count
    area: str = ""  # the name of its file, which does not write it

    def concerns(self, host: Minor) -> bool:
        """Whether hosts of a minor can be made this mutant."""
        if self.since is not None and host < Minor.parse(self.since):
            return False
        return self.until is None or host <= Minor.parse(self.until)

    def words(self, host: KnownHost) -> str:
        """What the interposer is given to make a host this mutant."""
        values = [f"{key}={value.replace('{abi}', host.abi_version)}" for key, value in self.arguments.items()]
        return _BETWEEN.join([self.operation, *values])

    def sdk_for(self, host: Minor) -> str:
        """The id of the SDK version whose modules the host is given."""
        minor = Minor(host.major, host.minor - 1) if self.older_sdk else host
        return f"{self.sdk.value}@{minor}:reference"


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    mutant: tuple[Mutant, ...]


def load_mutants(
    cases: Mapping[str, Collection[Language]], requirements: Collection[str], folder: Path = CATALOGUE
) -> tuple[Mutant, ...]:
    """Loads all mutants, area by area.

    Args:
        cases: the languages that each case runs with, by its id.
        requirements: the ids of all requirements.
        folder: with a file for each area.

    Raises:
        DataFileError: a file is not of its format, or a mutant makes no sense.
    """
    found: list[Mutant] = []
    for file in sorted(folder.glob("*.toml")):
        for one in load_toml(file, _File).mutant:
            problem = next(_problems(one, cases, requirements), None)
            if problem is not None:
                raise DataFileError(file, f"{one.id}: {problem}")
            found.append(msgspec.structs.replace(one, area=file.stem))
    if not found:
        raise DataFileError(folder, "expected files with mutants, there are none")
    twice = [name for name, count in Counter(one.id for one in found).items() if count > 1]
    if twice:
        raise DataFileError(folder, f"duplicate id {twice[0]!r}")
    same = Counter((one.operation, *sorted(one.arguments.items()), one.older_sdk, one.sdk) for one in found)
    for one in found:
        if same[one.operation, *sorted(one.arguments.items()), one.older_sdk, one.sdk] > 1:
            raise DataFileError(folder / f"{one.area}.toml", f"{one.id}: another mutant is the same")
    return tuple(found)


def _problems(one: Mutant, cases: Mapping[str, Collection[Language]], requirements: Collection[str]) -> Iterator[str]:
    if not _ID.fullmatch(one.id):
        yield "expected an id of lower-case words with hyphens between"
    if one.area:
        yield "has an area; expected none, as the name of its file is that"
    yield from (f"{key} is empty" for key in ("breaks", "violates", "operation", "equivalent") if getattr(one, key) == "")
    if _REQUIREMENT.fullmatch(one.violates) and one.violates not in requirements:
        yield f"violates {one.violates!r}, which is neither the id of a requirement nor a fact in words"
    yield from (f"noticed_by {case!r}, which is no case" for case in one.noticed_by if case not in cases)
    yield from (
        f"noticed_by {case!r}, which does not run with {one.sdk.value}"
        for case in one.noticed_by
        if case in cases and one.sdk not in cases[case]
    )
    if len(set(one.noticed_by)) < len(one.noticed_by):
        yield "noticed_by has a case twice"
    if bool(one.noticed_by) is (one.equivalent is not None):
        yield "expected either noticed_by, or equivalent with the reason why nothing notices it"
    words = [one.operation, *one.arguments, *one.arguments.values()]
    if any(_BETWEEN in word or "\n" in word for word in words) or any("=" in key for key in one.arguments):
        yield f"its operation and arguments cannot be written with {_BETWEEN!r} between"
    if sum(map(len, words)) > _LONGEST:
        yield f"expected an operation with arguments of up to {_LONGEST} characters"
    for name in ("since", "until"):
        try:
            Minor.parse(getattr(one, name) or "1.0")
        except ValueError as error:
            yield f"{name}: {error}"


def areas_of(mutants: Collection[Mutant]) -> Mapping[str, int]:
    """How many mutants count in each area, in the order of the areas."""
    return dict(sorted(Counter(one.area for one in mutants if one.equivalent is None).items()))
