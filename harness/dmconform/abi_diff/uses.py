"""Which callbacks and hooks the modules of each SDK version use: `conformance/abi/sdk_use.json`.

What its keys mean, and how they are measured, is described in `conformance/abi/README.md`.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from dmconform.abi_diff.changes import Extent, UsingSdk
from dmconform.binaries.facts import Binding
from dmconform.core.datafile import load_json
from dmconform.core.paths import ABI
from dmconform.core.values import Provider
from dmconform.core.versions import Minor

SDK_USE_FILE = ABI / "sdk_use.json"


class SdkUse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The functions that modules of one SDK version use. Names are sorted."""

    language: str
    minor: str
    provider: Provider
    release: str  # whose SDK it is; of the reference the minor
    binding: Binding  # how the modules bind
    hooks: tuple[str, ...]  # that the SDK defines in a module
    every: tuple[str, ...]  # callbacks that every module with the SDK in it leaves undefined
    some: tuple[str, ...]  # further callbacks that the SDK's sources call: modules that use them leave them undefined

    @property
    def sdk(self) -> str:
        """The id of the SDK version, such as `rust@1.39:official`."""
        return f"{self.language}@{self.minor}:{self.provider.value}"


class SdkUses(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All SDK versions, sorted by language, provider and minor."""

    sdks: tuple[SdkUse, ...]

    def of_minor(self, minor: str) -> tuple[SdkUse, ...]:
        """Returns the SDK versions of a minor.

        Where a language's official SDK has none measured, its newest one before is used.
        """
        wanted = _minor(minor)
        if wanted is None:
            return ()
        found: dict[tuple[str, Provider], SdkUse] = {}
        for one in self.sdks:
            own = Minor.parse(one.minor)
            if own == wanted or (own < wanted and one.provider is Provider.OFFICIAL):
                found[one.language, one.provider] = one  # sorted by minor, so the newest stays
        return tuple(found.values())


def load_sdk_uses(path: Path = SDK_USE_FILE) -> SdkUses:
    """Reads the file.

    Raises:
        DataFileError: it cannot be read or is not of its format.
    """
    return load_json(path, SdkUses)


class Users:
    """An index of some SDK versions' modules by the functions they use."""

    def __init__(self, sdks: tuple[SdkUse, ...]) -> None:
        self._sdks = [(one, frozenset(one.hooks), frozenset(one.every), frozenset(one.some)) for one in sdks]

    def of(self, functions: tuple[str, ...]) -> tuple[UsingSdk, ...]:
        """Returns the SDK versions whose modules call or define one of these functions.

        Of a hook, `SOME`: a module may define the hooks of extension points that it is never used at.
        """
        wanted = frozenset(functions)
        found = []
        for sdk, hooks, every, some in self._sdks:
            if wanted & every:
                found.append(UsingSdk(sdk.sdk, Extent.EVERY, sdk.binding))
            elif wanted & (hooks | some):
                found.append(UsingSdk(sdk.sdk, Extent.SOME, sdk.binding))
        return tuple(found)

    def lacking(self, hook: str, siblings: frozenset[str]) -> tuple[UsingSdk, ...]:
        """Returns the SDK versions that define some hook of an extension point (`siblings`), but not this one."""
        return tuple(
            UsingSdk(sdk.sdk, Extent.SOME, sdk.binding)
            for sdk, hooks, _, _ in self._sdks
            if hook not in hooks and hooks & siblings
        )

    def all(self) -> tuple[UsingSdk, ...]:
        """Returns all of them."""
        return tuple(UsingSdk(sdk.sdk, Extent.EVERY, sdk.binding) for sdk, _, _, _ in self._sdks)


def _minor(text: str) -> Minor | None:
    """Returns the minor of `1.39` or `1.39.3`; None for anything else."""
    try:
        return Minor.parse(".".join(text.split(".")[:2]))
    except ValueError:
        return None
