"""An SDK that no release has yet: `ADDRESS#COMMIT` names the commit whose SDK takes the place of the recorded one.

A branch or a tag in its place is that of the moment.
"""

from __future__ import annotations

import functools
import re
from dataclasses import replace
from pathlib import Path

import msgspec

from dmconform.core.errors import UsageError
from dmconform.core.progress import say
from dmconform.sdks.catalogue import Sdk
from dmconform.sdks.sources import commit_of, redact

_COMMIT = re.compile(r"[0-9a-f]{40}")
_NOT_A_TAG = "named commit"
"""Takes the place of the tag in messages and reports; no repository has one of that name."""


def split_commit(repository: str) -> tuple[str, str | None]:
    """Returns the address of a repository with the official SDKs, and the commit that is named behind it, if there is one.

    A branch, a tag or the beginning of a commit is looked up there, once.

    Raises:
        UsageError: nothing or several have that name there.
        HarnessError: the repository does not answer.
    """
    address, mark, reference = repository.rpartition("#")
    if not mark or ("://" not in address and Path(repository).expanduser().exists()):
        return repository, None
    if _COMMIT.fullmatch(reference.lower()):
        return address, reference.lower()
    return address, _looked_up(address, reference)


@functools.cache
def _looked_up(address: str, reference: str) -> str:
    try:
        commit = commit_of(address, reference)
    except UsageError as error:
        raise UsageError(f"--sdk-source {redact(address)}#{reference}: {error}") from None
    say(f"SDK source {redact(address)}: {reference} is commit {commit}")
    return commit


def at_commit(sdks: tuple[Sdk, ...], commit: str) -> tuple[Sdk, ...]:
    """Returns the SDKs, the official ones as they are at a commit.

    Raises:
        UsageError: the official SDKs of several minors are among them, none is, or one does not come from a repository.
    """
    official = [sdk for sdk in sdks if sdk.official]
    minors = sorted({sdk.id.minor for sdk in official})
    if len(minors) != 1:
        seen = ", ".join(map(str, minors)) or "none"
        raise UsageError(
            f"--sdk-source …#{commit}: a commit has the SDKs of one minor, and the official SDK's of {seen} are selected; "
            "select one, such as --sdk rust@1.39:official"
        )
    proxied = next((sdk for sdk in official if sdk.official and sdk.official.go_module), None)
    if proxied is not None:
        raise UsageError(
            f"--sdk-source …#{commit}: {proxied.id} comes from the Go module proxy and not from a repository; select others"
        )
    return tuple(_at(sdk, commit) for sdk in sdks)


def _at(sdk: Sdk, commit: str) -> Sdk:
    if sdk.official is None:
        return sdk
    return replace(sdk, official=msgspec.structs.replace(sdk.official, commit=commit, tag=_NOT_A_TAG))
