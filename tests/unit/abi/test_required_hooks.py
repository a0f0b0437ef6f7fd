"""The data of required hooks: read, asked, grouped, renewed, written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dmconform.abi.required_hooks import (
    FILE,
    HookFact,
    PointFacts,
    RequiredHooks,
    Without,
    hooks_json,
    load_required_hooks,
    merged,
)
from dmconform.core import paths
from dmconform.core.errors import DataFileError
from dmconform.core.extension_point import ExtensionPoint
from dmconform.envoy.extension_points.shapes import points_of, why_unreachable
from dmconform.hosts.catalogue import load_hosts

from tests.recorded import assert_recorded

MATCHER, TRACER = ExtensionPoint.MATCHER, ExtensionPoint.TRACER
REFUSED = HookFact(Without.REFUSED, called=True, message="no")
WORKS = HookFact(Without.WORKS)


def facts(point: ExtensionPoint, *releases: str, **hooks: HookFact) -> PointFacts:
    return PointFacts(point, releases, hooks)


def test_the_repositorys_data_cover_every_known_release_and_point() -> None:
    data = load_required_hooks()
    hosts = load_hosts(paths.HOSTS_FILE)
    releases = [host.release for host in hosts]
    assert_recorded(FILE, "releases", data.releases, releases, "dmconform abi hooks --host RELEASE, for each of them")
    for host in hosts:
        for point in ExtensionPoint:
            found = data.facts(host.release, point)
            assert (found is not None) == (point in points_of(host.version.minor)), (host.release, point)
            if found is not None:
                assert bool(found.problem) == bool(why_unreachable(point)), (host.release, point, found.problem)
                assert bool(found.hooks) != bool(found.problem)
                assert found.problem or "program_init" in data.required(host.release, point)


def test_the_repositorys_data_are_written_as_the_tool_writes_them() -> None:
    data = load_required_hooks()
    assert FILE.read_text() == hooks_json(data)
    assert merged(data.points) == data, "expected releases that are alike to share an entry"


def test_what_is_required() -> None:
    data = RequiredHooks((facts(MATCHER, "1.39.0", a=REFUSED, b=WORKS, c=HookFact(Without.CRASHES)),))
    assert data.required("1.39.0", MATCHER) == {"a"}
    assert data.message("1.39.0", MATCHER, "a") == "no"
    assert data.message("1.39.0", MATCHER, "z") == ""
    assert data.required("1.39.0", TRACER) == data.required("1.40.0", MATCHER) == frozenset()


def test_hooks_of_per_route_configurations_count_only_with_one() -> None:
    per_route = HookFact(Without.REFUSED, per_route=True, message="no")
    data = RequiredHooks((facts(MATCHER, "1.39.0", a=REFUSED, b=per_route),))
    assert data.required("1.39.0", MATCHER) == {"a"}
    assert data.required("1.39.0", MATCHER, per_route=True) == {"a", "b"}
    assert data.lacking("1.39.0", MATCHER, ["a"]) == {}
    assert data.lacking("1.39.0", MATCHER, ["a"], per_route=True) == {"b": "no"}


def test_hooks_that_are_required_only_beside_each_other() -> None:
    one, other = (HookFact(Without.REFUSED, unless=(name,), message="both or neither") for name in ("other", "one"))
    data = RequiredHooks((facts(MATCHER, "1.40.0", one=one, other=other),))
    assert data.required("1.40.0", MATCHER) == frozenset()
    assert data.lacking("1.40.0", MATCHER, []) == {}
    assert data.lacking("1.40.0", MATCHER, ["envoy_dynamic_module_on_one"]) == {"other": "both or neither"}
    assert data.lacking("1.40.0", MATCHER, ["one", "other"]) == {}


@pytest.mark.parametrize(
    ("release", "nearest"),
    [("1.38.3", "1.38.3"), ("1.38.9", "1.38.3"), ("1.39.0-dev", "1.38.3"), ("1.41.0", "1.40.0"), ("1.37.0", None)],
)
def test_the_nearest_release(release: str, nearest: str | None) -> None:
    data = RequiredHooks((facts(MATCHER, "1.38.2", "1.38.3", a=REFUSED), facts(MATCHER, "1.40.0", a=WORKS)))
    assert data.nearest(release) == nearest


def test_releases_that_are_alike_share_an_entry_in_order() -> None:
    parts = [facts(TRACER, "1.40.0", a=WORKS), facts(MATCHER, "1.40.0", a=REFUSED), facts(MATCHER, "1.39.10", a=REFUSED)]
    parts += [facts(MATCHER, "1.39.9", a=REFUSED), facts(MATCHER, "1.38.3", a=WORKS)]
    assert merged(parts).points == (
        facts(MATCHER, "1.38.3", a=WORKS),
        facts(MATCHER, "1.39.9", "1.39.10", "1.40.0", a=REFUSED),
        facts(TRACER, "1.40.0", a=WORKS),
    )


def test_renewing_a_release_keeps_the_others() -> None:
    before = RequiredHooks((facts(MATCHER, "1.38.3", "1.39.3", a=REFUSED), facts(TRACER, "1.39.3", a=REFUSED)))
    after = before.replaced([facts(MATCHER, "1.39.3", a=WORKS)])
    assert after.points == (facts(MATCHER, "1.38.3", a=REFUSED), facts(MATCHER, "1.39.3", a=WORKS))


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    data = RequiredHooks((facts(MATCHER, "1.39.0", a=REFUSED, b=WORKS), PointFacts(TRACER, ("1.39.0",), {}, "why")))
    file = tmp_path / "hooks.json"
    file.write_text(hooks_json(data))
    assert load_required_hooks(file) == data


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"schema": 2}, "schema 2"),
        ({"more": 1}, "unknown field"),
        ({"points": [{"point": "nowhere", "releases": [], "hooks": {}}]}, "nowhere"),
        ({"points": [{"point": "matcher", "releases": ["1.39"], "hooks": {}}]}, "not a release"),
        ({"points": [{"point": "matcher", "releases": ["1.39.0", "1.39.0"], "hooks": {}}]}, "duplicate"),
        ({"points": [{"point": "matcher", "releases": ["1.39.0"], "hooks": {"a": {"without": "dances"}}}]}, "dances"),
    ],
)
def test_mistakes_in_the_file_are_named(tmp_path: Path, change: dict[str, object], problem: str) -> None:
    file = tmp_path / "hooks.json"
    file.write_text(json.dumps({"schema": 1, "points": [], **change}))
    with pytest.raises(DataFileError, match=problem):
        load_required_hooks(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="no such file"):
        load_required_hooks(tmp_path / "absent.json")
