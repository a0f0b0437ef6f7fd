"""An SDK that no release has yet: `ADDRESS#COMMIT` names the commit whose SDK takes the place of the recorded one.

A branch or a tag in its place is that of the moment.
"""

from __future__ import annotations

import functools
import hashlib
import re
from dataclasses import replace
from pathlib import Path

import msgspec

from dmconform.core.errors import UsageError
from dmconform.core.progress import say
from dmconform.core.versions import Minor
from dmconform.sdks.catalogue import Development, Sdk
from dmconform.sdks.sources import VERSION_FILE, SourceRepository, Unreachable, commit_of, redact

_COMMIT = re.compile(r"[0-9a-f]{40}")
_MODULES_FOLDER = Path("source/extensions/dynamic_modules")
_HEADERS = ("abi/abi.h", "abi.h")
_ABI_STRING = re.compile(rb'^#define ENVOY_DYNAMIC_MODULES_ABI_VERSION "([!-~]{1,100})"$', re.MULTILINE)
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


def at_commit(sdks: tuple[Sdk, ...], commit: str, repository: SourceRepository, newest: Minor) -> tuple[Sdk, ...]:
    """Returns the SDKs, the official ones as they are at a commit.

    A commit that is the recorded one of a release is that release. Any other is a development commit, with the version and the
    ABI string of its sources.

    Args:
        sdks: the selected ones.
        commit: 40 digits.
        repository: has the commit.
        newest: the newest minor that has an SDK version here; a commit of a later one is built as that.

    Raises:
        UsageError: the official SDKs of several minors are among them, none is, one does not come from a repository, or the
            commit is of another minor.
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
    return tuple(_at(sdk, commit, repository, newest) for sdk in sdks)


def _at(sdk: Sdk, commit: str, repository: SourceRepository, newest: Minor) -> Sdk:
    if sdk.official is None or sdk.official.commit == commit:
        return sdk
    official = msgspec.structs.replace(sdk.official, commit=commit, tag=_NOT_A_TAG)
    try:
        version = repository.version(official)
        abi_version = abi_string_of(repository.tree(official)) or sdk.abi_version
    except Unreachable:  # its cells are not tested, and say why
        return replace(sdk, official=official, development=Development(commit, ""))
    _refuse_another_minor(sdk, commit, version, newest)
    official = msgspec.structs.replace(official, abi_version=abi_version)
    return replace(sdk, official=official, abi_version=abi_version, development=Development(commit, version))


def _refuse_another_minor(sdk: Sdk, commit: str, version: str, newest: Minor) -> None:
    """Refuses a commit of another minor than the SDK's: the probe would be built for another API."""
    if not version:
        return
    expected = min(newest, Minor.parse(".".join(version.split(".")[:2])))
    if sdk.id.minor != expected:
        raise UsageError(
            f"--sdk-source …#{commit}: its {VERSION_FILE} says {version}, and {sdk.id} is selected; "
            f"select --sdk {sdk.id.language.value}@{expected}:official"
        )


def abi_string_of(tree: Path) -> str | None:
    """Returns the ABI string of the official SDK's sources, read from their header; None where they have none.

    Before 1.37.1 it is the hash of the header.
    """
    header = next((file for name in _HEADERS if (file := tree / _MODULES_FOLDER / name).is_file()), None)
    if header is None:
        return None
    content = header.read_bytes()
    found = _ABI_STRING.search(content)
    return found[1].decode() if found else hashlib.sha256(content).hexdigest()
