"""At which extension points a module is used."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.binaries.facts import ModuleFacts
from dmconform.check.result import PointBasis
from dmconform.check.settings import Settings, WantedUse
from dmconform.check.uses import module_name, plan_uses, tried_use
from dmconform.core.errors import UsageError
from dmconform.core.extension_point import HOOK_PREFIX, ExtensionPoint

HTTP, NETWORK = ExtensionPoint.HTTP_FILTER, ExtensionPoint.NETWORK_FILTER
TRACER, MATCHER, DNS = ExtensionPoint.TRACER, ExtensionPoint.MATCHER, ExtensionPoint.DNS_RESOLVER


def module(*points: ExtensionPoint) -> ModuleFacts:
    return ModuleFacts("00", 1, hooks=(f"{HOOK_PREFIX}program_init", *(f"{HOOK_PREFIX}{point.value}_new" for point in points)))


@pytest.mark.parametrize(
    ("points", "first", "later"),
    [
        ((TRACER,), TRACER, ()),
        ((TRACER, HTTP), HTTP, (TRACER,)),
        ((TRACER, NETWORK, MATCHER), NETWORK, (MATCHER, TRACER)),
        ((DNS, TRACER), TRACER, ()),  # no configuration reaches the first
    ],
)
def test_the_likeliest_comes_first_and_the_others_later(
    points: tuple[ExtensionPoint, ...], first: ExtensionPoint, later: tuple[ExtensionPoint, ...]
) -> None:
    plan = plan_uses(Settings(name="n", config="c"), module(*points))
    (use,) = plan.uses
    assert (use.point, use.name, use.config) == (first, "n", "c")
    assert (tuple(one.point for one in plan.next), plan.note is not None) == (later, bool(later))
    assert use.basis is (PointBasis.LIKELIEST if later else PointBasis.ONLY)
    everything = plan_uses(Settings(all_points=True), module(*points))
    assert {one.basis for one in everything.uses} == {PointBasis.ALL}
    assert tuple(one.point for one in everything.uses) == (first, *later)


def test_without_a_hook_nothing_says_what_it_is_for() -> None:
    plan = plan_uses(Settings(), module())
    assert (plan.uses, plan.next) == ((), ())
    assert plan.note is not None
    assert "nothing says what it is for" in plan.note


def test_what_was_given_is_taken_if_the_module_has_a_hook_of_it() -> None:
    uses = (WantedUse(MATCHER),)
    assert plan_uses(Settings(uses=uses), module(MATCHER, HTTP)).uses == uses
    with pytest.raises(UsageError, match=r"extension point matcher: the module has no hook of it; it has hooks of http_filter"):
        plan_uses(Settings(uses=uses), module(HTTP))
    damaged = ModuleFacts("00", 1, problem="truncated")
    assert plan_uses(Settings(uses=uses), damaged).uses == uses, "of a damaged file nothing is known"


def test_a_use_shows_what_was_given() -> None:
    use = tried_use(WantedUse(HTTP, environment={"B": "secret"}), "of_the_file", {"A": "1"})
    assert (use.filter_name, use.name_given, use.config_bytes, use.config_given) == ("of_the_file", False, 0, False)
    assert use.environment == ("A", "B")
    use = tried_use(WantedUse(HTTP, "n", {"@type": "x"}), "of_the_file", {})
    assert (use.filter_name, use.name_given, use.config_bytes, use.config_given) == ("n", True, 13, True)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("libmy_filter.so", "my_filter"),
        ("my_filter.so", "my_filter"),
        ("libmy_filter.so.1.2.3", "my_filter"),
        ("_native.abi3.so", "_native.abi3"),
        ("lib.so", "module"),
        ("..", "module"),
        ("lib a:b\n.so", "_a_b_"),
    ],
)
def test_the_name_of_a_module(file: str, name: str) -> None:
    assert module_name(Path(file)) == name
