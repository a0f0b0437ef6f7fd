"""The differential test on both sides of Envoy's router, with hosts that are made up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.versions import Minor
from dmconform.envoy.client import Answer
from dmconform.envoy.extension_points.draft import Draft
from dmconform.envoy.extension_points.shapes import Drive
from dmconform.envoy.extension_points.upstreams import OWN_CLUSTER, route_to_own_cluster
from dmconform.envoy.extension_points.use import Attempt, AttemptEnd, Phase, SentExchange
from dmconform.measure.differential import calls as run
from dmconform.measure.differential.calls import EnvoyJob, Side, Target, jobs_of
from dmconform.measure.differential.compare_hosts import DifferentialTest, WantedRuns, compare_hosts
from dmconform.measure.differential.differences import DifferenceKind
from dmconform.measure.differential.generate import plan_calls
from dmconform.measure.differential.known import KnownDifference
from dmconform.measure.differential.present import as_markdown
from dmconform.measure.differential.rules import Alone

from tests.unit.differential_samples import HEADERS, abi, callback, rules

OWN = Target("1.39.3", Minor(1, 39), Path("/no/envoy"))
PATCH = Target("1.39.1", Minor(1, 39), Path("/no/envoy"))
NEXT = Target("1.40.0", Minor(1, 40), Path("/no/envoy"))
STOPS = Alone(("http_stops",), HEADERS)
RECORD = KnownDifference("sides", "1.3?", "*", ("http_f",), DifferenceKind.CHANGED, "why", "where", (), sides=True)
Host = Callable[[str], tuple[AttemptEnd, str]]
"""Gives for a folder's name how an attempt ends, and what the callback gives."""


def play(monkeypatch: pytest.MonkeyPatch, host: Host) -> list[dict[str, Any]]:
    """Puts a made-up host in the place of real ones; gives the options of each attempt."""
    seen: list[dict[str, Any]] = []

    def attempt(_: Path, __: object, folder: Path, **options: Any) -> Attempt:  # noqa: ANN401 - of the real one
        seen.append({**options, "folder": folder.name})
        ended, value = host(folder.name)
        log = "\n".join(
            f"dmconform-differential {what}" for what in (f"begin {HEADERS} http_f 0", f"result {HEADERS} http_f 0 = {value}")
        )
        return Attempt(ended, Phase.DRIVING, "in words", log, (SentExchange("GET /", Answer(200)),))

    monkeypatch.setattr(run, "attempt", attempt)
    return seen


def compared(
    monkeypatch: pytest.MonkeyPatch, folder: Path, host: Host, *known: KnownDifference, others: tuple[Target, ...] = ()
) -> DifferentialTest:
    """The result for a module with one callback, and one that is called alone."""
    play(monkeypatch, host)
    wanted = WantedRuns(abi(callback("http_f"), callback("http_stops")), OWN, others)
    return compare_hosts([wanted], rules(alone=(STOPS,)), known, {}, lambda _: folder / "lib.so", folder, lambda _: None)


def works(value: str = "return=1") -> tuple[AttemptEnd, str]:
    return AttemptEnd.WORKED, value


def upstream_gives(value: str) -> Host:
    """A host on whose upstream side the callback gives something else."""
    return lambda folder: works(value if "-upstream" in folder else "return=1")


def test_http_filters_are_run_on_both_sides() -> None:
    jobs = jobs_of(plan_calls(abi(callback("http_f"), callback("http_stops")), rules(alone=(STOPS,))), Minor(1, 39))
    assert [(job.side, job.alone is not None) for job in jobs] == [
        *((None, False), (None, True)),
        *((side, alone) for alone in (False, True) for side in Side),
    ]
    assert len({job.name for job in jobs}) == len(jobs)


def test_where_the_filter_is_and_what_is_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = play(monkeypatch, lambda _: works())
    caller = run.Caller(plan_calls(abi(callback("http_f")), rules()), tmp_path / "lib.so", tmp_path, 1)
    for side in (None, *Side):
        caller.run(OWN, EnvoyJob(ExtensionPoint.HTTP_FILTER, side=side))
    assert [(one["driven_by"], one["alter"] and one["alter"].keywords) for one in seen] == [
        (None, None),
        (Drive.PROXIED, {"upstream": True}),
        (Drive.PROXIED, {"upstream": False}),
    ]


