"""The rules of the compatibility policy, on made-up ABIs: what breaks each, what keeps it, and what leaves it open."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest
from dmconform.abi.policy_rule import PolicyRule
from dmconform.abi.types import AbiType, Alias, Deprecation, Documented, Function
from dmconform.abi_diff.assemble import diff
from dmconform.abi_diff.changes import Diff, RuleStatus, RuleVerdict
from dmconform.abi_diff.operands import Operand
from dmconform.abi_diff.places import places_in
from dmconform.abi_diff.policy import combined
from dmconform.abi_diff.render import answer_line
from dmconform.abi_diff.requirements import nothing_measured
from dmconform.abi_diff.uses import SdkUses
from dmconform.cli.policy_options import diff_annotations

from tests.unit.abi_samples import abi, alias, callback, enum, hook, struct

Items = tuple[Function | AbiType, ...]
Entity = TypeVar("Entity", Function, Alias)

FROZEN, ADDITION = PolicyRule.FROZEN, PolicyRule.ADDITION
HOOKS, ENUMS, DEPRECATION = PolicyRule.OPTIONAL_HOOKS, PolicyRule.ENUM_DIRECTION, PolicyRule.DEPRECATION

_F, _F_WIDER = callback("http_f", "void", "size_t a"), callback("http_f", "void", "size_t a", "size_t b")
_F_2, _F_3 = callback("http_f_v2", "void", "size_t a", "size_t b"), callback("http_f_v3")
_BUFFER, _WIDER = struct("buffer", "size_t length"), struct("buffer", "size_t length", "size_t kind")
_TAKES_BUFFER = callback("http_g", "void", "$buffer data")
_ON, _ON_OFF = enum("mode", On=1), enum("mode", On=1, Off=2)
_TAKES_MODE, _GIVEN_MODE = callback("http_h", "void", "$mode mode"), hook("http_filter_h", "void", "$mode mode")
_FILTER = hook("http_filter_new")


def _marked(one: Entity, since: str | None = None, earliest_removal: str | None = None) -> Entity:
    return msgspec.structs.replace(one, deprecated=Deprecation((), since, earliest_removal))


def _documented(one: Function, documented: Documented) -> Function:
    return msgspec.structs.replace(one, documented=documented)


def _diff(old: Items, new: Items, host: str = "1.50") -> Diff:
    """From 1.49 to a host; of the host nothing was measured."""
    return diff(
        Operand("Envoy 1.49", abi(*old, envoy="1.49"), "1.49", "1.49.0"),
        Operand("header abi.h", abi(*new), host),
        SdkUses(()),
        nothing_measured,
    )


def _verdicts(found: Diff) -> dict[PolicyRule, RuleVerdict]:
    return {one.rule: one for one in found.policy}


@dataclass(frozen=True)
class Row:
    """A change, the rules that it breaks, and those that it leaves open; all others hold."""

    name: str
    old: Items
    new: Items
    broken: frozenset[PolicyRule] = frozenset()
    unknown: frozenset[PolicyRule] = frozenset()


ROWS = (
    Row("nothing", (_F,), (_F,)),
    # frozen
    Row("a signature", (_F,), (_F_WIDER,), frozenset({FROZEN})),
    Row("const", (callback("f", "void", "char* p"),), (callback("f", "void", "const char* p"),), frozenset({FROZEN})),
    Row("a layout", (_BUFFER, _TAKES_BUFFER), (_WIDER, _TAKES_BUFFER), frozenset({FROZEN})),
    Row("a number", (_ON, _TAKES_MODE), (enum("mode", On=3), _TAKES_MODE), frozenset({FROZEN})),
    Row("gone", (_F, _FILTER), (_FILTER,), frozenset({FROZEN, DEPRECATION})),
    Row("a type that is gone", (_F, _ON, alias("x", "int")), (_F, _ON), frozenset({FROZEN, DEPRECATION})),
    Row("the name of a parameter", (_F,), (callback("http_f", "void", "size_t b"),)),
    Row("another spelling", (_F,), (callback("http_f", "void", "unsigned long a"),)),
    Row("new", (_F,), (_F, callback("http_k"), alias("x", "int"))),
    Row("one signature unknown", (_F, callback("f", None)), (_F, callback("f", None)), unknown=frozenset({FROZEN})),
    # addition
    Row("beside the old one", (_F,), (_F, _F_2)),
    Row("in the place of the old one", (_F, _FILTER), (_F_2, _FILTER), frozenset({FROZEN, ADDITION, DEPRECATION})),
    Row("beside a changed one", (_F,), (_F_WIDER, _F_2), frozenset({FROZEN, ADDITION})),
    Row("v3 in the place of v2", (_F, _F_2), (_F, _F_3), frozenset({FROZEN, ADDITION, DEPRECATION})),
    # optional-hooks
    Row("a hook of a new point", (_FILTER,), (_FILTER, hook("tracer_new"))),
    Row("a hook that nothing is known of", (_FILTER,), (_FILTER, hook("http_filter_x")), unknown=frozenset({HOOKS})),
    Row("an optional hook", (_FILTER,), (_FILTER, _documented(hook("http_filter_x"), Documented.OPTIONAL))),
    Row(
        "a mandatory hook",
        (_FILTER,),
        (_FILTER, _documented(hook("http_filter_x"), Documented.MANDATORY)),
        frozenset({HOOKS}),
    ),
    Row(
        "a hook that became mandatory",
        (_documented(_FILTER, Documented.OPTIONAL),),
        (_documented(_FILTER, Documented.MANDATORY),),
        frozenset({HOOKS}),
    ),
    # enum-direction
    Row("an enumerator that modules pass", (_ON, _TAKES_MODE), (_ON_OFF, _TAKES_MODE)),
    Row("an enumerator that the host passes", (_ON, _GIVEN_MODE), (_ON_OFF, _GIVEN_MODE), frozenset({ENUMS})),
    Row(
        "an enum that goes both ways", (_ON, _GIVEN_MODE, _TAKES_MODE), (_ON_OFF, _GIVEN_MODE, _TAKES_MODE), frozenset({ENUMS})
    ),
    # deprecation
    Row("deprecated for long enough", (_marked(_F, "1.46"), _FILTER), (_FILTER,)),
    Row("deprecated for one release less", (_marked(_F, "1.47"), _FILTER), (_FILTER,), frozenset({DEPRECATION})),
    Row("deprecated, no release said", (_marked(_F), _FILTER), (_FILTER,), frozenset({DEPRECATION})),
    Row("before the announced release", (_marked(_F, "1.40", "1.51"), _FILTER), (_FILTER,), frozenset({DEPRECATION})),
    Row("at the announced release", (_marked(_F, "1.40", "1.50"), _FILTER), (_FILTER,)),
    Row("deprecated and changed", (_marked(_F, "1.46"),), (_F_WIDER,), frozenset({FROZEN})),
    Row("a type, deprecated for long enough", (_F, _ON, _marked(alias("x", "int"), "1.40")), (_F, _ON)),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_each_rule_is_broken_by_what_it_is_about_and_by_nothing_else(row: Row) -> None:
    found = _diff(row.old, row.new)

    status = {rule: one.status for rule, one in _verdicts(found).items()}
    assert {rule for rule, one in status.items() if one is RuleStatus.BROKEN} == row.broken
    assert {rule for rule, one in status.items() if one is RuleStatus.UNKNOWN} == row.unknown
    assert {rule for change in found.changes for rule in change.rules} == row.broken
    assert bool(found.offending()) is bool(row.broken)
    assert not found.offending(row.broken)
    assert all(found.offending(row.broken - {rule}) for rule in row.broken), "expected that each broken rule must be allowed"
    assert answer_line(found).text[0] == ("✗" if row.broken else "?" if row.unknown else "✓")


def test_the_old_hosts_are_compared_and_not_bound() -> None:
    harmless_but_not_allowed = (hook("http_filter_f", "void"),), (hook("http_filter_f", "void", "size_t a"),)
    assert _diff(*harmless_but_not_allowed, host="1.50").offending()
    assert _diff(*harmless_but_not_allowed, host="").offending(), "expected a header of no known release to be bound"
    old = _diff(*harmless_but_not_allowed, host="1.39")
    assert _verdicts(old)[FROZEN].status is RuleStatus.BROKEN
    assert not old.binds
    assert not old.offending(), "expected that only what breaks built modules counts"


def test_a_removal_that_the_policy_permits_is_told_and_does_not_count() -> None:
    found = _diff((_marked(_F, "1.46"), _FILTER), (_FILTER,))
    assert [change.subject for change in found.changes if change.permitted] == [_F.name]
    assert found.breaks_built
    assert not found.offending()
    assert _verdicts(found)[DEPRECATION].remarks == (f"{_F.name} is gone after it was deprecated for long enough",)


def test_a_header_of_no_known_release_is_taken_for_the_next_one() -> None:
    found = _diff((_marked(_F, "1.47"), _FILTER), (_FILTER,), host="")
    (one,) = _verdicts(found)[DEPRECATION].broken_by
    assert one.detail == "deprecated since 1.47, so that 1.51 may be the first to lack it; it is gone in what is taken for 1.50"


def test_of_names_alone_it_is_not_known_whether_what_is_gone_was_deprecated() -> None:
    names = abi(callback("http_f", None), callback("http_g", None), envoy="1.49")
    old = Operand("binary envoy", msgspec.structs.replace(names, sources={}), "1.49", "1.49.0")
    found = diff(old, Operand("header abi.h", abi(callback("http_g")), "1.50"), SdkUses(()), nothing_measured)
    assert _verdicts(found)[DEPRECATION].status is RuleStatus.UNKNOWN
    assert _verdicts(found)[FROZEN].status is RuleStatus.UNKNOWN


def test_annotations_are_beside_the_lines_of_the_newer_header(tmp_path: Path) -> None:
    header = tmp_path / "abi.h"
    header.write_text(
        f"/**\n * See {_F.name}(1).\n */\ntypedef int envoy_dynamic_module_type_x;\n// {_F.name}(2)\n"
        f"typedef void (*envoy_dynamic_module_type_taker)(int);\nvoid\n{_F.name}(\n    int);\n"
    )
    places = places_in(str(header))
    assert places.line(_F.name) == 8
    assert places.line("envoy_dynamic_module_type_x") == 4
    assert places.line("envoy_dynamic_module_type_taker") == 6
    assert places.line("envoy_dynamic_module_callback_gone") == 0

    *errors, answer = map(
        str, diff_annotations(_diff((_F, _BUFFER, _TAKES_BUFFER), (_F_WIDER, _WIDER, _TAKES_BUFFER)), (), places)
    )
    assert len(errors) == 2
    assert f"::error file={header},line=8,title=parameter added at the end (breaks frozen)::{_F.name}%0A" in "\n".join(errors)
    assert answer.startswith("::error title=dmconform abi::✗ 2 changes break")


def test_what_could_not_be_judged_is_a_warning() -> None:
    annotations = [
        str(one) for one in diff_annotations(_diff((_FILTER,), (_FILTER, hook("http_filter_x"))), (), places_in("1.50"))
    ]
    assert annotations[0].startswith("::warning title=rule optional-hooks::not known: envoy_dynamic_module_on_http_filter_x")
    assert annotations[-1].startswith("::warning title=dmconform abi::? Nothing is known")


def test_a_rule_holds_for_a_minor_where_it_holds_on_all_of_its_releases() -> None:
    kept, broken = _diff((_F, _FILTER), (_F, _FILTER)), _diff((_F, _FILTER), (_FILTER,))
    open_ = _diff((_F, _FILTER), (_F, _FILTER, hook("http_filter_x")))

    both = {one.rule: one for one in combined([kept.policy, broken.policy, broken.policy, open_.policy])}

    assert both[FROZEN].status is RuleStatus.BROKEN
    assert [one.subject for one in both[FROZEN].broken_by] == [_F.name], "expected what two releases lack once"
    assert both[HOOKS].status is RuleStatus.UNKNOWN
    assert both[ADDITION].status is RuleStatus.HELD
