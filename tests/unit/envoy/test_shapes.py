"""The table of extension points, against the ABI data, and the configurations that it leads to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dmconform.abi.loading import load_abi
from dmconform.core import paths
from dmconform.core.extension_point import ExtensionPoint, point_of
from dmconform.core.versions import Minor
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.extension_points.draft import MAIN, Draft
from dmconform.envoy.extension_points.refusal import config_error
from dmconform.envoy.extension_points.shapes import SHAPES, available, points_of, why_unreachable
from dmconform.envoy.extension_points.use import ModuleUse

MINORS = tuple(Minor(1, number) for number in range(36, 41))
# The header of 1.38 declares its hooks, and no host of 1.38 looks them up: it has no message to configure it by.
DECLARED_EARLY = {(Minor(1, 38), ExtensionPoint.TRANSPORT_SOCKET)}
REACHABLE = [point for point, shape in SHAPES.items() if shape.apply]


def test_every_point_is_in_the_table() -> None:
    assert set(SHAPES) == set(ExtensionPoint)


@pytest.mark.parametrize("minor", MINORS, ids=str)
def test_the_table_fits_the_abi_data(minor: Minor) -> None:
    declared = {point_of(function.name) for function in load_abi(paths.ABI, str(minor)).functions if "_on_" in function.name}
    early = {point for at, point in DECLARED_EARLY if at == minor}
    assert set(points_of(minor)) == declared - early - {None}


def test_newer_minors_have_what_the_newest_known_one_has() -> None:
    assert set(points_of(Minor(1, 99))) == set(ExtensionPoint)
    assert not points_of(Minor(1, 35))
    assert not available(ExtensionPoint.TRACER, Minor(1, 37))


def test_what_cannot_be_reached_has_a_reason() -> None:
    for point, shape in SHAPES.items():
        assert (shape.apply is None) == (why_unreachable(point) is not None), point
    assert [point for point in ExtensionPoint if why_unreachable(point)] == [ExtensionPoint.DNS_RESOLVER]


def drafted(point: ExtensionPoint, folder: Path, use: ModuleUse | None = None) -> Draft:
    """The configuration that uses a module called `the-module` at a point."""
    draft = Draft.plain(folder, 1234)
    apply = SHAPES[point].apply
    assert apply is not None
    apply(draft, use or ModuleUse(point, ModuleRef("the-module"), "the-name", "the-text"))
    return draft


@pytest.mark.parametrize("point", REACHABLE, ids=lambda point: point.value)
def test_a_configuration_names_the_module_once(point: ExtensionPoint, tmp_path: Path) -> None:
    plain = Draft.plain(tmp_path, 1234)
    draft = drafted(point, tmp_path)
    text = json.dumps([draft.bootstrap, draft.listeners])
    assert text.count('"the-module"') == 1
    assert text.count('"the-text"') == 1
    assert text.count('"the-name"') == 1 or point is ExtensionPoint.HTTP_FILTER
    assert "the-module" not in json.dumps([plain.bootstrap, plain.listeners]), "expected drafts to share nothing"
    assert draft.written()[0].name == MAIN
    assert [one.to_json() for one in draft.written()] == draft.listeners


def test_a_module_reference_is_passed_on_as_it_is(tmp_path: Path) -> None:
    reference = ModuleRef("m", do_not_close=True, load_globally=True)
    draft = drafted(ExtensionPoint.TRACER, tmp_path, ModuleUse(ExtensionPoint.TRACER, reference, "n"))
    provider = draft.manager["tracing"]["provider"]["typed_config"]
    assert provider["dynamic_module_config"] == {"name": "m", "do_not_close": True, "load_globally": True}


def test_a_route_specifier_is_never_closed(tmp_path: Path) -> None:
    """Envoy refuses it otherwise."""
    (specifier,) = drafted(ExtensionPoint.ROUTE_SPECIFIER, tmp_path).virtual_host["route_specifiers"]
    assert specifier["typed_config"]["dynamic_module_config"]["do_not_close"] is True


def test_per_route_configuration_is_on_the_route_upstream_under_the_filters_name(tmp_path: Path) -> None:
    use = ModuleUse(ExtensionPoint.HTTP_FILTER, ModuleRef("m"), "f", "text", per_route={"a": 1})
    draft = drafted(ExtensionPoint.HTTP_FILTER, tmp_path, use)
    name = draft.manager["http_filters"][0]["name"]
    assert draft.route["typed_per_filter_config"][name]["filter_config"]["value"] == {"a": 1}
    assert "typed_per_filter_config" not in draft.virtual_host["routes"][0]


def test_an_envoy_that_ends_for_its_configuration_says_why() -> None:
    log = (
        "[2026-01-01 00:00:00.000][1][info][dynamic_modules] [a.cc:1] matched\n"
        "[2026-01-01 00:00:00.000][1][critical][main] [source/server/server.cc:449] error `Failed: 'x'\nsecond line` "
        "initializing config 'goo.gle/debugstr  \n  /a/bootstrap.json'\n"
    )
    assert config_error(log) == "Failed: 'x'\nsecond line"
    assert config_error("[critical][main] [a.cc:1] assert failure\n") is None
