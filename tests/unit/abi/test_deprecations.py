"""What headers mark as deprecated, as data: since when, what instead, and when it may go."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.abi.deprecations import deprecated_as, deprecations
from dmconform.abi.loading import load_every_abi
from dmconform.abi.policy import FILE, load_policy
from dmconform.abi.policy_rule import PolicyRule
from dmconform.abi.required_hooks import Without, load_required_hooks
from dmconform.abi.types import Deprecation, Documented
from dmconform.core import paths
from dmconform.core.errors import DataFileError
from dmconform.core.extension_point import CALLBACK_PREFIX, HOOK_PREFIX, point_of
from dmconform.core.versions import Minor
from dmconform.spec.cases import load_requirements

ABIS = {Minor.parse(minor): abi for minor, abi in load_every_abi().items()}
POLICY = load_policy()


def test_the_functions_that_real_headers_mark_are_on_record_since_1_38() -> None:
    known = deprecations(ABIS, POLICY)
    assert len(known) == 22
    assert {name.startswith(f"{CALLBACK_PREFIX}access_logger_") for name in known} == {True}
    assert {(one.since, one.earliest_removal) for one in known.values()} == {(Minor(1, 38), Minor(1, 42))}
    one = known[f"{CALLBACK_PREFIX}access_logger_is_mtls"]
    assert one.replacement[0] == f"{CALLBACK_PREFIX}access_logger_get_attribute_bool"
    functions = {function.name for function in ABIS[Minor(1, 40)].functions}
    assert known.keys() <= functions, "expected none to be gone yet"
    assert {name for one in known.values() for name in one.replacement if name.startswith(CALLBACK_PREFIX)} <= functions


@pytest.mark.parametrize(
    ("announced", "since", "removal"),
    [
        (Deprecation(), "1.41", "1.45"),
        (Deprecation(since="1.40"), "1.40", "1.44"),
        (Deprecation(since="1.40", earliest_removal="1.50"), "1.40", "1.50"),
        (Deprecation(since="1.40", earliest_removal="1.41"), "1.40", "1.44"),  # earlier than the policy allows
    ],
)
def test_what_a_header_says_counts_but_not_less_than_the_policy(announced: Deprecation, since: str, removal: str) -> None:
    found = deprecated_as("f", announced, Minor(1, 41), POLICY)
    assert (str(found.since), str(found.earliest_removal)) == (since, removal)


def test_no_hook_that_its_header_calls_optional_is_required_by_a_host() -> None:
    measured = load_required_hooks()
    seen = 0
    for minor, abi in ABIS.items():
        for hook in abi.functions:
            point = point_of(hook.name)
            facts = measured.facts(abi.measured_on, point) if point is not None else None
            fact = facts.hooks.get(hook.name.removeprefix(HOOK_PREFIX)) if facts else None
            if hook.documented is Documented.OPTIONAL and fact is not None:
                assert fact.without is Without.WORKS, f"{hook.name} on {minor}"
                seen += 1
    assert seen > 10


def test_each_rule_is_a_requirement() -> None:
    known = load_requirements(paths.SPEC_FILE)
    assert {one.id for one in POLICY.rules} == set(PolicyRule)
    assert {one.requirement for one in POLICY.rules} <= known.keys()
    assert not POLICY.binds(Minor(1, 39))
    assert POLICY.binds(Minor(1, 40))
    assert POLICY.binds(None)


def test_a_policy_that_lacks_a_rule_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(FILE.read_text().replace('id = "addition"', 'id = "frozen"'))
    with pytest.raises(DataFileError, match="each of these rules once"):
        load_policy(path)
