"""What the linters of probes and reference SDKs are run over."""

from __future__ import annotations

import pytest
from dmconform.core import paths
from dmconform.core.values import Language, Provider
from dmconform.sdks.catalogue import load_sdks
from dmconform.sdks.lint import main, to_lint

SDKS = load_sdks(paths.SDKS)


def test_every_language_is_linted_unless_some_are_named() -> None:
    assert {sdk.id.language for sdk in to_lint(SDKS)} == set(Language)
    assert {sdk.id.language for sdk in to_lint(SDKS, [Language.RUST])} == {Language.RUST}


def test_only_reference_sdks_are_linted() -> None:
    assert {sdk.id.provider for sdk in to_lint(SDKS)} == {Provider.REFERENCE}


def test_the_slow_linter_sees_the_oldest_and_the_newest_version_only() -> None:
    minors = sorted(sdk.id.minor for sdk in SDKS if sdk.id.language is Language.CPP and sdk.id.provider is Provider.REFERENCE)
    assert [sdk.id.minor for sdk in to_lint(SDKS, [Language.CPP])] == [minors[0], minors[-1]]


def test_an_unknown_language_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["rust", "zig"])
    assert ended.value.code == 2
    assert "expected languages of cpp, go, rust, found zig" in capsys.readouterr().err
