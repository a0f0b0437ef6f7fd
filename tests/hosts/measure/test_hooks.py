"""Which hooks hosts require: measured anew, and compared with what the repository says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from dmconform.abi.required_hooks import FILE, HookFact, PointFacts, RequiredHooks, Without, load_required_hooks, merged
from dmconform.binaries.hide import without_symbols
from dmconform.core import paths
from dmconform.core.errors import HarnessError
from dmconform.core.extension_point import HOOK_PREFIX, ExtensionPoint
from dmconform.envoy.extension_points.use import AttemptEnd
from dmconform.hosts.catalogue import load_hosts
from dmconform.measure.hooks.measure import MODULE, hooks_at, measure
from dmconform.measure.new_host import reaction_differences
from msgspec.structs import replace as replaced

from tests.hosts.stubs import Stubs, stubs
from tests.recorded import assert_no_differences

pytestmark = pytest.mark.host

RELEASES = tuple(host.release for host in load_hosts(paths.HOSTS_FILE) if host.default)
NEWEST = RELEASES[-1]


@pytest.fixture(scope="module")
def hosts(upstream_port: int) -> Iterator[Stubs]:
    """The default hosts."""
    with stubs((), upstream_port) as them:
        yield them


def measured(hosts: Stubs, release: str, folder: Path, *only: ExtensionPoint) -> tuple[PointFacts, ...]:
    """A fresh measurement."""
    wanted = frozenset(only) if only else None
    one = (hosts.hosts[release],)
    return measure(one, folder, hosts.compiler, hosts.upstream_port, workers=2, progress=print, only=wanted)


def mismatches(data: RequiredHooks, release: str, fresh: tuple[PointFacts, ...]) -> list[str]:
    """The keys in which the data say something else than a measurement."""
    return reaction_differences(lambda point: data.facts(release, point), fresh)


@pytest.mark.parametrize("release", RELEASES)
def test_the_data_are_what_the_host_does(hosts: Stubs, tmp_path: Path, release: str) -> None:
    found = mismatches(load_required_hooks(), release, measured(hosts, release, tmp_path))
    assert_no_differences(FILE, release, found, f"dmconform abi hooks --host {release}")


def test_data_that_are_wrong_are_found(hosts: Stubs, tmp_path: Path) -> None:
    fresh = measured(hosts, NEWEST, tmp_path, ExtensionPoint.MATCHER)
    facts = fresh[0]
    fact = facts.hooks["matcher_match"]
    assert fact.without is Without.REFUSED
    key = "matcher.hooks.matcher_match"
    wrong: list[tuple[str, dict[str, HookFact | None]]] = [
        (f"{key}.without: recorded 'works', measured 'refused'", {"matcher_match": replaced(fact, without=Without.WORKS)}),
        (f"{key}.message: recorded 'other words', measured '", {"matcher_match": replaced(fact, message="other words")}),
        (f"{key}: recorded nothing, measured {{'without': 'refused'", {"matcher_match": None}),
        ("matcher.hooks.matcher_new: recorded {'without': 'refused'", {"matcher_new": fact}),
    ]
    assert not mismatches(merged(fresh), NEWEST, fresh)
    for line, change in wrong:
        hooks = {name: one for name, one in {**facts.hooks, **change}.items() if one is not None}
        (found,) = mismatches(merged([msgspec.structs.replace(facts, hooks=hooks)]), NEWEST, fresh)
        assert found.startswith(line)
    assert mismatches(merged([]), NEWEST, fresh) == ["matcher: recorded nothing, measured something"]


def test_an_erased_hook_is_as_good_as_one_that_was_never_there(hosts: Stubs, tmp_path: Path) -> None:
    """The measurement erases names from one module instead of compiling one for each hook."""
    for number, (point, hook) in enumerate(
        [
            (ExtensionPoint.HTTP_FILTER, "http_filter_new"),
            (ExtensionPoint.HTTP_FILTER, "http_filter_local_reply"),
            (ExtensionPoint.HTTP_FILTER, "program_init"),
            (ExtensionPoint.BOOTSTRAP_EXTENSION, "bootstrap_extension_shutdown"),
            (ExtensionPoint.CLUSTER, "cluster_shutdown"),
        ]
    ):
        erased = tmp_path / f"erased-{number}" / f"lib{MODULE}.so"
        erased.parent.mkdir()
        erased.write_bytes(without_symbols(hosts.build(NEWEST).read_bytes(), (f"{HOOK_PREFIX}{hook}",)))
        absent = hosts.build(NEWEST, without=(hook,))
        seen = [hosts.attempt(NEWEST, point, tmp_path / f"e-{number}-{path.parent.name}", path) for path in (erased, absent)]
        ends = [(one.ended, one.phase, one.message, [(e.request, e.answer.status) for e in one.answers]) for one in seen]
        assert ends[0] == ends[1], hook


def test_a_module_that_has_just_what_is_required_works(hosts: Stubs, tmp_path: Path) -> None:
    """All that the data call not required can go at once."""
    data = load_required_hooks()
    for release in RELEASES:
        abi = hosts.hosts[release].abi
        for point in ExtensionPoint:
            required = data.required(release, point)
            if not required:
                continue
            spare = tuple(name.removeprefix(HOOK_PREFIX) for name in hooks_at(abi, point))
            lacking = tuple(name for name in spare if name not in required)
            assert not data.lacking(release, point, required)
            if lacking:
                library = tmp_path / f"{release}-{point.value}-lib" / f"lib{MODULE}.so"
                library.parent.mkdir()
                names = tuple(f"{HOOK_PREFIX}{name}" for name in lacking)
                library.write_bytes(without_symbols(hosts.build(release).read_bytes(), names))
                seen = hosts.attempt(release, point, tmp_path / f"{release}-{point.value}", library)
                assert seen.ended is AttemptEnd.WORKED, (
                    f"{release}, {point.value}, without {lacking}: {seen.ended} {seen.message}"
                )


def test_a_module_that_does_not_compile_says_what_the_compiler_says(hosts: Stubs) -> None:
    with pytest.raises(HarnessError, match=r"libbroken\.so.*\n(.*\n)*.*error: .*nonsense"):
        hosts.compiler("broken", {"broken.c": b"nonsense here;\n"})
