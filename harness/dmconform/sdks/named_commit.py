"""An SDK that no release has yet: `ADDRESS#COMMIT` names the commit whose SDK takes the place of the recorded one."""

from __future__ import annotations

import re
from dataclasses import replace

import msgspec

from dmconform.core.errors import UsageError
from dmconform.sdks.catalogue import Sdk
from dmconform.sdks.sources import redact

_COMMIT = re.compile(r"[0-9a-f]{40}")
_NOT_A_TAG = "named commit"
"""Takes the place of the tag in messages and reports; no repository has one of that name."""


def split_commit(repository: str) -> tuple[str, str | None]:
    """Returns the address of a repository with the official SDKs, and the commit that is named behind it, if there is one.

    Raises:
        UsageError: the text behind the address of a server is not a commit.
    """
    address, mark, commit = repository.rpartition("#")
    if mark and _COMMIT.fullmatch(commit):
        return address, commit
    if mark and "://" in address:
        raise UsageError(
            f"--sdk-source {redact(repository)}: expected #COMMIT with 40 hexadecimal digits: branches and tags move"
        )
    return repository, None


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
