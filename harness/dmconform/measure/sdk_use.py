"""Measures what `conformance/abi/sdk_use.json` says, from built modules and from the sources of the SDKs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from dmconform.abi.loading import load_abi
from dmconform.abi.types import FunctionKind
from dmconform.abi_diff.uses import SDK_USE_FILE, SdkUse, SdkUses, load_sdk_uses
from dmconform.binaries.facts import ModuleFacts
from dmconform.binaries.read import read_modules
from dmconform.core.errors import HarnessError
from dmconform.core.extension_point import HOOK_PREFIX
from dmconform.core.paths import ABI
from dmconform.core.values import Language
from dmconform.sdks.builder import Built
from dmconform.sdks.catalogue import MODULES, Sdk
from dmconform.sdks.sources import SourceRepository, Unreachable

_CALLBACK = re.compile(r"\benvoy_dynamic_module_callback_\w+")
_PROGRAM_INIT = f"{HOOK_PREFIX}program_init"
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_SUFFIXES = {
    Language.CPP: (".cc", ".cpp", ".h"),
    Language.GO: (".go",),
    Language.RUST: (".rs",),
}
_NO_PART_OF_IT = re.compile(r"_test\b|test_|_tests?\.|mock|fake")
_SDK_FOLDER = Path("source/extensions/dynamic_modules/sdk")


@dataclass(frozen=True)
class Measured:
    """The measured use of one SDK version. `sources_problem`: why its sources could not be read."""

    use: SdkUse
    sources_problem: str = ""


def measure(build: Built, repository: SourceRepository) -> Measured:
    """Measures one SDK version.

    A module that has the SDK in it defines hooks besides the one that initialises it: what all of those leave undefined is what
    no module of this SDK can do without.

    Raises:
        HarnessError: a module cannot be read.
    """
    usual = [one for one in build.stored.modules if one.name in MODULES]  # the others are wrong on purpose
    facts = {one.name: read for one, read in zip(usual, read_modules([Path(one.path) for one in usual]), strict=True)}
    for name, read in facts.items():
        if read.problem:
            raise HarnessError(f"{build.sdk.id}: module {name} cannot be read: {read.problem}")
    probe = facts["probe"]
    with_sdk = [_callbacks(read) for read in facts.values() if set(read.hooks) - {_PROGRAM_INIT}]
    every = frozenset.intersection(*with_sdk)
    problem = ""
    try:
        called = callbacks_in(sources_of(build.sdk, repository), build.sdk.id.language)
    except Unreachable as error:
        called, problem = frozenset(), str(error)
    if build.sdk.official is None:
        # The sources of a reference SDK are for all minors, and leave out what a minor lacks.
        called &= load_abi(ABI, str(build.sdk.id.minor)).names(FunctionKind.CALLBACK)
    some = (called | frozenset.union(*with_sdk)) - every
    return Measured(
        SdkUse(
            language=build.sdk.id.language.value,
            minor=str(build.sdk.id.minor),
            provider=build.sdk.id.provider,
            release=build.sdk.release,
            binding=probe.binding,
            hooks=tuple(sorted(probe.hooks)),
            every=tuple(sorted(every)),
            some=tuple(sorted(some)),
        ),
        problem,
    )


def _callbacks(facts: ModuleFacts) -> frozenset[str]:
    return frozenset(one.name for one in facts.callbacks)


def sources_of(sdk: Sdk, repository: SourceRepository) -> Path:
    """Returns the folder with the sources of an SDK version.

    Raises:
        Unreachable: the official SDK's is not available.
        HarnessError: see `SourceRepository.tree`.
    """
    if sdk.official is None:
        return sdk.folder / "reference"
    return repository.tree(sdk.official) / _SDK_FOLDER / sdk.id.language.value


def callbacks_in(folder: Path, language: Language) -> frozenset[str]:
    """Returns the callbacks that the sources below a folder name outside of comments.

    Tests and mocks do not belong to an SDK.
    """
    return frozenset(name for path in _files(folder, language) for name in _names_in(path))


def _files(folder: Path, language: Language) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.suffix in _SUFFIXES[language] and path.is_file() and not _NO_PART_OF_IT.search(str(inside)):
            # Rust's SDK may bring the ABI's own header, which declares everything and calls nothing.
            yield path


def _names_in(path: Path) -> list[str]:
    return _CALLBACK.findall(_COMMENT.sub("", path.read_text(encoding="utf-8", errors="replace")))


def merged(recorded: SdkUses, measured: tuple[Measured, ...]) -> SdkUses:
    """Returns the record with the new measurements. Entries that could not be measured now stay as they were.

    Where sources are not available, callbacks that only they show stay as well.
    """
    entries = {one.sdk: one for one in recorded.sdks}
    for one in measured:
        use, before = one.use, entries.get(one.use.sdk)
        if one.sources_problem and before is not None and before.release == use.release:
            some = (set(use.some) | set(before.some)) - set(use.every)
            use = msgspec.structs.replace(use, some=tuple(sorted(some)))
        entries[use.sdk] = use
    return SdkUses(tuple(sorted(entries.values(), key=_order)))


def _order(use: SdkUse) -> tuple[str, str, tuple[int, ...]]:
    return (use.language, use.provider.value, tuple(map(int, use.minor.split("."))))


def recorded(path: Path = SDK_USE_FILE) -> SdkUses:
    """Returns the file's record; empty where there is none yet."""
    return load_sdk_uses(path) if path.exists() else SdkUses(())


def uses_json(uses: SdkUses) -> str:
    """Returns the text of the file: one name a line, so that a change shows as the names that it is about."""
    return msgspec.json.format(msgspec.json.encode(uses), indent=1).decode() + "\n"
