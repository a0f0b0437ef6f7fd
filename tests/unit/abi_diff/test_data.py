"""What the comparison says of the ABI data in the repository, and whose modules it says are concerned."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import msgspec
import pytest
from dmconform.abi.loading import abi_json, known_minors, load_abi
from dmconform.abi.policy_rule import PolicyRule
from dmconform.abi.types import Alias, Function
from dmconform.abi_diff.assemble import diff
from dmconform.abi_diff.changes import AbiBreaks, AbiChangeKind, Diff, Extent, How, Impact, RuleStatus
from dmconform.abi_diff.operands import Operand, of_minor
from dmconform.abi_diff.render import answer_line
from dmconform.abi_diff.requirements import measured_needs, nothing_measured
from dmconform.abi_diff.uses import SDK_USE_FILE, SdkUse, SdkUses, Users, load_sdk_uses
from dmconform.binaries.facts import Binding
from dmconform.core import paths
from dmconform.core.errors import DataFileError
from dmconform.core.values import Language, Provider, Relation
from dmconform.hosts.catalogue import load_hosts
from dmconform.measure.sdk_use import Measured, callbacks_in, merged, recorded, uses_json
from dmconform.spec.abi_breaks import compare_pairs, promise_findings

from tests.recorded import assert_recorded

_CALLBACK = "envoy_dynamic_module_callback_"
_SOCKET = "envoy_dynamic_module_callback_transport_socket"
_GONE_IN_1_39 = {
    f"{_SOCKET}_{name}"
    for name in (
        *("get_io_handle", "io_handle_fd", "io_handle_read", "io_handle_write"),
        *("read_buffer_drain", "read_buffer_length"),
    )
}


def _diff(old: str, new: str) -> Diff:
    return diff(of_minor(old), of_minor(new), load_sdk_uses(), nothing_measured)


def _counts(found: Diff, impact: Impact) -> dict[AbiChangeKind, int]:
    return dict(Counter(change.kind for change in found.of(impact)))


@pytest.mark.parametrize(
    ("old", "new", "broken", "rebuild"),
    [
        ("1.36", "1.37", {AbiChangeKind.ABI_STRING: 1, AbiChangeKind.CALLBACK_REMOVED: 42}, {}),
        ("1.37", "1.38", {AbiChangeKind.POINTER_ADDED: 1}, {}),
        (
            "1.38",
            "1.39",
            {AbiChangeKind.CALLBACK_REMOVED: 6, AbiChangeKind.PARAMETERS_MOVED: 1},
            {AbiChangeKind.PARAMETER_ADDED: 1},
        ),
        ("1.39", "1.40", {}, {}),
    ],
)
def test_what_breaks_from_one_minor_to_the_next(
    old: str, new: str, broken: dict[AbiChangeKind, int], rebuild: dict[AbiChangeKind, int]
) -> None:
    found = _diff(old, new)

    assert _counts(found, Impact.BUILT) == broken
    assert _counts(found, Impact.REBUILD) == rebuild


@pytest.mark.parametrize("minor", [str(one) for one in known_minors()])
def test_nothing_changes_from_a_minor_to_itself(minor: str) -> None:
    found = _diff(minor, minor)

    assert not found.of(Impact.BUILT, Impact.REBUILD, Impact.HARMLESS)
    assert found.compared.unknown == len(found.of(Impact.UNKNOWN))


def test_what_is_known_from_a_nearby_header_only_is_counted_so() -> None:
    assert _diff("1.39", "1.40").compared == msgspec.structs.replace(_diff("1.39", "1.39").compared, exact=0, nearby=782)


def test_1_39_takes_callbacks_from_transport_sockets_which_only_some_rust_modules_use() -> None:
    gone = [change for change in _diff("1.38", "1.39").changes if change.kind is AbiChangeKind.CALLBACK_REMOVED]

    assert {change.subject for change in gone} == _GONE_IN_1_39
    for change in gone:
        assert change.points == ("transport_socket",)
        assert change.how is How.MISSING
        assert [(use.sdk, use.extent, use.binding) for use in change.used_by] == [
            ("rust@1.38:official", Extent.SOME, Binding.NOW)
        ]


def test_the_findings_name_what_breaks_the_promise() -> None:
    every = promise_findings()
    found = [one for one in every if one.host_minor == "1.39"]

    assert {(one.sdk_minor, one.host_minor, one.promises) for one in every} == {
        ("1.38", "1.39", ("window",)),
        ("1.38", "1.40", ("frozen",)),
    }
    assert {one.subject for one in every if one.host_minor == "1.40"} == {one.subject for one in found}
    assert {one.subject for one in found} >= _GONE_IN_1_39
    releases = tuple(host.release for host in load_hosts(paths.HOSTS_FILE) if str(host.version.minor) == "1.39")
    expected = {one.subject: {"certain": True, "host_releases": releases} for one in found}
    measured = {one.subject: {"certain": one.certain, "host_releases": one.host_releases} for one in found}
    assert_recorded("conformance/abi/1.39.json", "findings about 1.38 on it", expected, measured, "dmconform abi findings")
    (moved,) = [one for one in found if one.kind is AbiChangeKind.PARAMETERS_MOVED]
    assert "parameter 3 `size_t write_buffer_length` is gone" in moved.detail
    assert "never calls it" in moved.detail  # in 1.38 the extension point is declared, and not there


def test_pairs_that_nothing_is_promised_of_are_compared_when_asked_for() -> None:
    promised, all_pairs = compare_pairs(), compare_pairs(unsupported=True)

    assert {pair.relation for pair in promised.pairs} == {Relation.SUPPORTED}
    assert ("1.37", "1.38") not in _pairs(promised)
    assert ("1.37", "1.38") in _pairs(all_pairs)
    assert all_pairs.broken == promised.broken


def test_a_patch_that_lacks_what_its_minor_has_is_found() -> None:
    found = [one for one in compare_pairs(unsupported=True).findings if (one.sdk_minor, one.host_minor) == ("1.36", "1.36")]

    assert {one.host_releases for one in found} == {("1.36.2",)}
    assert sum(one.kind is AbiChangeKind.CALLBACK_REMOVED for one in found) == 16


def test_a_break_that_is_put_into_the_data_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "abi"
    shutil.copytree(paths.ABI, folder)
    abi = load_abi(folder, "1.40")
    name = "envoy_dynamic_module_type_http_filter_envoy_ptr"
    types = tuple(Alias(one.name, one.source, "uint32_t") if one.name == name else one for one in abi.types)
    (folder / "1.40.json").write_text(abi_json(msgspec.structs.replace(abi, types=types)))

    found = [one for one in promise_findings(folder) if one.kind is AbiChangeKind.ALIAS_TARGET]

    assert {(one.sdk_minor, one.subject, one.how) for one in found} == {
        ("1.38", name, How.UNDEFINED),
        ("1.39", name, How.UNDEFINED),
    }
    newest = found[-1]
    assert not newest.certain
    assert "nearby header" in newest.detail
    assert newest.rules == (PolicyRule.FROZEN,)
    every = {use.sdk for use in newest.used_by if use.extent is Extent.EVERY}
    assert {"cpp@1.39:official", "go@1.39:official", "rust@1.39:reference"} <= every


def _pairs(found: AbiBreaks) -> set[tuple[str, str]]:
    return {(pair.sdk_minor, pair.host_minor) for pair in found.pairs}


def test_the_record_of_uses_fits_the_abi_data() -> None:
    for one in load_sdk_uses().sdks:
        assert one.every == tuple(sorted(one.every))
        assert not set(one.every) & set(one.some), one.sdk
        if one.provider is Provider.REFERENCE or one.release == load_abi(paths.ABI, one.minor).measured_on:
            names = {function.name for function in load_abi(paths.ABI, one.minor).functions}
            assert {*one.hooks, *one.every, *one.some} <= names, one.sdk


def test_the_file_of_uses_is_written_as_it_is_read() -> None:
    assert uses_json(load_sdk_uses()) == SDK_USE_FILE.read_text()


def test_a_mistake_in_the_file_of_uses_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sdk_use.json"
    path.write_text(SDK_USE_FILE.read_text().replace('"every"', '"each"', 1))

    with pytest.raises(DataFileError, match="each"):
        load_sdk_uses(path)


def _use(minor: str, provider: Provider, *every: str, some: tuple[str, ...] = (), hooks: tuple[str, ...] = ()) -> SdkUse:
    return SdkUse("rust", minor, provider, minor, Binding.NOW, hooks, every, some)


def test_a_minor_without_a_measured_upstream_has_the_newest_before() -> None:
    uses = SdkUses(
        (
            _use("1.39", Provider.REFERENCE, "f"),
            _use("1.38", Provider.OFFICIAL, "f"),
            _use("1.39", Provider.OFFICIAL, "f"),
        )
    )

    assert [one.sdk for one in uses.of_minor("1.40")] == ["rust@1.39:official"]
    assert [one.sdk for one in uses.of_minor("1.39")] == ["rust@1.39:reference", "rust@1.39:official"]
    assert uses.of_minor("1.36") == ()
    assert uses.of_minor("unknown") == ()


def test_users_are_those_that_call_or_define() -> None:
    users = Users((_use("1.39", Provider.OFFICIAL, "f", some=("g",), hooks=("h", "i")),))

    assert [use.extent for use in users.of(("f",))] == [Extent.EVERY]
    assert [use.extent for use in users.of(("g",))] == [Extent.SOME]
    assert [use.extent for use in users.of(("h",))] == [Extent.SOME]
    assert users.of(("x",)) == ()
    assert users.lacking("new", frozenset({"h"}))
    assert not users.lacking("i", frozenset({"h"}))
    assert not users.lacking("new", frozenset({"of_another_point"}))


@pytest.mark.parametrize(
    ("language", "name"), [(Language.RUST, "src/http.rs"), (Language.GO, "abi/http.go"), (Language.CPP, "http.cc")]
)
def test_sources_call_what_they_name_outside_of_comments_and_tests(tmp_path: Path, language: Language, name: str) -> None:
    def write(path: str, text: str) -> None:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    called, other = "envoy_dynamic_module_callback_http_f", "envoy_dynamic_module_callback_http_not_called"
    write(name, f"// see {other}_a\n/* or\n {other}_b */\nx = {called}(1) // {other}_c\n")
    write(f"mocks/{name}", f"{other}_d()")
    write(name.replace("http.", "http_test."), f"{other}_e()")
    write("notes.txt", f"{other}_f")
    write("abi/abi.h" if language is not Language.CPP else "notes.md", f"void {other}_g(void);")

    assert callbacks_in(tmp_path, language) == {called}


def test_what_cannot_be_measured_now_stays_on_record() -> None:
    before = SdkUses((_use("1.38", Provider.OFFICIAL, "f", some=("g",)), _use("1.39", Provider.OFFICIAL, "f", some=("g",))))

    after = merged(before, (Measured(_use("1.39", Provider.OFFICIAL, "f", "e"), sources_problem="not reached"),))

    assert after.sdks[0] == before.sdks[0]
    assert after.sdks[1] == _use("1.39", Provider.OFFICIAL, "f", "e", some=("g",))
    fresh = merged(before, (Measured(_use("1.39", Provider.OFFICIAL, "f")),))
    assert fresh.sdks[1].some == ()


def test_there_is_a_record() -> None:
    assert recorded() == load_sdk_uses()


_FROZEN, _DEPRECATION, _HOOKS = PolicyRule.FROZEN, PolicyRule.DEPRECATION, PolicyRule.OPTIONAL_HOOKS


@pytest.mark.parametrize(
    ("old", "new", "broken", "binds"),
    [
        ("1.37", "1.38", {_FROZEN: 1, _HOOKS: 11}, False),
        ("1.38", "1.39", {_FROZEN: 8, _DEPRECATION: 6, _HOOKS: 1}, False),
        ("1.38", "1.40", {_FROZEN: 8, _DEPRECATION: 6, _HOOKS: 1}, True),
        ("1.39", "1.40", {}, True),
    ],
)
def test_which_rules_of_the_policy_the_releases_keep(old: str, new: str, broken: dict[PolicyRule, int], binds: bool) -> None:
    found = diff(of_minor(old), of_minor(new), load_sdk_uses(), measured_needs())

    verdicts = {one.rule: one for one in found.policy}
    assert verdicts.keys() == set(PolicyRule)
    assert {rule: len(one.broken_by) for rule, one in verdicts.items() if one.status is RuleStatus.BROKEN} == broken
    assert found.binds is binds
    assert RuleStatus.UNKNOWN not in {one.status for one in verdicts.values()}
    if old == "1.38":
        (hook,) = verdicts[_HOOKS].broken_by
        assert hook.subject == "envoy_dynamic_module_on_transport_socket_start_secure_transport"
        assert {one.subject for one in verdicts[_DEPRECATION].broken_by} == _GONE_IN_1_39
    if old == "1.39":
        assert f"{_CALLBACK}log_v2 is new" in verdicts[PolicyRule.ADDITION].remarks
        assert len(verdicts[PolicyRule.ENUM_DIRECTION].remarks) == 3
        assert answer_line(found).text == "✓ Nothing breaks what was released, as far as a nearby header shows"
    uncertain = {_FROZEN, PolicyRule.ADDITION, PolicyRule.ENUM_DIRECTION} if new == "1.40" else set()
    assert {rule for rule, one in verdicts.items() if not one.certain} == uncertain


def test_of_a_binary_no_rule_is_held_that_needs_signatures() -> None:
    names = tuple(Function(one.name, one.kind) for one in load_abi(paths.ABI, "1.40").functions)
    binary = msgspec.structs.replace(load_abi(paths.ABI, "1.40"), sources={}, types=(), functions=names)

    found = diff(of_minor("1.39"), Operand("binary envoy", binary, "1.40", "1.40.0"), load_sdk_uses(), measured_needs())

    status = {one.rule: one.status for one in found.policy}
    assert {rule for rule, one in status.items() if one is RuleStatus.UNKNOWN} == {_FROZEN, PolicyRule.ENUM_DIRECTION}
    assert RuleStatus.BROKEN not in status.values()
    assert answer_line(found).text.startswith("? Nothing is known to break")
