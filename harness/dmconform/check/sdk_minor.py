"""Which minor's SDK a module was built with, as far as its file shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dmconform.abi.types import Abi, FunctionKind
from dmconform.binaries.facts import Known, ModuleFacts
from dmconform.binaries.signs import GO_SDK
from dmconform.check.result import SdkGuess
from dmconform.core.versions import Minor
from dmconform.hosts.catalogue import KnownHost
from dmconform.sdks.catalogue import Sdk

# A module with hooks of so many extension points was made by an SDK that defines all hooks it knows, as Envoy's Rust SDK does.
_POINTS_OF_ALL_HOOKS = 10
_COMMIT = re.compile(r"\b[0-9a-f]{7,40}\b")


@dataclass(frozen=True)
class KnownSdks:
    """The functions and strings that distinguish SDKs."""

    strings: Mapping[str, frozenset[Minor]]  # the minors that have an ABI string
    commits: Mapping[str, Minor]  # the minor of a commit that an SDK was taken from
    abis: Mapping[Minor, Abi]

    @property
    def minors(self) -> tuple[Minor, ...]:
        """All minors that an SDK is known of."""
        return tuple(sorted({*self.abis, *(minor for minors in self.strings.values() for minor in minors)}))

    @classmethod
    def of(cls, hosts: Iterable[KnownHost], sdks: Iterable[Sdk], abis: Iterable[Abi]) -> KnownSdks:
        """Collects what distinguishes SDKs, from the project's data."""
        strings: dict[str, set[Minor]] = {}
        for host in hosts:
            strings.setdefault(host.abi_version, set()).add(host.version.minor)
        commits: dict[str, Minor] = {}
        for sdk in sdks:
            strings.setdefault(sdk.abi_version, set()).add(sdk.id.minor)
            if sdk.official and sdk.official.commit:
                commits[sdk.official.commit] = sdk.id.minor
        return cls(
            {text: frozenset(minors) for text, minors in strings.items()},
            commits,
            {Minor.parse(abi.envoy): abi for abi in abis},
        )


def guess_minor(facts: ModuleFacts, known: KnownSdks, stated: Minor | None = None) -> SdkGuess:  # noqa: PLR0911 - the first sign that decides
    """Returns the minors whose SDK the module can have been built with, and why. `stated` is the minor that the user gives."""
    if stated is not None:
        return SdkGuess((str(stated),), Known.READ, "as given with --sdk-minor")
    if facts.problem is not None or not facts.hooks:
        return SdkGuess((), Known.UNKNOWN, "it has no event hook")
    for word in _COMMIT.findall(facts.sdk):
        of = next((minor for commit, minor in known.commits.items() if commit.startswith(word)), None)
        if of is not None:
            return SdkGuess((str(of),), facts.language_known, f"its SDK is of commit {word}, which is in a release of {of}")
    if facts.abi_version is None:
        candidates = set(known.abis)
        reason = "its ABI string cannot be read"
    else:
        candidates = set(known.strings.get(facts.abi_version, ()))
        reason = f"its ABI string is {facts.abi_version}"
        if not candidates:
            return SdkGuess((), Known.UNKNOWN, f"{reason}, which no known release has")
    sure = facts.abi_version is not None and facts.abi_version_known is Known.READ
    names = {one.name for one in facts.callbacks} | set(facts.hooks)
    all_names = {minor: _names(abi) for minor, abi in known.abis.items()}
    # What no candidate has and another minor does was never in an SDK that returns this string.
    strange = sorted(
        name
        for name in names.difference(*(all_names.get(minor, names) for minor in candidates))
        if any(name in known_names for known_names in all_names.values())
    )
    if strange:
        minors = " or ".join(str(minor) for minor, known_names in sorted(all_names.items()) if strange[0] in known_names)
        return SdkGuess(
            (), Known.UNKNOWN, f"{reason}, but it has {strange[0]}, which is of {minors}: no release's SDK has both"
        )
    # A candidate that lacks a function which another one has is not the module's SDK.
    newer = {
        minor: sorted(name for name in names - all_names[minor] if any(name in all_names[other] for other in candidates))
        for minor in candidates & set(all_names)
    }
    left = {minor for minor in candidates if not newer.get(minor)}
    if left and left != candidates:
        example = next(iter(newer[max(candidates - left)]))
        reason += f", and it has {example}, which {max(candidates - left)} lacks"
        candidates = left
    named = _all_that_its_sdk_knows(facts)
    if len(candidates) > 1 and named is not None:
        kept = _up_to_first_without_news(*named, candidates, known.abis)
        if kept != candidates:
            newer_than = min(candidates - kept)
            what = "hook" if named[0] is FunctionKind.HOOK else "callback"
            reason += f", and it has no {what} that came with {newer_than}, though its SDK names all that it knows"
            candidates, sure = kept, False
    if facts.abi_version is None and candidates == set(known.abis):
        return SdkGuess((), Known.UNKNOWN, f"{reason}, and all minors have what it names")
    return SdkGuess(tuple(map(str, sorted(candidates))), Known.READ if sure else Known.INFERRED, reason)


def _names(abi: Abi) -> frozenset[str]:
    return abi.names(FunctionKind.CALLBACK) | abi.names(FunctionKind.HOOK)


def _all_that_its_sdk_knows(facts: ModuleFacts) -> tuple[FunctionKind, frozenset[str]] | None:
    """Returns the functions of one kind that a module has, if its SDK puts all that it knows of that kind into every module.

    Envoy's Rust SDK defines the hooks of all extension points; Envoy's Go SDK names the callbacks of all that it can do.
    """
    if facts.language == "rust" and len(facts.points) >= _POINTS_OF_ALL_HOOKS:
        return FunctionKind.HOOK, frozenset(facts.hooks)
    if facts.language == "go" and GO_SDK in facts.sdk:
        return FunctionKind.CALLBACK, frozenset(one.name for one in facts.callbacks)
    return None


def _up_to_first_without_news(
    kind: FunctionKind, names: frozenset[str], candidates: set[Minor], abis: Mapping[Minor, Abi]
) -> set[Minor]:
    """Returns the candidates up to the first whose successor brings functions of which the module has none."""
    kept: list[Minor] = []
    for minor in sorted(candidates & set(abis)):
        if kept and not (abis[minor].names(kind) - abis[kept[-1]].names(kind)) & names:
            break
        kept.append(minor)
    return set(kept)
