"""The data of modules with a fault: read, grouped, renewed, written; and the page that is made of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from dmconform.abi.bindings.stub_module import NULL_VARIABLE, instance_hooks, stub_module
from dmconform.abi.fault_reactions import FILE, Counted, Fate, Faults, NullFact, PointFaults, faults_json, load_faults, merged
from dmconform.abi.loading import load_abi
from dmconform.abi.required_hooks import Without, load_required_hooks
from dmconform.core import paths
from dmconform.core.errors import DataFileError
from dmconform.core.extension_point import HOOK_PREFIX, ExtensionPoint
from dmconform.envoy.extension_points.shapes import points_of, why_unreachable
from dmconform.hosts.catalogue import load_hosts
from dmconform.measure.faults.page import counted_words, faults_page, null_words, runs

from tests.recorded import assert_page, assert_recorded

MATCHER, TRACER = ExtensionPoint.MATCHER, ExtensionPoint.TRACER
COUNTED = Counted({"config_init_error.config_name.name": 1})


def facts(point: ExtensionPoint, *releases: str, fate: Fate = Fate.REFUSED) -> PointFaults:
    return PointFaults(point, releases, {"a": COUNTED}, {"a_new": NullFact(fate, counted=COUNTED, message="no")})


def test_the_repositorys_data_cover_every_known_release_and_point() -> None:
    data = load_faults()
    hosts = load_hosts(paths.HOSTS_FILE)
    releases = [host.release for host in hosts]
    assert_recorded(FILE, "releases", data.releases, releases, "dmconform abi faults --host RELEASE, for each of them")
    for host in hosts:
        for point in ExtensionPoint:
            found = data.of(host.release, point)
            assert (found is not None) == (point in points_of(host.version.minor)), (host.release, point)
            if found is not None:
                assert bool(found.problem) == bool(why_unreachable(point)), (host.release, point, found.problem)
                assert found.problem or found.null.keys() >= {"program_init"}, (host.release, point)


def test_they_agree_with_the_hooks_that_are_required() -> None:
    """Both measure which hooks a host refuses to do without."""
    data, required = load_faults(), load_required_hooks()
    for release in data.releases:
        for point in ExtensionPoint:
            found, hooks = data.of(release, point), required.facts(release, point)
            assert (found is None) == (hooks is None)
            if found is not None and hooks is not None:
                refused = {name for name, fact in hooks.hooks.items() if fact.without is Without.REFUSED}
                assert found.lacks.keys() == refused, (release, point)


def test_they_are_written_as_the_tool_writes_them() -> None:
    data = load_faults()
    assert FILE.read_text() == faults_json(data)
    assert merged(data.points) == data, "expected releases that are alike to share an entry"


def test_the_page_is_the_one_of_the_data() -> None:
    assert_page("docs/faults.md", faults_page(load_faults()), "dmconform abi faults --page")


def test_releases_that_are_alike_share_an_entry_and_a_renewed_one_leaves_it() -> None:
    data = merged([facts(TRACER, "1.40.0"), facts(MATCHER, "1.39.3"), facts(MATCHER, "1.38.3")])
    assert [(one.point, one.releases) for one in data.points] == [(MATCHER, ("1.38.3", "1.39.3")), (TRACER, ("1.40.0",))]
    after = data.replaced([facts(MATCHER, "1.39.3", fate=Fate.CRASHES)])
    assert [(one.point, one.releases, one.null["a_new"].fate) for one in after.points] == [
        (MATCHER, ("1.38.3",), Fate.REFUSED),
        (MATCHER, ("1.39.3",), Fate.CRASHES),
        (TRACER, ("1.40.0",), Fate.REFUSED),
    ]
    assert after.of("1.40.0", MATCHER) is None


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    data = Faults((facts(MATCHER, "1.39.0"), PointFaults(TRACER, ("1.39.0",), problem="why")))
    file = tmp_path / "faults.json"
    file.write_text(faults_json(data))
    assert load_faults(file) == data


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"schema": 2}, "schema 2"),
        ({"more": 1}, "unknown field"),
        ({"points": [{"point": "nowhere", "releases": []}]}, "nowhere"),
        ({"points": [{"point": "matcher", "releases": ["1.39"]}]}, "not a release"),
        ({"points": [{"point": "matcher", "releases": ["1.39.0", "1.39.0"]}]}, "duplicate"),
        ({"points": [{"point": "matcher", "releases": ["1.39.0"], "null": {"a": {"fate": "dances"}}}]}, "dances"),
    ],
)
def test_mistakes_in_the_file_are_named(tmp_path: Path, change: dict[str, object], problem: str) -> None:
    file = tmp_path / "faults.json"
    file.write_text(json.dumps({"schema": 1, "points": [], **change}))
    with pytest.raises(DataFileError, match=problem):
        load_faults(file)


@pytest.mark.parametrize(
    ("counted", "words"),
    [
        (Counted(), "none"),
        (Counted(unseen=True), "not seen"),
        (COUNTED, "`config_init_error`"),
        (Counted({"module_load_error.config_name.default": 2}), "`module_load_error` of `default` 2 times"),
    ],
)
def test_counters_in_words(counted: Counted, words: str) -> None:
    assert counted_words(counted) == words


def test_a_null_in_words() -> None:
    assert null_words(NullFact(Fate.REFUSED, counted=COUNTED), "1.38.3") == "configuration refused"
    assert (
        null_words(NullFact(Fate.REFUSED, counted=COUNTED), "1.39.0") == "configuration refused; counted: `config_init_error`"
    )
    assert null_words(NullFact(Fate.REFUSED), "1.39.0") == "configuration refused; counted: none"
    same = NullFact(Fate.SAME, seen=("GET /: 200, via_upstream", "the datagram: passes on"), logged=("oh",))
    assert null_words(same, "1.40.0") == "no difference: the datagram: passes on; logged: “oh”"
    assert null_words(NullFact(Fate.DIFFERS, seen=("GET /: 500, why", "POST /: 500, why")), "1.40.0") == "all see 500 (why)"
    assert null_words(NullFact(Fate.CRASHES, message="Envoy ends"), "1.40.0") == "**Envoy ends**"


def test_neighbours_that_say_the_same_are_one() -> None:
    assert list(runs([("1", "a"), ("2", "a"), ("3", "b"), ("4", "a")])) == [("1 to 2", "a"), ("3", "b"), ("4", "a")]


def test_what_returns_an_instance() -> None:
    """By the signature where it is known, else by that of another minor, else by the name."""
    assert {"program_init", "tracer_start_span", "http_filter_new"} <= short(instance_hooks(load_abi(paths.ABI, "1.39")))
    assert "http_filter_destroy" not in short(instance_hooks(load_abi(paths.ABI, "1.39")))
    old = short(instance_hooks(load_abi(paths.ABI, "1.36"), (load_abi(paths.ABI, "1.37"),)))
    assert old == {"program_init", "http_filter_config_new", "http_filter_new", "http_filter_per_route_config_new"}
    assert "header_formatter_new" in short(instance_hooks(load_abi(paths.ABI, "1.40")))


def short(hooks: frozenset[str]) -> set[str]:
    return {hook.removeprefix(HOOK_PREFIX) for hook in hooks}


def test_a_nullable_module_asks_the_variable_and_looks_at_its_instances() -> None:
    abi = load_abi(paths.ABI, "1.39")
    plain, nullable = stub_module(abi), stub_module(abi, nullable=True)
    assert NULL_VARIABLE in nullable and NULL_VARIABLE not in plain
    asked = {line.split('"')[1] for line in nullable.splitlines() if line.startswith("  if (is_null(")}
    assert asked == instance_hooks(abi)
    name = re.escape(f"{HOOK_PREFIX}http_filter_destroy")
    (destroy,) = re.findall(rf"^void {name}\([^)]*\) {{\n(.*?)\n}}", nullable, re.MULTILINE | re.DOTALL)
    assert "touch(filter_module_ptr);" in destroy, destroy


def test_a_hook_without_a_signature_looks_where_its_relative_does() -> None:
    old, new = load_abi(paths.ABI, "1.36"), load_abi(paths.ABI, "1.37")
    source = stub_module(old, relatives=(new,), nullable=True)
    hook = source.partition(f"uint64_t {HOOK_PREFIX}http_filter_request_headers(")[2]
    assert "touch(p1);" in hook.partition("\n}")[0], hook[:300]
