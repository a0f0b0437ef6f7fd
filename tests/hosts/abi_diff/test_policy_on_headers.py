"""The rules of the compatibility policy on Envoy's own headers: as they are, and with one thing changed in them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from dmconform.abi.policy_rule import PolicyRule
from dmconform.abi_diff.changes import Diff, RuleStatus
from dmconform.cli.main import main
from dmconform.core import paths
from dmconform.core.errors import ExitCode
from dmconform.core.progress import say
from dmconform.matrix.prepare import lazy_engine
from dmconform.sdks.builder import Builder
from dmconform.sdks.sources import DEFAULT_SOURCE, SourceRepository

from tests.official_headers import header_in_clone, header_in_go_module

pytestmark = pytest.mark.host

FROZEN, ADDITION = PolicyRule.FROZEN, PolicyRule.ADDITION
HOOKS, ENUMS, DEPRECATION = PolicyRule.OPTIONAL_HOOKS, PolicyRule.ENUM_DIRECTION, PolicyRule.DEPRECATION

_C = "envoy_dynamic_module_callback_"
_H = "envoy_dynamic_module_on_"
_T = "envoy_dynamic_module_type_"
_ENUM_OF_HOOKS = f"{_T}access_log_type"  # the host passes it to a logger's hook
_LOGGER_HOOK = f"void {_H}access_logger_destroy("
_IS_MTLS = f"bool {_C}access_logger_is_mtls(\n    {_T}access_logger_envoy_ptr logger_envoy_ptr);\n"
_NEW_HOOK = f"void {_H}access_logger_reopened({_T}access_logger_module_ptr logger_module_ptr);\n"


@pytest.fixture(scope="module")
def headers() -> Iterator[Callable[[str], Path]]:
    """The header of a minor: out of the official SDK's Go modules, or out of the clone that the environment names."""
    cache = paths.cache_folder()
    with lazy_engine(cache) as engine:
        repository = SourceRepository(DEFAULT_SOURCE, cache, say)
        builder = Builder(cache, paths.ABI, paths.TOOLCHAIN, repository, engine.toolchain, say)
        yield lambda minor: header_in_clone(minor, cache) if minor == "1.39" else header_in_go_module(minor, builder)


def swapped(old: str, new: str) -> Callable[[str], str]:
    """Replaces a text that the header has exactly once."""

    def edit(text: str) -> str:
        assert text.count(old) == 1, f"expected once in the header: {old}"
        return text.replace(old, new)

    return edit


def before(old: str, new: str) -> Callable[[str], str]:
    """Puts a text before another one."""
    return swapped(old, new + old)


def appended(name: str) -> Callable[[str], str]:
    """Gives an enum one enumerator more."""

    def edit(text: str) -> str:
        changed, times = re.subn(rf",?\n}} {name};", f",\n  {name}_Dmconform = 99\n}} {name};", text)
        assert times == 1, f"expected once in the header: {name}"
        return changed

    return edit


# The real mark names no release; with one, the test does not depend on the newest release that this suite knows.
later = swapped("_ConnectionMtls instead.", "_ConnectionMtls instead. Earliest removal: v9.99.")


@dataclass(frozen=True)
class Edit:
    """One change of the header, the rules that it breaks, those that it leaves open, and what is named as the reason.

    `before` changes the older header.
    """

    name: str
    change: Callable[[str], str]
    before: Callable[[str], str] = lambda text: text
    broken: frozenset[PolicyRule] = frozenset()
    unknown: frozenset[PolicyRule] = frozenset()
    by: str = ""