@pytest.mark.parametrize("upstream", [True, False])
def test_both_sides_have_a_cluster_that_the_module_does_not_use(upstream: bool, tmp_path: Path) -> None:
    draft = Draft.plain(tmp_path, 1)
    draft.manager["http_filters"].insert(0, {"name": "module"})
    route_to_own_cluster(draft, upstream=upstream)
    plain, own = draft.bootstrap["static_resources"]["clusters"]
    assert (plain["name"], own["name"], draft.route["route"]["cluster"]) == ("upstream", OWN_CLUSTER, OWN_CLUSTER)
    (options,) = own["typed_extension_protocol_options"].values()
    assert [one["name"] for one in options.get("http_filters", ())] == (["module", "codec"] if upstream else [])
    assert [one["name"] == "module" for one in draft.manager["http_filters"]] == ([False] if upstream else [True, False])
    assert "http_filters" not in next(iter(plain["typed_extension_protocol_options"].values()))


def test_what_the_sides_of_a_host_give_is_compared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = compared(monkeypatch, tmp_path, upstream_gives("return=2"))
    own, sides = found.pairs
    assert (own.is_own, own.sides, sides.is_own, sides.sides) == (True, False, False, True)
    (difference,) = sides.unrecorded
    assert (difference.callback, difference.changes) == ("http_f", (f"{HEADERS}#1: return 1 -> 2",))
    assert found.broken and "upstream and downstream side" in as_markdown(found)
    assert found.coverages[0].upstream == 2


def test_a_record_of_the_sides_is_for_them_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    recorded = compared(monkeypatch, tmp_path / "1", upstream_gives("return=2"), RECORD)
    assert not recorded.broken and recorded.pairs[1].differences[0].record == "sides"
    of_hosts = compared(monkeypatch, tmp_path / "2", upstream_gives("return=2"), replaced(RECORD))
    assert of_hosts.broken and not of_hosts.pairs[1].stale
    (stale,) = compared(monkeypatch, tmp_path / "3", upstream_gives("return=1"), RECORD).pairs[1].stale
    assert stale.startswith("sides: 'http_f' on 1.39.3")


def replaced(record: KnownDifference) -> KnownDifference:
    """The same record, about hosts."""
    import msgspec

    return msgspec.structs.replace(record, sides=False)


def test_sides_are_compared_on_hosts_of_the_own_minor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = compared(monkeypatch, tmp_path, upstream_gives("return=2"), others=(PATCH, NEXT))
    assert [(pair.host, pair.sides, len(pair.differences)) for pair in found.pairs] == [
        *((one.host, False, 0) for one in (OWN, PATCH, NEXT)),
        *((one.host, True, 1) for one in (OWN, PATCH)),
    ]


def test_another_host_differs_on_its_upstream_side(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = compared(
        monkeypatch,
        tmp_path,
        lambda folder: works("return=2" if "1.40.0" in folder and "upstream" in folder else "return=1"),
        others=(NEXT,),
    )
    assert [len(pair.differences) for pair in found.pairs] == [0, 1, 0]


def test_a_call_apart_that_hangs_twice_ends_the_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plan = plan_calls(abi(callback("http_stops")), rules(alone=(STOPS,)))
    job = replace(EnvoyJob(ExtensionPoint.HTTP_FILTER, plan.calls[0]), side=Side.UPSTREAM)
    for ends, expected in ((AttemptEnd.HUNG,) * 2, True), ((AttemptEnd.HUNG, AttemptEnd.WORKED), False):
        left = iter(ends)
        play(monkeypatch, lambda _, left=left: (next(left), "return=1"))  # type: ignore[misc]
        found = run.Caller(plan, tmp_path / "lib.so", tmp_path, 1).run(OWN, job)
        assert (found.ends == {(HEADERS, "http_stops"): "in words"}) is expected and not found.problem
