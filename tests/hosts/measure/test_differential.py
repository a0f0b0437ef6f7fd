"""The differential test over the callbacks on real Envoys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from dmconform.abi.loading import load_every_abi
from dmconform.core import paths
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Relation
from dmconform.core.versions import Minor
from dmconform.hosts.catalogue import load_hosts
from dmconform.hosts.obtain import from_release
from dmconform.matrix.prepare import lazy_engine
from dmconform.measure.differential.calls import MODULE, Caller, EnvoyJob, Gathered, Side, Target
from dmconform.measure.differential.compare_hosts import COMPILER_FLAGS, WantedRuns, compare_hosts
from dmconform.measure.differential.coverage import Cover
from dmconform.measure.differential.differences import DifferenceKind, RepeatedRuns, compare
from dmconform.measure.differential.generate import (
    ALTER_VARIABLE,
    CRASH_VARIABLE,
    ONLY_VARIABLE,
    CallPlan,
    module_source,
    plan_calls,
)
from dmconform.measure.differential.request import RULES, DifferentialRequest, run_request
from dmconform.measure.differential.rules import load_rules
from dmconform.measure.differential.upstream import observing_server
from dmconform.sdks.generated import compile_c

pytestmark = pytest.mark.host

MINOR = "1.39"
HOST = "1.39.3"
HTTP = EnvoyJob(ExtensionPoint.HTTP_FILTER)
HOOK = "http_filter_request_headers"


@dataclass(frozen=True)
class Made:
    """The module of a minor, and what it needs to run."""

    plan: CallPlan
    library: Path
    target: Target
    port: int

    def run(self, folder: Path, job: EnvoyJob = HTTP, environment: Mapping[str, str] | None = None) -> Gathered:
        """One job on the host of the module's minor."""
        return Caller(self.plan, self.library, folder, self.port, environment or {}).run(self.target, job)

    def number(self, callback: str) -> str:
        """The number of a call in the hook for request headers."""
        call = self.plan.call(callback, HOOK)
        assert call is not None, f"expected {callback} to be called in {HOOK}"
        return str(call.number)


@pytest.fixture(scope="module")
def made() -> Iterator[Made]:
    """The module of 1.39."""
    abis = load_every_abi()
    rules = load_rules(RULES, abis.values())
    plan = plan_calls(abis[MINOR], rules)
    cache = paths.cache_folder()
    known = next(host for host in load_hosts(paths.HOSTS_FILE) if host.release == HOST)
    host = from_release(known, cache, print)
    sources = {f"{MODULE}.c": module_source(plan, rules).encode()}
    with lazy_engine(cache) as engine, observing_server() as port:
        library = compile_c(MODULE, sources, cache, engine.toolchain, COMPILER_FLAGS)
        yield Made(plan, library, Target(HOST, Minor.parse(MINOR), Path(host.binary)), port)


def test_a_host_does_not_differ_from_itself(made: Made, tmp_path: Path) -> None:
    again = Target("the same", made.target.minor, made.target.binary)
    rules = load_rules(RULES, load_every_abi().values())
    wanted = WantedRuns(made.plan.abi, made.target, (again,))
    compared = compare_hosts([wanted], rules, (), {}, lambda _: made.library, tmp_path, print)
    assert [one.difference for one in compared.pairs[1].differences] == []
    assert compared.pairs[1].callbacks > 570


def few(made: Made, **more: str) -> Mapping[str, str]:
    """An environment in which few calls are made, whose values never change."""
    numbers = (made.number(name) for name in ("http_get_buffer_limit", "http_get_body_size", "http_get_headers_size"))
    return {ONLY_VARIABLE: ",".join(numbers), **more}


def test_a_value_that_is_altered_is_found_by_name(made: Made, tmp_path: Path) -> None:
    own = RepeatedRuns.of([made.run(tmp_path / "1", environment=few(made))])
    altered = few(made, **{ALTER_VARIABLE: made.number("http_get_buffer_limit")})
    (found,) = compare(HTTP, own, RepeatedRuns.of([made.run(tmp_path / "2", environment=altered)]))
    assert (found.callback, found.kind, found.hooks) == ("http_get_buffer_limit", DifferenceKind.CHANGED, (HOOK,))
    assert "altered nothing -> true" in found.changes[0]


def test_a_call_that_ends_the_host_is_named_and_the_rest_is_made(made: Made, tmp_path: Path) -> None:
    own = RepeatedRuns.of([made.run(tmp_path / "1", environment=few(made))])
    crashing = few(made, **{CRASH_VARIABLE: made.number("http_get_buffer_limit")})
    crashed = made.run(tmp_path / "2", environment=crashing)
    assert list(crashed.ends) == [(HOOK, "http_get_buffer_limit")]
    assert "SIGSEGV" in crashed.ends[HOOK, "http_get_buffer_limit"]
    (found,) = compare(HTTP, own, RepeatedRuns.of([crashed]))
    assert (found.callback, found.kind) == ("http_get_buffer_limit", DifferenceKind.ENDS)


def test_a_call_in_a_run_apart_shows_at_the_client(made: Made, tmp_path: Path) -> None:
    call = made.plan.call("http_send_response", HOOK)
    assert call is not None and call.alone is not None
    found = made.run(tmp_path, EnvoyJob(ExtensionPoint.HTTP_FILTER, call))
    saw = {
        words for key, words in found.reported.results.items() if key.callback == "http_send_response" and "=503" in words[0]
    }
    assert saw == {("GET_/direct=503", "GET_/=503", "POST_/=503")}


def test_a_call_that_ends_the_upstream_side_alone_is_named(made: Made, tmp_path: Path) -> None:
    call = made.plan.call("http_send_response_headers", HOOK)
    ended = {side: made.run(tmp_path / side.name, EnvoyJob(ExtensionPoint.HTTP_FILTER, call, side)).ends for side in Side}
    assert not ended[Side.DOWNSTREAM] and "SIGSEGV" in ended[Side.UPSTREAM][HOOK, "http_send_response_headers"]


def test_1_39_on_its_own_minor_and_the_next(tmp_path: Path) -> None:
    compared = run_request(DifferentialRequest((MINOR,), probes=False), tmp_path)
    own, following, sides = compared.pairs
    assert (own.host, own.is_own, following.host, following.relation) == (HOST, True, "1.40.0", Relation.SUPPORTED)
    assert not own.problems and not following.problems
    assert not following.unrecorded and not following.stale
    assert (sides.host, sides.sides, sides.callbacks > 90) == (HOST, True, True)
    assert not sides.unrecorded and not sides.stale
    assert "upstream-streamed-response" in {one.record for one in sides.differences}
    assert "addresses-have-ports" in {one.record for one in following.differences}
    (cover,) = compared.coverages
    assert cover.count(Cover.CALLED) > 570 and sum(cover.count(by) for by in Cover) == 607
    assert cover.upstream > 95
    assert not compared.broken and not compared.incomplete
