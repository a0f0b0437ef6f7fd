"""How a module is to be used in a check: from options, or from a small TOML file with one table per extension point.

sdk_minor = "1.39"                       # optional: which SDK the module was built with

[environment]                            # optional: of every host
LD_PRELOAD = "/usr/lib/libpython3.12.so"

[[use]]
extension_point = "http_filter"
name = "my_filter"
config = "any text"                      # or { "@type" = "type.googleapis.com/…", … }
environment = { MY_VARIABLE = "1" }      # optional: added for this one
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec

from dmconform.check.result import PointBasis
from dmconform.core.datafile import load_toml, read_bounded
from dmconform.core.errors import DataFileError, UsageError
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.nearest import unknown
from dmconform.core.versions import Minor
from dmconform.envoy.extension_points.shapes import why_unreachable

Config = str | dict[str, Any]
"""A configuration: text (reaches the module as a `StringValue`), or a message with its `@type`."""


@dataclass(frozen=True)
class WantedUse:
    """One use of the module: at which point, under which name, with which configuration; None is what was not given."""

    point: ExtensionPoint
    name: str | None = None
    config: Config | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    basis: PointBasis = PointBasis.GIVEN


@dataclass(frozen=True)
class Settings:
    """The user's settings for the module. `uses` is empty where no extension point was named; None is what was not given."""

    uses: tuple[WantedUse, ...] = ()
    name: str | None = None
    config: Config | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    sdk_minor: Minor | None = None
    all_points: bool = False


class _Use(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    extension_point: str
    name: str | None = None
    config: str | dict[str, Any] | None = None
    environment: dict[str, str] = {}


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    use: tuple[_Use, ...] = ()
    environment: dict[str, str] = {}
    sdk_minor: str | None = None


def load_settings(path: Path) -> Settings:
    """Reads a settings file.

    Raises:
        DataFileError: it is not of its format; the message names the key.
    """
    data = load_toml(path, _File)
    uses: list[WantedUse] = []
    try:
        _check_environment("environment", data.environment)
        for number, use in enumerate(data.use, start=1):
            place = f"[[use]] number {number}"
            point = _point(f"{place}: extension_point", use.extension_point)
            if any(point is other.point for other in uses):
                raise UsageError(f"{place}: duplicate extension_point {point.value}; expected one table per extension point")
            if isinstance(use.config, dict) and not isinstance(use.config.get("@type"), str):
                raise UsageError(f'{place}: config: a table is a message and needs "@type"; expected that, or text')
            _check_environment(f"{place}: environment", use.environment)
            uses.append(WantedUse(point, use.name, use.config, use.environment))
        minor = _minor("sdk_minor", data.sdk_minor)
    except UsageError as error:
        raise DataFileError(path, str(error)) from None
    return Settings(uses=tuple(uses), environment=data.environment, sdk_minor=minor)


def from_options(
    *,
    file: Path | None = None,
    extension_point: str | None = None,
    name: str | None = None,
    config: str | None = None,
    environment: Sequence[str] = (),
    sdk_minor: str | None = None,
    all_points: bool = False,
) -> Settings:
    """Returns the settings of a command line. Environment and SDK minor of the options win over those of the file.

    Args:
        file: the file of `--settings`.
        extension_point: the word of `--extension-point`.
        name: the word of `--filter-name`.
        config: the word of `--filter-config`: text, JSON, or `@FILE`.
        environment: the words of `--env`, each `NAME=VALUE`.
        sdk_minor: the word of `--sdk-minor`, such as `1.39`.
        all_points: whether `--all-points` is there.

    Raises:
        UsageError: an option makes no sense, or says what the file says too.
    """
    settings = load_settings(file) if file else Settings()
    variables = {**settings.environment, **_variables(environment)}
    minor = _minor("--sdk-minor", sdk_minor) or settings.sdk_minor
    point_options = {"--extension-point": extension_point, "--filter-name": name, "--filter-config": config}
    given = [option for option, value in point_options.items() if value is not None]
    if settings.uses and given:
        raise UsageError(f"{given[0]}: the file of --settings says it already, in [[use]]; expected one or the other")
    if all_points and (settings.uses or extension_point):
        raise UsageError("--all-points: extension points are given already; expected one or the other")
    if settings.uses:
        return Settings(uses=settings.uses, environment=variables, sdk_minor=minor)
    message = None if config is None else read_config(config)
    uses = (WantedUse(_point("--extension-point", extension_point), name, message),) if extension_point else ()
    return Settings(uses, name, message, variables, minor, all_points)


MOST_CONFIG_BYTES: Final = 4 << 20


def read_config(text: str) -> Config:
    """Reads the configuration that `--filter-config` means: `@FILE` is the text of a file; JSON with `@type` is a message.

    Raises:
        UsageError: the file cannot be read.
    """
    if text.startswith("@"):
        path = Path(text[1:])
        try:
            text = read_bounded(path, MOST_CONFIG_BYTES).decode()
        except (DataFileError, UnicodeDecodeError) as error:
            why = str(error).removeprefix(f"{path}: ") if isinstance(error, DataFileError) else "it is not UTF-8 text"
            raise UsageError(f"--filter-config @{path}: expected a file with text: {why}") from None
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return parsed if isinstance(parsed, dict) and isinstance(parsed.get("@type"), str) else text


def _point(key: str, text: str | None) -> ExtensionPoint:
    try:
        point = ExtensionPoint(text)
    except ValueError:
        known = [point.value for point in ExtensionPoint]
        raise UsageError(f"{key}: {unknown('extension point', str(text), known)}") from None
    why_not = why_unreachable(point)
    if why_not:
        raise UsageError(f"{key} {point.value}: cannot be checked: {why_not}")
    return point


def _minor(key: str, text: str | None) -> Minor | None:
    try:
        return None if text is None else Minor.parse(text)
    except ValueError as error:
        raise UsageError(f"{key}: {error}") from None


def _variables(words: Sequence[str]) -> dict[str, str]:
    variables: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"--env {word}: expected NAME=VALUE")
        variables[name] = value
    _check_environment("--env", variables)
    return variables


def _check_environment(key: str, variables: Mapping[str, str]) -> None:
    for name, value in variables.items():
        if not name or "=" in name or "\0" in name or "\0" in value:
            raise UsageError(f"{key} {name!r}: no name of an environment variable, or a null byte in its value")
