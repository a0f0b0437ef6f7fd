"""Ways to make the cases wrong of what a process has once: stats sinks, bootstrap extensions and validators."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import ModuleType

import pytest
from dmconform.casekit.at_points import bootstrap_extension, config_validator, stat_sink
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Language, Outcome
from dmconform.envoy.client import Answer
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.use import ModuleUse

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import NEWEST, Wrong
from tests.hosts.wrong.points import LACKS, soon, used, wrong_at

at_sink = partial(wrong_at, ExtensionPoint.STAT_SINK)
at_extension = partial(wrong_at, ExtensionPoint.BOOTSTRAP_EXTENSION)
at_validator = partial(wrong_at, ExtensionPoint.CONFIG_VALIDATOR, host=NEWEST)


def driven_with(driver: ModuleType, **changes: object) -> Sabotage:
    """The driver sends or expects something else."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        for name, value in changes.items():
            patch.setattr(driver, name, value)
        return bench

    return soon(apply)


def page_says(old: str, new: str) -> Sabotage:
    """The admin interface answers with another text."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        page = bootstrap_extension._page
        patch.setattr(bootstrap_extension, "_page", lambda *given: [one.replace(old, new) for one in page(*given)])
        return bench

    return soon(apply)


def judged_by(name: str, text: str) -> Sabotage:
    """Another validator judges what the discovery server sends."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        patch.setattr(config_validator, "ModuleUse", lambda point, module, *_: ModuleUse(point, module, name, text))
        return bench

    return soon(apply)


def sent(**changes: object) -> Sabotage:
    """The discovery server sends something else."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        judged = config_validator._judged
        patch.setattr(
            config_validator,
            "_judged",
            lambda envoy, server, update: judged(envoy, server, replace(update, **changes)),
        )
        return bench

    return soon(apply)


def no_statistic(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """No statistic is there by its name."""
    patch.setattr(Envoy, "statistic", lambda *_: None)
    return bench


def page_text(old: str, new: str) -> Sabotage:
    """Any page of the admin interface has another text."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        admin = Envoy.admin

        def changed(envoy: Envoy, path: str, method: str = "GET") -> Answer:
            answer = admin(envoy, path, method)
            return replace(answer, body=answer.body.replace(old, new))

        patch.setattr(Envoy, "admin", changed)
        return bench

    return soon(apply)


def no_counters(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """No module counts anything."""
    counters = Envoy.counters
    patch.setattr(Envoy, "counters", lambda envoy, prefix: {} if "dynamic" in prefix else counters(envoy, prefix))
    return bench


GIVEN = "expected the sink to be given"
GO = Language.GO

TABLE: tuple[Wrong, ...] = (
    at_sink("works", "another text", used(config="another"), "expected the sink .text of its own. to be given", language=GO),
    at_sink("works", "it has another text", used(config="another"), "expected the sink .text of its own. to be given"),
    at_sink("works", "it writes nothing", used(name="panic", config="none"), "expected the sink .text of its own. to be given"),
    at_sink("works", "another value", soon(sabotage.log_says("upstream_rq_200=3", "upstream_rq_200=4")), f"{GIVEN} of the"),
    at_sink("works", "another text", soon(sabotage.log_says("version_text=", "version_text=x")), f"{GIVEN} listener_manager"),
    at_sink("works", "no growth", soon(sabotage.log_says("upstream_rq_total=3+3", "upstream_rq_total=3+0")), f"{GIVEN} 3 req"),
    at_sink("works", "no values", soon(sabotage.log_says("samples=3", "samples=0")), f"{GIVEN} 3 values of a hist.* 0"),
    at_sink(
        "works",
        "it took longer",
        soon(sabotage.log_says("samples=3 milliseconds=", "samples=3 milliseconds=9999")),
        "expected times of",
    ),
    at_sink(
        "works", "another gauge", driven_with(stat_sink, _FLUSHES="dmconform_none"), "expected the sink's gauge to be from"
    ),
    at_sink("works", "the SDK has none", LACKS, "has stats sinks", Outcome.NOT_APPLICABLE),
    at_extension("works", "it has another text", used(config="another"), "expected a page .* that begins with 'rust .text of"),
    at_extension("works", "the start is not seen", page_says("server_init", "x"), "expected the start to be"),
    at_extension("works", "the timer does not run out", page_says("timer", "x"), "expected the start to be"),
    at_extension("works", "it does not count", soon(no_counters), "expected the module to count .*dmconform_timers"),
    at_extension("works", "no request", page_says("callout true", "callout false"), "expected .* to send a request"),
    at_extension("works", "no answer", page_says("done true 200", "done false "), "expected the .* to be answered"),
    at_extension("works", "another request", page_says('"GET"', '"PUT"'), "expected .* to get GET /dmconform"),
    at_extension("works", "no listener comes", page_says("add_or_update", "x"), "expected .* hear of a listener that comes"),
    at_extension("works", "no listener goes", page_says("listener_removal", "x"), "expected .* hear of a listener that goes"),
    at_extension(
        "works", "no labels", page_text("dmconform_heard", "x"), "expected the module to count with labels dmconform_he"
    ),
    at_extension(
        "works", "no file", page_says("watch true", "watch false"), "expected the module to watch a file, saw 'watch f"
    ),
    at_extension("works", "no cluster comes", page_says("cluster_add", "x"), "expected .* hear of a cluster that comes"),
    at_extension("works", "no file changes", page_says("file_changed", "x"), "expected .* hear of a file that takes the place"),
    at_extension("works", "no cluster goes", page_says("cluster_removal", "x"), "expected .* hear of a cluster that goes"),
    at_extension("works", "no drain", page_says("drain_started", "x"), "expected .* hear of the beginning of the drain"),
    at_extension(
        "works", "no end", soon(sabotage.log_without("shutdown")), "expected the module to hear once that the Envoy ends"
    ),
    at_extension("works", "the SDK has none", LACKS, "has bootstrap extensions", Outcome.NOT_APPLICABLE),
    at_extension("ends", "it has no page", used(name="panic", config="none"), "expected something .* to have begun"),
    at_validator("works", "it has another text", used(config="another"), "expected the module to be given the text"),
    at_validator(
        "works", "it takes all", judged_by("panic", "none"), "expected an update to be rejected by GRPC with .*, saw ''"
    ),
    at_validator("works", "it takes none", judged_by("panic", "validate"), "expected an update to be accepted by GRPC, it was"),
    at_validator("works", "another text rejects", judged_by("clusters", "x"), "expected an update to be rejected by GRPC with"),
    at_validator("works", "nothing is removed", sent(removed=()), "expected .*'removed: first;' by DELTA_GRPC"),
    at_validator("works", "other clusters", driven_with(config_validator, _clusters=lambda _: ()), "expected the clusters to"),
    at_validator("works", "it is not counted", no_statistic, "expected one update to be counted as rejected by GRPC"),
    at_validator("works", "the SDK has none", LACKS, "has validators", Outcome.NOT_APPLICABLE),
    at_validator("ends", "it rejects all", used(name="panic", config="validate"), "expected traffic to be served, .*rejected"),
)
