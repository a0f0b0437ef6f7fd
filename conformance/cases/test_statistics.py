"""Whether failures to load a module or its configuration are counted: each once, under the name of its configuration."""

from __future__ import annotations

import hashlib

from dmconform.casekit import (
    MODULE_SOURCE,
    Cell,
    Envoy,
    HttpFilter,
    Language,
    Listener,
    Manner,
    Minor,
    ModuleRef,
    PerRoute,
    RemoteSource,
    Reply,
    SourceServer,
    case,
    listener,
)

ONE = (Language.CPP,)
PREFIX = "dynamic_modules."
SINCE = Minor.parse("1.39")
NO_COUNTERS = "Envoy counts these failures from 1.39 on"


def assert_counted(envoy: Envoy, expected: dict[str, dict[str, int]]) -> None:
    """Asserts that the counters of failures are these, by kind and name of the configuration, and there is no other."""
    wanted = {f"{PREFIX}{kind}.config_name.{name}": n for kind, names in expected.items() for name, n in names.items()}
    seen = {name: value for name, value in envoy.counters(PREFIX).items() if value}
    assert seen == wanted, f"expected the counters {wanted}, saw {seen}"


def assert_rejected(envoy: Envoy, *listeners: Listener) -> None:
    """Asserts that the Envoy rejects these listeners."""
    assert not envoy.update(*listeners).accepted, "expected the configuration to be rejected, it was accepted"


@case("statistics.module_load_error", languages=ONE)
def test_module_load_error(cell: Cell) -> None:
    """A module that cannot be loaded is counted once for each configuration that names it."""
    cell.needs(cell.host_minor >= SINCE, NO_COUNTERS)
    cell.install("null_program_init")
    (cell.modules_folder / "libtext.so").write_text("no library", encoding="utf-8")
    with cell.start(listener("local_reply", "418")) as envoy:
        assert_counted(envoy, {})
        expected = {}
        for module in ("absent", "text", "null_program_init"):
            assert_rejected(envoy, listener(f"of_{module}", module=module))
            expected[f"of_{module}"] = 1
            assert_counted(envoy, {"module_load_error": expected})
        assert_rejected(envoy, listener("of_absent", "another text", module="absent"))
        assert_counted(envoy, {"module_load_error": expected | {"of_absent": 2}})


@case("statistics.module_load_error", languages=ONE)
def test_no_source(cell: Cell) -> None:
    """So is a configuration that does not say where the module is, or of a module without the function that initialises it."""
    cell.needs(cell.host_minor >= SINCE, NO_COUNTERS)
    cell.install("no_program_init")
    with cell.start(listener("local_reply", "418")) as envoy:
        expected = {}
        for name, module in (("nameless", ""), ("without_init", "no_program_init")):
            assert_rejected(envoy, listener(name, module=module))
            expected[name] = 1
            assert_counted(envoy, {"module_load_error": expected})


@case("statistics.config_init_error", languages=ONE)
def test_config_init_error(cell: Cell) -> None:
    """A configuration that the module refuses is counted once, as that and not as a module that cannot be loaded."""
    cell.needs(cell.host_minor >= SINCE, NO_COUNTERS)
    with cell.start(listener("local_reply", "418")) as envoy:
        assert_rejected(envoy, listener("refuse"))
        assert_counted(envoy, {"config_init_error": {"refuse": 1}})
        assert_rejected(envoy, listener("local_reply", "no status"))
        assert_counted(envoy, {"config_init_error": {"refuse": 1, "local_reply": 1}})


@case("statistics.per_route_config_error", languages=ONE)
def test_per_route_config_error(cell: Cell) -> None:
    """A per-route configuration that cannot be loaded, or that its module refuses, is counted once, as that alone."""
    cell.needs(cell.host_minor >= SINCE, NO_COUNTERS)
    with cell.start(listener("local_reply", "418")) as envoy:
        filter_ = HttpFilter(ModuleRef("probe"), "local_reply", "418")
        expected = {}
        for module in ("absent", "probe"):  # the probe's filters take none
            assert_rejected(envoy, Listener("main", (filter_,), (PerRoute(filter_.entry, ModuleRef(module), f"of_{module}"),)))
            expected[f"of_{module}"] = 1
            assert_counted(envoy, {"per_route_config_error": expected})


