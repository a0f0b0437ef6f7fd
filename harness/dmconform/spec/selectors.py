"""What `--sdk` and `--case` select; `dmconform.hosts.selection` does so for `--host`.

SDK: LANGUAGE[@VERSION][:PROVIDER] with LANGUAGE `cpp`, `go`, `rust` or `*`, VERSION `1.39`, `1.38..1.40` or `*`.
Case: a glob over case ids, such as `rtld/*`.

A name that does not exist is a mistake of usage (exit code 2), and the message has the nearest name. A pattern that selects
nothing is an empty selection (exit code 3).
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass

from dmconform.core.errors import EmptySelection, UsageError
from dmconform.core.nearest import nearest, unknown
from dmconform.core.values import Language, Provider, SdkId
from dmconform.core.versions import Minor
from dmconform.sdks.catalogue import Sdk
from dmconform.spec.cases import Case


@dataclass(frozen=True)
class SdkSpec:
    """One `--sdk`."""

    text: str
    language: Language | None
    oldest: Minor | None
    newest: Minor | None
    provider: Provider | None

    @classmethod
    def parse(cls, text: str) -> SdkSpec:
        """Reads a spec.

        Raises:
            UsageError: it is none.
        """
        found = re.fullmatch(r"(?P<language>[a-z]+|\*)(@(?P<range>[^:]+))?(:(?P<provider>[a-z]+|\*))?", text)
        if not found:
            raise UsageError(f"--sdk {text}: expected LANGUAGE@VERSION[:PROVIDER] such as rust@1.39, go@*, cpp@1.38..1.40")
        for part, values in (("language", Language), ("provider", Provider)):
            names = [one.value for one in values]
            if found[part] not in (None, "*", *names):
                raise UsageError(f"--sdk {text}: {unknown(part, found[part], names)}")
        language = None if found["language"] == "*" else Language(found["language"])
        provider = None if found["provider"] in (None, "*") else Provider(found["provider"])
        try:
            oldest = newest = None
            if found["range"] not in (None, "*"):
                first, dots, last = found["range"].partition("..")
                oldest, newest = Minor.parse(first), Minor.parse(last if dots else first)
                if oldest > newest:
                    raise ValueError(f"{oldest} is newer than {newest}")
        except ValueError as error:
            raise UsageError(f"--sdk {text}: {error}; expected such as rust@1.39, go@*, cpp@1.38..1.40:official") from None
        return cls(text, language, oldest, newest, provider)

    def matches(self, sdk: Sdk) -> bool:
        """Returns whether it selects an SDK."""
        return self.matches_id(sdk.id)

    def matches_id(self, sdk: SdkId) -> bool:
        """Returns whether it selects the SDK of this id."""
        return (
            self.language in (None, sdk.language)
            and (self.oldest is None or self.oldest <= sdk.minor)
            and (self.newest is None or sdk.minor <= self.newest)
            and self.provider in (None, sdk.provider)
        )

    def names_one(self) -> bool:
        """Returns whether it names one version of one language, and not a pattern."""
        return self.language is not None and self.oldest is not None and self.oldest == self.newest

    def names_official(self) -> bool:
        """Returns whether it asks for the official SDK by name."""
        return self.provider is Provider.OFFICIAL


def select_sdks(specs: Sequence[str], sdks: tuple[Sdk, ...]) -> tuple[tuple[Sdk, ...], frozenset[str]]:
    """Returns the SDKs that the specs name, and the ids of the official ones that were asked for by name.

    Raises:
        UsageError: a spec is none, or names a version that does not exist.
        EmptySelection: a pattern matches nothing.
    """
    if not specs:
        return sdks, frozenset()
    parsed = [SdkSpec.parse(spec) for spec in specs]
    for spec in parsed:
        if not any(spec.matches(sdk) for sdk in sdks):
            more = "dmconform list sdks shows all"
            if spec.names_one():
                names = [f"{sdk.id}" if ":" in spec.text else f"{sdk.id.language.value}@{sdk.id.minor}" for sdk in sdks]
                same = [name for name in names if name.partition("@")[0] == spec.text.partition("@")[0]]
                raise UsageError(unknown("SDK version", spec.text, dict.fromkeys(same or names), more=more))
            raise EmptySelection(f"--sdk {spec.text}: matches no SDK version; {more}")
    chosen = tuple(sdk for sdk in sdks if any(spec.matches(sdk) for spec in parsed))
    named = frozenset(
        str(sdk.id) for sdk in chosen if sdk.official and any(spec.names_official() and spec.matches(sdk) for spec in parsed)
    )
    return chosen, named


def select_cases(globs: Sequence[str], cases: tuple[Case, ...]) -> tuple[Case, ...]:
    """Returns the cases whose id a glob matches; without a glob all.

    Raises:
        UsageError: a case that is named, without a `*`, `?` or `[`, does not exist.
        EmptySelection: a glob matches none.
    """
    if not globs:
        return cases
    for glob in globs:
        if not any(fnmatch.fnmatchcase(case.id, glob) for case in cases):
            more = "dmconform list cases shows all"
            if not set(glob) & set("*?["):
                raise UsageError(unknown("case", glob, [case.id for case in cases], more=more))
            near = nearest(glob, {f"{case.id.partition('/')[0]}/*" for case in cases})
            hint = f": did you mean {near}?" if near else ""
            raise EmptySelection(f"--case {glob}: matches no case{hint} ({more})")
    return tuple(case for case in cases if any(fnmatch.fnmatchcase(case.id, glob) for glob in globs))