EDITS = (
    Edit("nothing", lambda text: text),
    Edit("a comment", before(_LOGGER_HOOK, "/* The logger goes. */\n")),
    Edit(
        "a hook that its comment calls mandatory",
        before("/**\n * envoy_dynamic_module_on_access_logger_destroy", f"/**\n * This hook is mandatory.\n */\n{_NEW_HOOK}\n"),
        broken=frozenset({HOOKS}),
        by=f"{_H}access_logger_reopened",
    ),
    Edit(
        "a hook that became mandatory",
        swapped(
            "This is optional. If not implemented by the module, Envoy will skip calling it.\n *\n * @param logger_module_ptr",
            "This is mandatory.\n *\n * @param logger_module_ptr",
        ),
        broken=frozenset({HOOKS}),
        by=f"{_H}access_logger_flush",
    ),
    Edit(
        "an optional hook",
        before("/**\n * envoy_dynamic_module_on_access_logger_destroy", f"/**\n * This hook is optional.\n */\n{_NEW_HOOK}\n"),
    ),
    Edit(
        "a hook that its comment says nothing of",
        before("/**\n * envoy_dynamic_module_on_access_logger_destroy", f"{_NEW_HOOK}\n"),
        unknown=frozenset({HOOKS}),
    ),
    Edit(
        "an enumerator that the host passes",
        appended(_ENUM_OF_HOOKS),
        broken=frozenset({ENUMS}),
        by=_ENUM_OF_HOOKS,
    ),
    Edit(
        "an enumerator that modules pass",
        appended(f"{_T}log_level"),
    ),
    Edit(
        "a struct with a field more",
        swapped(f"}} {_T}module_buffer;", f"  size_t capacity;\n}} {_T}module_buffer;"),
        broken=frozenset({FROZEN}),
        by=f"{_T}module_buffer",
    ),
    Edit(
        "a parameter more",
        swapped(_IS_MTLS, _IS_MTLS.replace(");", ", bool upstream);")),
        broken=frozenset({FROZEN}),
        by=f"{_C}access_logger_is_mtls",
    ),
    Edit(
        "a function that is gone too early",
        swapped(_IS_MTLS, ""),
        later,
        broken=frozenset({DEPRECATION}),
        by=f"{_C}access_logger_is_mtls",
    ),
    Edit(
        "a second version beside the first",
        before(_IS_MTLS, _IS_MTLS.replace("is_mtls", "is_mtls_v2")),
    ),
    Edit(
        "a second version in the place of the first",
        swapped(_IS_MTLS, _IS_MTLS.replace("is_mtls", "is_mtls_v2")),
        later,
        frozenset({DEPRECATION, ADDITION}),
        by=f"{_C}access_logger_is_mtls",
    ),
)


def compared(old: Path, new: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Diff]:
    """The exit code and the result of `dmconform abi diff`."""
    capsys.readouterr()
    code = main(["abi", "diff", str(old), str(new), "--format", "json", *words])
    return code, msgspec.json.decode(capsys.readouterr().out, type=Diff)


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_each_rule_is_broken_by_an_edit_of_the_real_header(
    edit: Edit, headers: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = headers("1.38").read_text(encoding="utf-8")
    old, new = tmp_path / "old.h", tmp_path / "abi.h"
    old.write_text(edit.before(text), encoding="utf-8")
    new.write_text(edit.change(text), encoding="utf-8")

    code, found = compared(old, new, capsys)

    status = {one.rule: one for one in found.policy}
    assert found.binds, "expected a header without a release to be taken for a coming one"
    assert {rule for rule, one in status.items() if one.status is RuleStatus.BROKEN} == edit.broken
    assert {rule for rule, one in status.items() if one.status is RuleStatus.UNKNOWN} == edit.unknown
    assert {broken.subject for one in found.policy for broken in one.broken_by} == ({edit.by} if edit.by else set())
    assert code == (ExitCode.FAIL if edit.broken else ExitCode.OK)
    allowed = [word for rule in edit.broken for word in ("--allow", rule.value)]
    assert compared(old, new, capsys, *allowed)[0] == ExitCode.OK


@pytest.mark.parametrize(
    ("old", "new", "broken", "unknown"),
    [
        ("1.37", "1.38", {FROZEN}, {HOOKS}),
        ("1.38", "1.39", {FROZEN, DEPRECATION}, {HOOKS}),
    ],
)
def test_the_real_headers_against_each_other(
    old: str,
    new: str,
    broken: set[PolicyRule],
    unknown: set[PolicyRule],
    headers: Callable[[str], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without a binary nothing is measured of hooks: what the headers leave open stays open."""
    _, found = compared(headers(old), headers(new), capsys)
    status = {one.rule: one.status for one in found.policy}
    assert {rule for rule, one in status.items() if one is RuleStatus.BROKEN} == broken
    assert {rule for rule, one in status.items() if one is RuleStatus.UNKNOWN} == unknown


def test_an_annotation_is_beside_the_line_of_the_header(
    headers: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new, summary = headers("1.38"), tmp_path / "abi.h", tmp_path / "summary.md"
    text = old.read_text(encoding="utf-8")
    new.write_text(swapped(_IS_MTLS, _IS_MTLS.replace(");", ", bool upstream);"))(text), encoding="utf-8")
    line = text[: text.index(_IS_MTLS)].count("\n") + 1
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    capsys.readouterr()

    assert main(["abi", "diff", str(old), str(new), "--format", "github"]) == ExitCode.FAIL

    printed = capsys.readouterr().out
    title = "parameter added at the end (breaks frozen)"
    assert f"::error file={new},line={line},title={title}::{_C}access_logger_is_mtls" in printed
    assert "✗ broken by" in summary.read_text(encoding="utf-8")


def test_the_marks_of_the_real_header_are_data(headers: Callable[[str], Path], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert main(["abi", "extract", str(headers("1.38"))]) == ExitCode.OK
    functions = json.loads(capsys.readouterr().out)["functions"]
    assert sum("deprecated" in one for one in functions) == 22
    assert sum(one.get("documented") == "optional" for one in functions) == 5
