"""What each kind of change is called, and what it is said to do to modules that are already built."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from dmconform.abi.required_hooks import HookFact, PointFacts, RequiredHooks, Without, hooks_json
from dmconform.abi.types import Abi, AbiType, Function
from dmconform.abi_diff.assemble import diff
from dmconform.abi_diff.changes import AbiChangeKind, Diff, How, Impact
from dmconform.abi_diff.compare_types import Need, not_measured
from dmconform.abi_diff.operands import Operand
from dmconform.abi_diff.requirements import measured_needs, nothing_measured
from dmconform.abi_diff.uses import SdkUses
from dmconform.core.extension_point import ExtensionPoint

from tests.unit.abi_samples import abi, alias, callback, enum, hook, pointer, struct

Items = tuple[Function | AbiType, ...]

_HANDLE = alias("http_filter_envoy_ptr", "void*")
_OTHER_HANDLE = alias("http_filter_config_envoy_ptr", "void*")
_BUFFER = struct("buffer", "const char* ptr", "size_t length")
_TAKES_BUFFER = callback("http_f", "void", "$buffer data")
_TAKES_BUFFERS = callback("http_f", "void", "$buffer* data")
_TAKES_MODE = callback("http_f", "void", "$mode mode")
_GIVEN_MODE = hook("http_filter_f", "void", "$mode mode")
_RETURNS_MODE = callback("http_f", "$mode")
_FILLS_MODE = callback("http_f", "void", "$mode* mode")
_HANDED_CALLER = callback("http_f", "void", "$caller caller")


@dataclass(frozen=True)
class Row:
    """A change: what was, what is, and what must be said of it; `how` None where no built module breaks."""

    name: str
    old: Items
    new: Items
    kind: AbiChangeKind | None  # None: nothing may be said
    impact: Impact = Impact.HARMLESS
    how: How | None = None


def _broken(name: str, old: Items, new: Items, kind: AbiChangeKind, how: How) -> Row:
    return Row(name, old, new, kind, Impact.BUILT, how)


def _rebuild(name: str, old: Items, new: Items, kind: AbiChangeKind) -> Row:
    return Row(name, old, new, kind, Impact.REBUILD)


ROWS = (
    _broken("callback gone", (callback("f"), callback("g")), (callback("g"),), AbiChangeKind.CALLBACK_REMOVED, How.MISSING),
    Row("undeclared callback gone", (callback("http_f", None),), (), AbiChangeKind.UNDECLARED_REMOVED),
    Row("callback new", (), (callback("http_f"),), AbiChangeKind.CALLBACK_ADDED),
    _broken("hook gone", (hook("http_filter_f"),), (), AbiChangeKind.HOOK_REMOVED, How.SILENT),
    Row("hook of a new extension point", (), (hook("tracer_f"),), AbiChangeKind.HOOK_ADDED),
    Row("no signature", (callback("http_f", None),), (callback("http_f"),), AbiChangeKind.SIGNATURE_UNKNOWN, Impact.UNKNOWN),
    # Parameters at the end: who is called reads them, or does not know of them.
    _broken(
        "the host reads a number that nobody passed",
        (callback("http_f", "void", "size_t a"),),
        (callback("http_f", "void", "size_t a", "size_t b"),),
        AbiChangeKind.PARAMETER_ADDED,
        How.ARGUMENT,
    ),
    _broken(
        "the host follows a pointer that nobody passed",
        (_BUFFER, callback("http_f", "void")),
        (_BUFFER, _TAKES_BUFFER),
        AbiChangeKind.POINTER_ADDED,
        How.UNDEFINED,
    ),
    _rebuild(
        "the host does not look at what is passed in vain",
        (callback("http_f", "void", "size_t a", "size_t b"),),
        (callback("http_f", "void", "size_t a"),),
        AbiChangeKind.PARAMETER_DROPPED,
    ),
    _rebuild(
        "the host does not look at a pointer that is passed in vain",
        (callback("http_f", "void", "void* p"),),
        (callback("http_f", "void"),),
        AbiChangeKind.POINTER_DROPPED,
    ),
    _rebuild(
        "the module does not know of what the host passes besides",
        (hook("http_filter_f", "void", "size_t a"),),
        (hook("http_filter_f", "void", "size_t a", "size_t b"),),
        AbiChangeKind.PARAMETER_ADDED,
    ),
    _rebuild(
        "the module does not know of a pointer that the host passes besides",
        (hook("http_filter_f", "void"),),
        (hook("http_filter_f", "void", "void* p"),),
        AbiChangeKind.POINTER_ADDED,
    ),
    _broken(
        "the module reads a number that the host does not pass any more",
        (hook("http_filter_f", "void", "size_t a", "size_t b"),),
        (hook("http_filter_f", "void", "size_t a"),),
        AbiChangeKind.PARAMETER_DROPPED,
        How.ARGUMENT,
    ),
    _broken(
        "the module follows a pointer that the host does not pass any more",
        (hook("http_filter_f", "void", "void* p"),),
        (hook("http_filter_f", "void"),),
        AbiChangeKind.POINTER_DROPPED,
        How.UNDEFINED,
    ),
    # Parameters elsewhere.
    _broken(
        "one in the middle is gone",
        (hook("http_filter_f", "void", "size_t a", "bool end"),),
        (hook("http_filter_f", "void", "bool end"),),
        AbiChangeKind.PARAMETERS_MOVED,
        How.ARGUMENT,
    ),
    _broken(
        "one is put before another of the same type",
        (callback("http_f", "void", "size_t length"),),
        (callback("http_f", "void", "size_t offset", "size_t length"),),
        AbiChangeKind.PARAMETERS_MOVED,
        How.ARGUMENT,
    ),
    _broken(
        "two of one type change places",
        (callback("http_f", "void", "size_t offset", "size_t length"),),
        (callback("http_f", "void", "size_t length", "size_t offset"),),
        AbiChangeKind.PARAMETERS_MOVED,
        How.ARGUMENT,
    ),
    _broken(
        "another number and other types",
        (callback("http_f", "void", "bool a", "size_t b"),),
        (callback("http_f", "void", "double c"),),
        AbiChangeKind.PARAMETERS_MOVED,
        How.ARGUMENT,
    ),
    Row(
        "renamed only",
        (callback("http_f", "void", "size_t offset"),),
        (callback("http_f", "void", "size_t start"),),
        AbiChangeKind.PARAMETER_RENAMED,
    ),
    # What a parameter stands for.
    _broken(
        "a wider number",
        (callback("http_f", "void", "uint32_t n"),),
        (callback("http_f", "void", "uint64_t n"),),
        AbiChangeKind.PARAMETER_TYPE,
        How.ARGUMENT,
    ),
    _broken(
        "a signed number",
        (callback("http_f", "void", "uint64_t n"),),
        (callback("http_f", "void", "int64_t n"),),
        AbiChangeKind.PARAMETER_TYPE,
        How.ARGUMENT,
    ),
    _broken(
        "a floating-point number: another register",
        (callback("http_f", "void", "uint64_t n"),),
        (callback("http_f", "void", "double n"),),
        AbiChangeKind.PARAMETER_TYPE,
        How.ARGUMENT,
    ),
    _broken(
        "a pointer instead of the struct",
        (_BUFFER, _TAKES_BUFFER),
        (_BUFFER, _TAKES_BUFFERS),
        AbiChangeKind.PARAMETER_TYPE,
        How.ARGUMENT,
    ),
    _broken(
        "a pointer to something wider",
        (callback("http_f", "void", "uint32_t* n"),),
        (callback("http_f", "void", "uint64_t* n"),),
        AbiChangeKind.PARAMETER_TYPE,
        How.ARGUMENT,
    ),
    _broken(
        "another object's handle",
        (_HANDLE, _OTHER_HANDLE, callback("http_f", "void", "$http_filter_envoy_ptr p")),
        (_HANDLE, _OTHER_HANDLE, callback("http_f", "void", "$http_filter_config_envoy_ptr p")),
        AbiChangeKind.PARAMETER_MEANING,
        How.ARGUMENT,
    ),
    _rebuild(
        "the same handle under another name",
        (_HANDLE, callback("http_f", "void", "$http_filter_envoy_ptr p")),
        (_OTHER_HANDLE, callback("http_f", "void", "$http_filter_config_envoy_ptr p")),
        AbiChangeKind.TYPE_RENAMED,
    ),
    _rebuild(
        "the same enum under another name",
        (enum("mode", On=1), _TAKES_MODE),
        (enum("way", On=1), callback("http_f", "void", "$way mode")),
        AbiChangeKind.TYPE_RENAMED,
    ),
    _broken(
        "another enum",
        (enum("mode", On=1), enum("way", In=1), _TAKES_MODE),
        (enum("mode", On=1), enum("way", In=1), callback("http_f", "void", "$way mode")),
        AbiChangeKind.PARAMETER_MEANING,
        How.ARGUMENT,
    ),
    _broken(
        "another enum, which is new",
        (enum("mode", On=1), _TAKES_MODE),
        (enum("mode", On=1), enum("way", On=1), callback("http_f", "void", "$way mode")),
        AbiChangeKind.PARAMETER_MEANING,
        How.ARGUMENT,
    ),
    _rebuild(
        "const of a struct that it points to",
        (_BUFFER, _TAKES_BUFFERS),
        (_BUFFER, callback("http_f", "void", "const $buffer* data")),
        AbiChangeKind.PARAMETER_CONST,
    ),
    _rebuild(
        "const of what it points to",
        (callback("http_f", "void", "char* p"),),
        (callback("http_f", "void", "const char* p"),),
        AbiChangeKind.PARAMETER_CONST,
    ),
    Row(
        "spelled in another way",
        (callback("http_f", "void", "unsigned int n"),),
        (callback("http_f", "void", "uint32_t n"),),
        AbiChangeKind.PARAMETER_RESPELLED,
    ),
    Row(
        "an alias instead of what it stands for",
        (alias("n", "uint64_t"), callback("http_f", "void", "$n n")),
        (alias("n", "uint64_t"), callback("http_f", "void", "size_t n")),
        AbiChangeKind.PARAMETER_RESPELLED,
    ),
    Row("const of the value itself", (callback("http_f", "void", "bool b"),), (callback("http_f", "void", "bool b"),), None),
    # Results.
    _broken(
        "other result",
        (callback("http_f", "uint32_t"),),
        (callback("http_f", "uint64_t"),),
        AbiChangeKind.RETURN_TYPE,
        How.RESULT,
    ),
    _broken(
        "the module reads nothing",
        (callback("http_f", "bool"),),
        (callback("http_f"),),
        AbiChangeKind.RETURN_DROPPED,
        How.RESULT,
    ),
    _rebuild("the module does not look", (callback("http_f"),), (callback("http_f", "bool"),), AbiChangeKind.RETURN_ADDED),
    _broken(
        "the host reads nothing",
        (hook("http_filter_f"),),
        (hook("http_filter_f", "bool"),),
        AbiChangeKind.RETURN_ADDED,
        How.RESULT,
    ),
    _rebuild(
        "the host does not look", (hook("http_filter_f", "bool"),), (hook("http_filter_f"),), AbiChangeKind.RETURN_DROPPED
    ),
    _broken(
        "a result that is passed in memory",
        (struct("big", "uint64_t a", "uint64_t b", "uint64_t c"), callback("http_f")),
        (struct("big", "uint64_t a", "uint64_t b", "uint64_t c"), callback("http_f", "$big")),
        AbiChangeKind.RETURN_IN_MEMORY,
        How.UNDEFINED,
    ),
    _broken(
        "another object's handle as the result",
        (_HANDLE, _OTHER_HANDLE, callback("http_f", "$http_filter_envoy_ptr")),
        (_HANDLE, _OTHER_HANDLE, callback("http_f", "$http_filter_config_envoy_ptr")),
        AbiChangeKind.RETURN_MEANING,
        How.RESULT,
    ),
    Row(
        "result spelled in another way",
        (callback("http_f", "long"),),
        (callback("http_f", "int64_t"),),
        AbiChangeKind.RETURN_RESPELLED,
    ),
    _rebuild(
        "const of the result", (callback("http_f", "char*"),), (callback("http_f", "const char*"),), AbiChangeKind.RETURN_CONST
    ),
    # The spelling stays, what it stands for changes.
    _broken(
        "a struct grows",
        (_BUFFER, _TAKES_BUFFERS),
        (struct("buffer", "const char* ptr", "size_t length", "bool owned"), _TAKES_BUFFERS),
        AbiChangeKind.STRUCT_LAYOUT,
        How.UNDEFINED,
    ),
    _broken(
        "fields change places",
        (_BUFFER, _TAKES_BUFFER),
        (struct("buffer", "size_t length", "const char* ptr"), _TAKES_BUFFER),
        AbiChangeKind.STRUCT_LAYOUT,
        How.UNDEFINED,
    ),
    _broken(
        "a field is of another type of the same size",
        (struct("buffer", "uint64_t n"), _TAKES_BUFFER),
        (struct("buffer", "double n"), _TAKES_BUFFER),
        AbiChangeKind.STRUCT_LAYOUT,
        How.UNDEFINED,
    ),
    _broken(
        "a field fills what was padding",
        (struct("buffer", "size_t n", "bool a"), _TAKES_BUFFER),
        (struct("buffer", "size_t n", "bool a", "bool b"), _TAKES_BUFFER),
        AbiChangeKind.STRUCT_LAYOUT,
        How.UNDEFINED,
    ),
    _broken(
        "a struct within a struct grows",
        (struct("inner", "size_t n"), struct("buffer", "$inner inner"), _TAKES_BUFFER),
        (struct("inner", "size_t n", "size_t m"), struct("buffer", "$inner inner"), _TAKES_BUFFER),
        AbiChangeKind.STRUCT_LAYOUT,
        How.UNDEFINED,
    ),
    _rebuild(
        "a field is renamed",
        (_BUFFER, _TAKES_BUFFER),
        (struct("buffer", "const char* data", "size_t length"), _TAKES_BUFFER),
        AbiChangeKind.FIELD_RENAMED,
    ),
    _broken(
        "a field is another object's handle",
        (_HANDLE, _OTHER_HANDLE, struct("buffer", "$http_filter_envoy_ptr p"), _TAKES_BUFFER),
        (_HANDLE, _OTHER_HANDLE, struct("buffer", "$http_filter_config_envoy_ptr p"), _TAKES_BUFFER),
        AbiChangeKind.FIELD_MEANING,
        How.ARGUMENT,
    ),
    _rebuild("a struct that no function uses grows", (_BUFFER,), (struct("buffer", "size_t n"),), AbiChangeKind.STRUCT_LAYOUT),
    _broken(
        "an enum value changes",
        (enum("mode", On=1), _TAKES_MODE),
        (enum("mode", On=2), _TAKES_MODE),
        AbiChangeKind.ENUM_VALUE_CHANGED,
        How.ARGUMENT,
    ),
    _broken(
        "an enum value that modules pass is gone",
        (enum("mode", On=1, Off=2), _TAKES_MODE),
        (enum("mode", On=1), _TAKES_MODE),
        AbiChangeKind.ENUM_VALUE_REMOVED,
        How.ARGUMENT,
    ),
    _rebuild(
        "an enum value that only hosts pass is gone",
        (enum("mode", On=1, Off=2), _GIVEN_MODE),
        (enum("mode", On=1), _GIVEN_MODE),
        AbiChangeKind.ENUM_VALUE_REMOVED,
    ),
    _rebuild(
        "an enum value is renamed",
        (enum("mode", On=1), _TAKES_MODE),
        (enum("mode", Up=1), _TAKES_MODE),
        AbiChangeKind.ENUM_VALUE_RENAMED,
    ),
    Row(
        "a value more to pass",
        (enum("mode", On=1), _TAKES_MODE),
        (enum("mode", On=1, Off=2), _TAKES_MODE),
        AbiChangeKind.ENUM_VALUE_ADDED,
    ),
    _broken(
        "a value more to be given",
        (enum("mode", On=1), _GIVEN_MODE),
        (enum("mode", On=1, Off=2), _GIVEN_MODE),
        AbiChangeKind.ENUM_VALUE_ADDED,
        How.VALUE,
    ),
    _broken(
        "a value more to be returned",
        (enum("mode", On=1), _RETURNS_MODE),
        (enum("mode", On=1, Off=2), _RETURNS_MODE),
        AbiChangeKind.ENUM_VALUE_ADDED,
        How.VALUE,
    ),
    _broken(
        "a value more to be filled in",
        (enum("mode", On=1), _FILLS_MODE),
        (enum("mode", On=1, Off=2), _FILLS_MODE),
        AbiChangeKind.ENUM_VALUE_ADDED,
        How.VALUE,
    ),
    _broken(
        "a value more to be called with",
        (enum("mode", On=1), pointer("caller", "void", "$mode mode"), _HANDED_CALLER),
        (enum("mode", On=1, Off=2), pointer("caller", "void", "$mode mode"), _HANDED_CALLER),
        AbiChangeKind.ENUM_VALUE_ADDED,
        How.VALUE,
    ),
    Row(
        "a value more to return when called",
        (enum("mode", On=1), pointer("caller", "$mode"), _HANDED_CALLER),
        (enum("mode", On=1, Off=2), pointer("caller", "$mode"), _HANDED_CALLER),
        AbiChangeKind.ENUM_VALUE_ADDED,
    ),
    Row(
        "a value more of an enum that nobody uses",
        (enum("mode", On=1),),
        (enum("mode", On=1, Off=2),),
        AbiChangeKind.ENUM_VALUE_ADDED,
    ),
    _broken(
        "an alias stands for something else",
        (alias("n", "uint32_t"), callback("http_f", "void", "$n n")),
        (alias("n", "uint64_t"), callback("http_f", "void", "$n n")),
        AbiChangeKind.ALIAS_TARGET,
        How.UNDEFINED,
    ),
    Row(
        "an alias is spelled in another way",
        (alias("n", "unsigned int"), callback("http_f", "void", "$n n")),
        (alias("n", "uint32_t"), callback("http_f", "void", "$n n")),
        AbiChangeKind.ALIAS_RESPELLED,
    ),
    _broken(
        "what is called back takes something else",
        (pointer("caller", "void", "bool a"), _HANDED_CALLER),
        (pointer("caller", "void", "size_t a"), _HANDED_CALLER),
        AbiChangeKind.FUNCTION_POINTER,
        How.UNDEFINED,
    ),
    _broken(
        "an enum becomes a struct",
        (enum("mode", On=1), _TAKES_MODE),
        (struct("mode", "size_t n"), _TAKES_MODE),
        AbiChangeKind.TYPE_KIND,
        How.UNDEFINED,
    ),
    Row(
        "an enum becomes a number",
        (enum("mode", On=1), _TAKES_MODE),
        (alias("mode", "uint32_t"), _TAKES_MODE),
        AbiChangeKind.ALIAS_RESPELLED,
    ),
    _rebuild("a type is gone", (_BUFFER,), (alias("other", "bool"),), AbiChangeKind.TYPE_REMOVED),
    Row("a type is new", (alias("other", "bool"),), (alias("other", "bool"), _BUFFER), AbiChangeKind.TYPE_ADDED),
    Row(
        "nothing",
        (_HANDLE, _BUFFER, _TAKES_BUFFER, hook("http_filter_f")),
        (_HANDLE, _BUFFER, _TAKES_BUFFER, hook("http_filter_f")),
        None,
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_a_change_is_called_what_it_is_and_classified(row: Row) -> None:
    found = _diff(abi(*row.old), abi(*row.new))

    if row.kind is None:
        assert found.changes == ()
        return
    changes = [change for change in found.changes if change.kind is row.kind]
    assert changes, f"expected `{row.kind.value}`, found {[change.kind.value for change in found.changes]}"
    assert {(change.impact, change.how) for change in changes} == {(row.impact, row.how)}
    worst = {change.impact for change in found.changes}
    assert (Impact.BUILT in worst) == (row.impact is Impact.BUILT), f"another change says otherwise: {found.changes}"
    assert found.breaks_built == (row.impact is Impact.BUILT)


def test_every_kind_has_a_row_or_a_test_apart() -> None:
    own_tests = {
        AbiChangeKind.ABI_STRING,
        AbiChangeKind.HOOK_REQUIRED,
        AbiChangeKind.HOOK_NEEDED,
        AbiChangeKind.HOOK_OPTIONAL,
        AbiChangeKind.HOOK_NOT_MEASURED,
    }

    assert set(AbiChangeKind) == {row.kind for row in ROWS if row.kind} | own_tests


@pytest.mark.parametrize(
    ("before", "after", "kind", "impact", "how"),
    [
        (Without.WORKS, Without.REFUSED, AbiChangeKind.HOOK_REQUIRED, Impact.BUILT, How.REQUIRED),
        (Without.WORKS, Without.CRASHES, AbiChangeKind.HOOK_NEEDED, Impact.BUILT, How.NEEDED),
        (Without.REFUSED, Without.WORKS, AbiChangeKind.HOOK_OPTIONAL, Impact.HARMLESS, None),
        (Without.REFUSED, Without.REFUSED, None, None, None),
        (None, Without.REFUSED, None, None, None),
    ],
)
def test_a_hook_that_both_sides_have_may_become_required(
    before: Without | None, after: Without, kind: AbiChangeKind | None, impact: Impact | None, how: How | None
) -> None:
    both = abi(hook("http_filter_f"), envoy="1.50"), abi(hook("http_filter_f"), envoy="1.51")

    changes = _diff(*both, needs={"1.50.0": before, "1.51.0": after}).changes

    assert [(change.kind, change.impact, change.how) for change in changes] == ([] if kind is None else [(kind, impact, how)])


@pytest.mark.parametrize(
    ("after", "kind", "impact"),
    [
        (Without.REFUSED, AbiChangeKind.HOOK_REQUIRED, Impact.BUILT),
        (Without.WORKS, AbiChangeKind.HOOK_ADDED, Impact.HARMLESS),
        (None, AbiChangeKind.HOOK_NOT_MEASURED, Impact.UNKNOWN),
    ],
)
def test_a_new_hook_of_an_old_extension_point_is_harmless_only_if_measured(
    after: Without | None, kind: AbiChangeKind, impact: Impact
) -> None:
    old = abi(hook("http_filter_f"), envoy="1.50")
    new = abi(hook("http_filter_f"), hook("http_filter_g"), envoy="1.51")

    changes = [one for one in _diff(old, new, needs={"1.51.0": after}).changes if one.subject.endswith("_g")]

    assert [(change.kind, change.impact) for change in changes] == [(kind, impact)]


@pytest.mark.parametrize(
    ("refuses", "impact", "how"),
    [(True, Impact.BUILT, How.STRING), (False, Impact.HARMLESS, None), (None, Impact.UNKNOWN, None)],
)
def test_another_abi_string_is_as_bad_as_the_host_makes_it(refuses: bool | None, impact: Impact, how: How | None) -> None:
    same = callback("http_f")

    found = _diff(abi(same), abi(same, abi_version="v2"), refuses=refuses)

    assert [(one.kind, one.impact, one.how) for one in found.changes] == [(AbiChangeKind.ABI_STRING, impact, how)]


def test_a_hook_that_the_host_declares_and_does_not_look_up_any_more_is_gone() -> None:
    one = abi(hook("http_filter_f"))
    idle = frozenset(one.names(one.functions[0].kind))

    def found(old_idle: frozenset[str], new_idle: frozenset[str]) -> Diff:
        return diff(
            Operand("old", one, "1.50", idle_hooks=old_idle),
            Operand("new", one, "1.50", idle_hooks=new_idle),
            SdkUses(()),
            nothing_measured,
        )

    assert [change.kind for change in found(frozenset(), idle).changes] == [AbiChangeKind.HOOK_REMOVED]
    assert found(idle, idle).changes == ()


def test_what_a_release_needs_is_read_from_the_measured_data(tmp_path: Path) -> None:
    facts = {"tracer_new": HookFact(Without.REFUSED), "tracer_scheduled": HookFact(Without.WORKS)}
    hooks = RequiredHooks((PointFacts(ExtensionPoint.TRACER, ("1.39.0", "1.39.3"), facts),))
    (tmp_path / "required_hooks.json").write_text(hooks_json(hooks))
    needs = measured_needs(tmp_path / "required_hooks.json")
    prefix = "envoy_dynamic_module_on_tracer"

    assert needs("1.39.3")(f"{prefix}_new") is Without.REFUSED
    assert needs("1.39.1")(f"{prefix}_scheduled") is Without.WORKS  # another patch stands in
    assert needs("1.39.3")(f"{prefix}_other") is None
    assert needs("1.39.3")("envoy_dynamic_module_on_cluster_new") is None
    for release in ("1.40.0", "1.38.0", "unknown", None):  # never another minor
        assert needs(release) is not_measured
    assert measured_needs(tmp_path / "nothing.json")("1.39.3") is not_measured


def test_what_a_nearby_header_shows_is_marked() -> None:
    old, new = callback("http_f", "void", "uint32_t n"), callback("http_f", "void", "uint64_t n")

    (exact,) = _diff(abi(old), abi(new)).changes
    (nearby,) = _diff(abi(old), abi(new, exact=False)).changes

    assert exact.certain
    assert not nearby.certain
    assert "as far as known from a nearby header" in nearby.detail
    assert "nearby" not in exact.detail


def test_signatures_that_are_not_known_are_counted() -> None:
    known, unknown = callback("http_f"), callback("http_g", None)

    found = _diff(abi(known, unknown), abi(known, unknown))

    assert (found.compared.functions, found.compared.exact, found.compared.unknown) == (2, 1, 1)
    assert [change.kind for change in found.of(Impact.UNKNOWN)] == [AbiChangeKind.SIGNATURE_UNKNOWN]


def test_a_type_belongs_to_the_extension_points_of_all_that_use_it() -> None:
    def types(size: str) -> Items:
        return (struct("inner", f"{size} n"), struct("outer", "$inner* inners"), alias("list", "$outer*"))

    users = (callback("http_f", "void", "$list list"), hook("tracer_f", "$outer"), callback("cluster_f", "void", "bool b"))

    found = _diff(abi(*types("uint32_t"), *users), abi(*types("uint64_t"), *users))

    (change,) = [one for one in found.changes if one.subject.endswith("_inner")]
    assert change.points == ("http_filter", "tracer")
    assert [name.rsplit("_", 2)[1] for name in change.affects] == ["http", "tracer"]


def test_details_name_what_moved() -> None:
    old = hook("http_filter_f", "void", "size_t length", "bool end_stream")
    new = hook("http_filter_f", "void", "bool end_stream")

    (change,) = _diff(abi(old), abi(new)).changes

    assert change.detail == "`end_stream` moves from 2 to 1; parameter 1 `size_t length` is gone"
    assert (change.before, change.after) == ("void (size_t length, bool end_stream)", "void (bool end_stream)")


def _diff(old: Abi, new: Abi, *, refuses: bool | None = False, needs: dict[str, Without | None] | None = None) -> Diff:
    def needs_of(release: str | None) -> Need:
        what = (needs or {}).get(release or "")
        return not_measured if what is None else lambda hook: what

    return diff(
        Operand("old", old, old.envoy, old.measured_on),
        Operand("new", new, new.envoy, new.measured_on, refuses),
        SdkUses(()),
        needs_of,
    )