def assert_route_failure_counted(cell: Cell, config: str) -> None:
    """Asserts that a per-route configuration that fails in the module is rejected, and counted once each time."""
    cell.needs(cell.host_minor >= SINCE, NO_COUNTERS)
    filter_ = HttpFilter(ModuleRef("probe"), "per_route", "T")
    good, bad = (
        Listener("main", (filter_,), (PerRoute(filter_.entry, filter_.module, "per_route", R),)) for R in ("R", config)
    )
    with cell.start(good) as envoy:
        assert_counted(envoy, {})
        for number in (1, 2):
            assert_rejected(envoy, bad)
            assert_counted(envoy, {"per_route_config_error": {"per_route": number}})
        lines = envoy.admin("/stats/prometheus?filter=^dynamic_modules").body.splitlines()
        expected = 'envoy_dynamic_modules_per_route_config_error{config_name="per_route"} 2'
        assert expected in lines, f"expected the line {expected!r}, saw {lines}"
        route = envoy.request("/").headers.get("x-dmconform-route")
        assert route == "R", f"expected the routes before to serve on with 'R', saw {route!r}"


@case("statistics.per_route_config_error", "statistics.config_name")
def test_per_route_refused(cell: Cell) -> None:
    """A per-route configuration that the module refuses is counted each time, and the one before serves on."""
    assert_route_failure_counted(cell, "refuse")


@case("statistics.per_route_config_error", "errors.guard", supported_for=(Language.RUST,))
def test_per_route_panicked(cell: Cell) -> None:
    """One whose module panics too, where the SDK has a guard."""
    cell.needs(cell.sdk.panic_guard, "this SDK version has no guard")
    assert_route_failure_counted(cell, "panic")


@case("statistics.config_name", languages=ONE)
def test_config_name_tag(cell: Cell) -> None:
    """The name of the configuration is a tag of the counter, not a part of its name."""
    cell.needs(cell.host_minor >= SINCE, NO_COUNTERS)
    with cell.start(listener("local_reply", "418")) as envoy:
        assert_rejected(envoy, listener("of_absent", module="absent"))
        lines = envoy.admin("/stats/prometheus?filter=^dynamic_modules").body.splitlines()
        cell.facts["prometheus"] = "\n".join(lines)
        expected = 'envoy_dynamic_modules_module_load_error{config_name="of_absent"} 1'
        assert expected in lines, f"expected the line {expected!r}, saw {lines}"


def remote(
    source: SourceServer, name: str, data: bytes, *replies: Reply, nack: bool = False, digest_of: bytes | None = None
) -> Listener:
    """Offers a remote module, and returns a listener whose filter is of it."""
    source.offer(f"/{name}", *replies)
    digest = hashlib.sha256(digest_of or name.encode() + data).hexdigest()
    module = ModuleRef(name, remote=RemoteSource(f"/{name}", digest, nack_on_cache_miss=nack))
    return Listener(name, (HttpFilter(module, name),))


@case("statistics.remote_fetch_error", languages=ONE)
def test_remote_fetch_error(cell: Cell) -> None:
    """A remote module that cannot be fetched, or not be loaded once it is there, is counted once."""
    cell.needs(cell.host_minor >= SINCE, NO_COUNTERS)
    text = b"no library"
    with cell.source_server() as source:
        listeners = (
            remote(source, "not_found", text, Reply(text, 404)),
            remote(source, "server_error", text, Reply(text, 500)),
            remote(source, "cut", text, Reply(text, manner=Manner.CUT)),
            remote(source, "empty", text, Reply()),
            remote(source, "wrong_digest", text, Reply(text)),
            remote(source, "no_library", text, Reply(text), digest_of=text),
        )
        with cell.start_anyhow(
            *listeners, environment={"TMPDIR": str(cell.folder)}, clusters={MODULE_SOURCE: source.port}
        ) as envoy:
            assert_counted(envoy, {"remote_fetch_error": {one.name: 1 for one in listeners}})


