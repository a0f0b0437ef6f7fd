"""Loads `sdks/LANGUAGE/sdk.toml`. The keys are described in `sdks/README.md`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from dmconform.core.datafile import load_toml
from dmconform.core.errors import DataFileError
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Feature, Language, Provider, SdkId
from dmconform.core.versions import Minor, Release


class OfficialSource(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The place of the Envoy project's own SDK of a release, and its features."""

    release: str
    tag: str
    abi_version: str
    panic_guard: bool
    catch_unwind: bool
    host_environment: dict[str, str] = {}
    lacks: tuple[Feature, ...] = ()
    commit: str | None = None
    go_module: str | None = None
    folders: tuple[str, ...] = ("source/extensions/dynamic_modules",)


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """This project's own SDK for an ABI version, and its features."""

    abi_version: str
    panic_guard: bool
    catch_unwind: bool
    host_environment: dict[str, str] = {}
    lacks: tuple[Feature, ...] = ()


class _Version(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    minor: str
    reference: Reference
    official: OfficialSource | None = None


class _SdkFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    language: Language
    unloads: bool
    version: tuple[_Version, ...]
    points: dict[ExtensionPoint, str]  # the first minor at each
    reference_points: dict[ExtensionPoint, str] = {}  # the same of those where no official SDK could be had
    further_modules: tuple[str, ...] = ()
    unloads_reason: str | None = None


@dataclass(frozen=True)
class Development:
    """A commit that takes the place of a release's: nothing is promised of it."""

    commit: str
    version: str  # what its VERSION.txt says; empty where it has none, or the source is not available

    @property
    def label(self) -> str:
        """Its name: the version and the beginning of the commit."""
        return development_label(self.version, self.commit)


def development_label(version: str, commit: str) -> str:
    """Returns the name of a commit that is no release: `1.40.0-dev (4c2aebeb92)`."""
    return f"{version or 'unreleased'} ({commit[:SHOWN_DIGITS]})"


SHOWN_DIGITS = 10
"""Of a commit, where people read it."""

MODULES = ("probe", "no_program_init", "null_program_init")
"""What the build of every language leaves."""

REPRODUCERS = "reproducers"
"""A folder of an SDK's with modules in C that show one thing each: FILE.c is the module FILE of the reference SDK."""


@dataclass(frozen=True)
class Sdk:
    """One SDK version of one provider."""

    id: SdkId
    folder: Path
    abi_version: str
    panic_guard: bool
    catch_unwind: bool
    unloads: bool
    unloads_reason: str | None
    host_environment: dict[str, str]
    lacks: tuple[Feature, ...]
    points: dict[ExtensionPoint, Minor]  # at which SDKs of its language and provider can be used, with the first minor
    modules: tuple[str, ...]  # what its build leaves
    official: OfficialSource | None  # None for the reference
    development: Development | None = None  # of an official SDK whose commit is not the recorded release's

    @property
    def release(self) -> str:
        """The release whose SDK this is, or what a commit's VERSION.txt says; the reference belongs to a minor."""
        if self.development is not None:
            return self.development.version or "unreleased"
        return self.official.release if self.official else str(self.id.minor)

    @property
    def commit(self) -> str:
        """The commit of an official SDK; empty for the reference, and where only the tag is recorded."""
        return (self.official.commit or "") if self.official else ""


def reproducers_of(folder: Path) -> dict[str, Path]:
    """Returns the sources of the modules in C that show one thing each, by the module's name; `folder` is an SDK's."""
    return {file.stem: file for file in sorted((folder / REPRODUCERS).glob("*.c"))}


def _points(path: Path, data: _SdkFile) -> dict[Provider, dict[ExtensionPoint, Minor]]:
    try:
        official = {point: Minor.parse(minor) for point, minor in data.points.items()}
        reference = {point: Minor.parse(minor) for point, minor in data.reference_points.items()}
    except ValueError as error:
        raise DataFileError(path, f"[points]: {error}") from None
    twice = official.keys() & reference.keys()
    if twice:
        raise DataFileError(path, f"[reference_points]: {', '.join(sorted(one.value for one in twice))} is in [points] too")
    return {Provider.OFFICIAL: official, Provider.REFERENCE: official | reference}


def _load(path: Path) -> list[Sdk]:
    data = load_toml(path, _SdkFile)
    if data.language.value != path.parent.name:
        raise DataFileError(path, f'language = "{data.language.value}", expected "{path.parent.name}" as the folder is called')
    if not data.unloads and not data.unloads_reason:
        raise DataFileError(path, "unloads = false needs an unloads_reason")
    sdks: list[Sdk] = []
    seen: set[Minor] = set()
    reproducers = tuple(reproducers_of(path.parent))
    points = _points(path, data)
    for version in data.version:
        try:
            minor = Minor.parse(version.minor)
            if version.official and Release.parse(version.official.release).minor != minor:
                raise ValueError(f"SDK release {version.official.release} is not of minor {minor}")
        except ValueError as error:
            raise DataFileError(path, f"[[version]]: {error}") from None
        if minor in seen:
            raise DataFileError(path, f"[[version]]: duplicate minor {minor}")
        seen.add(minor)
        for provider, source in ((Provider.OFFICIAL, version.official), (Provider.REFERENCE, version.reference)):
            if source is None:
                continue
            sdks.append(
                Sdk(
                    id=SdkId.of(data.language, minor, provider),
                    folder=path.parent,
                    abi_version=source.abi_version,
                    panic_guard=source.panic_guard,
                    catch_unwind=source.catch_unwind,
                    unloads=data.unloads,
                    unloads_reason=data.unloads_reason,
                    host_environment=source.host_environment,
                    lacks=source.lacks,
                    points=points[provider],
                    modules=(*MODULES, *data.further_modules, *(reproducers if provider is Provider.REFERENCE else ())),
                    official=source if isinstance(source, OfficialSource) else None,
                )
            )
    return sdks


def load_sdks(folder: Path) -> tuple[Sdk, ...]:
    """Returns all SDK versions below `folder`, sorted by language, minor and provider.

    Raises:
        DataFileError: a file has an unknown key, an unknown language, or a version that is none.
    """
    files = sorted(folder.glob("*/sdk.toml"))
    if not files:
        raise DataFileError(folder, "there is no LANGUAGE/sdk.toml below it")
    return tuple(sorted((sdk for path in files for sdk in _load(path)), key=lambda sdk: sdk.id))
