"""The rules of the differential test: what the file in the repository says of every callback, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.abi.loading import load_every_abi
from dmconform.abi.types import FunctionKind
from dmconform.core.errors import DataFileError
from dmconform.measure.differential.arguments import Arguments, NoArgument, is_handle
from dmconform.measure.differential.generate import Gap, module_source, plan_calls
from dmconform.measure.differential.request import RULES
from dmconform.measure.differential.rules import Alone, Exclude, Rules, Value, Where, load_rules, short

from tests.unit.differential_samples import HEADERS, abi, callback, rules

ABIS = load_every_abi()


@pytest.fixture(scope="module")
def real() -> Rules:
    return load_rules(RULES, ABIS.values())


@pytest.mark.parametrize("minor", ABIS)
def test_each_callback_is_called_or_left_for_a_reason(real: Rules, minor: str) -> None:
    plan = plan_calls(ABIS[minor], real)
    called = {call.callback for call in plan.calls}
    everything = {short(name) for name in ABIS[minor].names(FunctionKind.CALLBACK)}
    assert called | plan.not_called.keys() == everything
    assert not called & plan.not_called.keys()
    assert all(why.category and why.reason for why in plan.not_called.values())


@pytest.mark.parametrize("minor", [minor for minor in ABIS if minor != "1.36"])
def test_no_callback_with_a_signature_is_left_for_want_of_a_rule(real: Rules, minor: str) -> None:
    lacking = {Gap.NO_PLACE.value, Gap.NO_ARGUMENT.value, Gap.NO_HANDLE.value}
    left = {name: why for name, why in plan_calls(ABIS[minor], real).not_called.items() if why.category in lacking}
    assert not left, "add a rule to conformance/differential/rules.toml"


def test_of_1_36_nothing_is_called(real: Rules) -> None:
    plan = plan_calls(ABIS["1.36"], real)
    assert not plan.calls
    assert {why.category for why in plan.not_called.values()} == {Gap.NO_SIGNATURE.value}


@pytest.mark.parametrize(
    ("text", "inconsistency"),
    [
        (
            '[[where]]\ncallbacks = ["http_nothing_like_it"]\nhooks = ["http_filter_new"]',
            "'http_nothing_like_it' fits no callback",
        ),
        ('[[where]]\nhooks = ["http_filter_response"]', "'http_filter_response' is not a hook"),
        ('[[argument]]\nparam = "key"\ntype = "no_type"\nnumber = 1', "fits no parameter"),
        ('[[argument]]\nparam = "key"\ntype = "module_buffer"', "no way; expected one"),
        ('[[argument]]\nparam = "key"\ntype = "module_buffer"\nnumber = 1\ntext = "a"', "text and number; expected one"),
        ('[[exclude]]\ncallbacks = ["*"]\ncategory = "a"', "reason"),
    ],
)
def test_a_rule_that_says_nothing_is_refused(tmp_path: Path, text: str, inconsistency: str) -> None:
    file = tmp_path / "rules.toml"
    needed = {
        "where": '[[where]]\nhooks = ["http_filter_new"]\n',
        "argument": '[[argument]]\nparam = "key"\ntype = "*"\nnull = true\n',
    }
    rest = "".join(line for name, line in needed.items() if f"[[{name}]]" not in text)
    file.write_text(f'keep = []\nalways = []\nvarying = []\norder = [""]\n{text}\n{rest}')
    with pytest.raises(DataFileError, match=inconsistency):
        load_rules(file, ABIS.values())


def test_the_order_needs_a_place_for_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(RULES.read_text().replace('\n  "",\n', "\n"))
    with pytest.raises(DataFileError, match="order"):
        load_rules(file, ABIS.values())


def test_an_unknown_type_is_no_argument() -> None:
    plan = plan_calls(abi(callback("http_set", ("weird", "long double"))), rules())
    assert plan.not_called["http_set"].category == Gap.NO_ARGUMENT.value
    assert "'weird'" in plan.not_called["http_set"].reason


def test_a_handle_that_nothing_gives_is_no_argument() -> None:
    plan = plan_calls(abi(callback("http_tag", ("span", "@http_span_envoy_ptr"))), rules())
    assert plan.not_called["http_tag"].category == Gap.NO_HANDLE.value
    giver = callback("http_get_span", returns="@http_span_envoy_ptr")
    assert not plan_calls(abi(callback("http_tag", ("span", "@http_span_envoy_ptr")), giver), rules()).not_called


def test_without_a_rule_there_is_no_place() -> None:
    plan = plan_calls(abi(callback("http_get")), rules(where=()))
    assert plan.not_called["http_get"].category == Gap.NO_PLACE.value


def test_a_hook_that_the_minor_lacks_is_no_place() -> None:
    plan = plan_calls(abi(callback("http_get")), rules(where=(Where(("http_filter_scheduled",)),)))
    assert "http_filter_scheduled" in plan.not_called["http_get"].reason


def test_what_is_excluded_is_not_called() -> None:
    excluding = Rules((), (), (), ("",), (Where((HEADERS,)),), (), (Exclude(("http_*",), "dangerous", "it bites"),))
    assert plan_calls(abi(callback("http_get")), excluding).not_called["http_get"].category == "dangerous"


@pytest.mark.parametrize(
    ("type_", "value", "expression"),
    [
        ("@module_buffer", Value("x", "module_buffer", text="a {last}"), '"a get", 5'),
        ("uint64_t", Value("x", "uint64_t", number=7), "(uint64_t)7"),
        ("@http_timer_module_ptr", Value("x", "http_timer_module_ptr", own=True), "&module_object"),
        ("uint64_t", Value("x", "*", keep="y"), "kept_http_filter_y"),
    ],
)
def test_arguments_by_rule(type_: str, value: Value, expression: str) -> None:
    function = callback("http_get", ("x", type_))
    made = Arguments(abi(function), rules(value)).make(function, (function.params or ())[1])
    assert not isinstance(made, NoArgument)
    assert expression in made.expression


def test_every_value_of_an_enum_is_tried_by_name() -> None:
    function = callback("http_get", ("x", "@colour"))
    made = Arguments(abi(function), rules(Value("x", "colour", every=True))).make(function, (function.params or ())[1])
    assert not isinstance(made, NoArgument) and made.loop is not None
    assert (made.loop.values, made.loop.labels) == (("0", "1"), ("Red", "Blue"))


def test_every_value_of_what_is_no_enum_is_no_argument() -> None:
    plan = plan_calls(abi(callback("http_get", ("x", "size_t"))), rules(Value("x", "size_t", every=True)))
    assert plan.not_called["http_get"].category == Gap.NO_ARGUMENT.value


def test_what_a_call_gives_comes_before_what_needs_it() -> None:
    functions = (callback("http_z_new", returns="@http_timer_module_ptr"), callback("http_a", ("t", "@http_timer_module_ptr")))
    plan = plan_calls(abi(*functions), rules(order=("*_new", "")))
    assert [call.callback for call in plan.calls] == ["http_z_new", "http_a"]


def test_a_run_about_one_call_makes_what_it_needs_and_no_more() -> None:
    functions = (
        callback("http_new", returns="@http_timer_module_ptr"),
        callback("http_end", ("t", "@http_timer_module_ptr")),
        callback("http_other"),
        callback("http_before"),
    )
    plan = plan_calls(abi(*functions), rules(alone=(Alone(("http_end",), HEADERS, with_=("http_before",)),)))
    end = plan.call("http_end", HEADERS)
    assert end is not None and end.alone is not None
    made = {call.callback for call in plan.calls if call.number in plan.made_with(end)}
    assert made == {"http_new", "http_end", "http_before"}


def test_the_source_announces_calls_and_bears_missing_callbacks() -> None:
    source = module_source(plan_calls(abi(callback("http_get")), rules()), rules())
    assert "#pragma weak envoy_dynamic_module_callback_http_get" in source
    begin, call = (
        source.index('start("begin", "http_filter_request_headers", "http_get"'),
        source.index("= envoy_dynamic_module_callback_http_get("),
    )
    assert begin < call < source.index('start("result", "http_filter_request_headers", "http_get"')
    assert source.index("call_1();") > source.index("handle_http_filter_envoy_ptr = filter;")


@pytest.mark.parametrize(
    ("type_", "handle"), [("http_filter_envoy_ptr", True), ("buffer_module_ptr", False), ("size_t", False)]
)
def test_what_a_handle_is(type_: str, handle: bool) -> None:
    assert is_handle(type_) is handle