@case("statistics.remote_fetch_error", languages=ONE)
def test_cache_miss_is_a_remote_fetch_error(cell: Cell) -> None:
    """A configuration that is rejected because its remote module is not there yet is counted once."""
    cell.needs(cell.host_minor >= SINCE, NO_COUNTERS)
    with cell.source_server() as source:
        missed = remote(source, "missed", b"", Reply(status=404), nack=True)
        with cell.start_anyhow(
            missed, environment={"TMPDIR": str(cell.folder)}, clusters={MODULE_SOURCE: source.port}
        ) as envoy:
            assert not envoy.first_update.accepted, "expected the configuration to be rejected, it was accepted"
            assert_counted(envoy, {"remote_fetch_error": {"missed": 1}})


METRICS = ("dmconform_count", "dmconform_level", "dmconform_size")
BY_DEFAULT = "dynamicmodulescustom"


def assert_metrics_under(cell: Cell, module: ModuleRef, namespace: str) -> None:
    """Asserts that a module's own metrics are in a namespace, with the values that three requests leave, and nowhere else."""
    with cell.start(listener("metrics", module=module)) as envoy:
        for number in range(3):
            status = envoy.request(f"/{number}").status
            assert status == 200, f"expected status 200, saw {status}"
        count, level, size = (f"{namespace}.{name}" for name in METRICS)
        values = {count: envoy.statistic(count), level: envoy.statistic(level), size: envoy.read_histogram(size, 3)}
        names = {line.partition(":")[0] for line in envoy.admin("/stats?filter=dmconform_").body.splitlines()}
        cell.facts["metrics"] = ", ".join(sorted(names & {*values}) or sorted(names))
        cell.facts["prometheus"] = "\n".join(
            line for line in envoy.admin("/stats/prometheus?filter=dmconform_count").body.splitlines() if line[:1] != "#"
        )
    expected = {count: 6, level: 5, size: {3.0: 3}}
    assert values == expected, f"expected the metrics {expected}, saw {values}; Envoy has {sorted(names)}"
    assert names == {*expected}, f"expected the metrics {sorted(expected)} and no others, Envoy has {sorted(names)}"


@case("statistics.custom_metrics", "window.forward", "policy.result")
def test_custom_metrics(cell: Cell) -> None:
    """A module's own counter, gauge and histogram are under `dynamicmodulescustom`, with exact values."""
    assert_metrics_under(cell, ModuleRef("probe"), BY_DEFAULT)


@case("statistics.custom_metrics")
def test_metrics_namespace(cell: Cell) -> None:
    """With `metrics_namespace` they are under that, and not under the default."""
    cell.needs(cell.host_minor >= Minor(1, 38), "Envoy has metrics_namespace from 1.38 on")
    assert_metrics_under(cell, ModuleRef("probe", metrics_namespace="my_own"), "my_own")


@case("statistics.new_in_1_39", languages=ONE, supported_for=())
def test_new_in_1_39(cell: Cell) -> None:
    """Hosts have these counters from 1.39 on; those before have none of them, whatever fails."""
    cell.install()
    with cell.start_anyhow(Listener("plain"), search_path=cell.modules_folder) as envoy:
        assert_rejected(envoy, listener("of_absent", module="absent"))
        assert_rejected(envoy, listener("refuse"))
        seen = envoy.counters(PREFIX)
        expected = "some" if cell.host_minor >= SINCE else "none"
        assert bool(seen) is (expected == "some"), f"expected {expected} of these counters, saw {seen}"
