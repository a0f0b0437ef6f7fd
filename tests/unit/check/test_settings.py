"""How a module is to be used: options, the settings file, and what is taken where nothing says it."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.check.settings import Settings, WantedUse, from_options, load_settings, read_config
from dmconform.core.errors import DataFileError, UsageError
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.versions import Minor

FILE = """
sdk_minor = "1.39"
[environment]
A = "1"
[[use]]
extension_point = "http_filter"
name = "first"
config = "text"
[[use]]
extension_point = "access_logger"
config = { "@type" = "type.googleapis.com/google.protobuf.Struct", value = { a = 1 } }
environment = { B = "2" }
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    return path


def test_a_file_has_a_table_per_extension_point(tmp_path: Path) -> None:
    struct = {"@type": "type.googleapis.com/google.protobuf.Struct", "value": {"a": 1}}
    assert load_settings(written(tmp_path, FILE)) == Settings(
        uses=(
            WantedUse(ExtensionPoint.HTTP_FILTER, "first", "text"),
            WantedUse(ExtensionPoint.ACCESS_LOGGER, None, struct, {"B": "2"}),
        ),
        environment={"A": "1"},
        sdk_minor=Minor(1, 39),
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("surprise = 1", "surprise"),
        ("[[use]]\nname = 'x'", "extension_point"),
        ("[[use]]\nextension_point = 'http'", "extension_point: unknown extension point http: expected one of"),
        ("[[use]]\nextension_point = 'http_filter'\nnam = 'x'", "nam"),
        ("[[use]]\nextension_point = 'http_filter'\nconfig = { a = 1 }", "config"),
        ("[[use]]\nextension_point = 'http_filter'\nconfig = 1", "config"),
        ("[[use]]\nextension_point = 'http_filter'\nenvironment = { A = 1 }", "environment"),
        ("[[use]]\nextension_point = 'http_filter'\nenvironment = { 'A=B' = '1' }", "number 1: environment 'A=B'"),
        (
            "[[use]]\nextension_point = 'matcher'\n[[use]]\nextension_point = 'matcher'",
            "number 2: duplicate extension_point matcher",
        ),
        ("[environment]\nA = 1", "environment"),
        ("sdk_minor = '1.39.3'", "sdk_minor"),
        ("[[use]]\nextension_point = 'dns_resolver'", "dns_resolver"),
        ("not toml", "settings.toml"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(DataFileError, match="settings") as error:
        load_settings(written(tmp_path, text))
    assert named in str(error.value)


def test_options_win_over_the_file_where_both_may_speak(tmp_path: Path) -> None:
    settings = from_options(file=written(tmp_path, FILE), environment=["A=x=y", "C="], sdk_minor="1.38")
    assert (settings.environment, settings.sdk_minor) == ({"A": "x=y", "C": ""}, Minor(1, 38))
    assert len(settings.uses) == 2


def test_a_file_without_uses_leaves_the_point_to_options(tmp_path: Path) -> None:
    settings = from_options(file=written(tmp_path, "sdk_minor = '1.39'"), extension_point="matcher", name="n", config="c")
    assert settings.uses == (WantedUse(ExtensionPoint.MATCHER, "n", "c"),)


@pytest.mark.parametrize("option", [{"extension_point": "matcher"}, {"name": "x"}, {"config": "x"}])
def test_a_use_is_reported_in_one_place(tmp_path: Path, option: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="--settings"):
        from_options(file=written(tmp_path, FILE), **option)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"extension_point": "http"}, "--extension-point: unknown extension point http: expected one of"),
        ({"environment": ["A"]}, "--env A"),
        ({"environment": ["=x"]}, "--env ''"),
        ({"sdk_minor": "1"}, "--sdk-minor"),
        ({"all_points": True, "extension_point": "matcher"}, "--all-points"),
        ({"config": "@/nowhere/at/all"}, "--filter-config @/nowhere/at/all"),
    ],
)
def test_a_mistake_in_an_option_is_named(options: dict[str, str], named: str) -> None:
    with pytest.raises(UsageError) as error:
        from_options(**options)  # type: ignore[arg-type]
    assert named in str(error.value)


def test_a_configuration(tmp_path: Path) -> None:
    message = '{"@type": "type.googleapis.com/google.protobuf.Struct", "value": {}}'
    file = tmp_path / "config"
    file.write_text(message)
    assert read_config("plain") == "plain"
    assert read_config('{"a": 1}') == '{"a": 1}', "JSON without a type is text: many modules take JSON as text"
    assert read_config(message) == {"@type": "type.googleapis.com/google.protobuf.Struct", "value": {}}
    assert read_config(f"@{file}") == read_config(message)
    with pytest.raises(UsageError, match="--filter-config @/dev/zero: expected a file with text: expected a file, this is"):
        read_config("@/dev/zero")
    assert read_config("[" * 100_000) == "[" * 100_000
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="UTF-8"):
        read_config(f"@{file}")
