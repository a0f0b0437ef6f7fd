"""Whether failures to load a module or its configuration are counted: each once, under the name of its configuration."""

from __future__ import annotations

import hashlib

from harness.model import Language
from harness.plan.cases import case
from harness.run.cell import Cell, listener
from harness.run.config import MODULE_SOURCE, HttpFilter, Listener, ModuleRef, PerRoute, RemoteSource
from harness.run.envoy import Envoy
from harness.run.source_server import Manner, Reply, SourceServer, source_server
from harness.versions import Minor

ONE = (Language.CPP,)
PREFIX = "dynamic_modules."
SINCE = Minor.parse("1.39")
NO_COUNTERS = "Envoy counts these failures from 1.39 on"


def counted(envoy: Envoy, expected: dict[str, dict[str, int]]) -> None:
    """The counters of failures are these, by kind and name of the configuration, and there is no other."""
    wanted = {f"{PREFIX}{kind}.config_name.{name}": n for kind, names in expected.items() for name, n in names.items()}
    seen = {name: value for name, value in envoy.counters(PREFIX).items() if value}
    assert seen == wanted, f"expected the counters {wanted}, saw {seen}"


def rejects(envoy: Envoy, *listeners: Listener) -> None:
    """The Envoy rejects these listeners."""
    assert not envoy.update(*listeners).accepted, "expected the configuration to be rejected, it was accepted"


@case("statistics.module_load_error", languages=ONE)
def test_module_load_error(cell: Cell) -> None:
    """A module that cannot be loaded is counted once for each configuration that names it."""
    cell.needs(cell.host_minor >= SINCE, NO_COUNTERS)
    cell.install("null_program_init")
    (cell.modules_folder / "libtext.so").write_text("no library")
    with cell.start(listener("local_reply", "418")) as envoy:
        counted(envoy, {})
        expected = {}
        for module in ("absent", "text", "null_program_init"):
            rejects(envoy, listener(f"of_{module}", module=module))
            expected[f"of_{module}"] = 1
            counted(envoy, {"module_load_error": expected})
        rejects(envoy, listener("of_absent", "another text", module="absent"))
        counted(envoy, {"module_load_error": expected | {"of_absent": 2}})


@case("statistics.config_init_error", languages=ONE)
def test_config_init_error(cell: Cell) -> None:
    """A configuration that the module refuses is counted once, as that and not as a module that cannot be loaded."""
    cell.needs(cell.host_minor >= SINCE, NO_COUNTERS)
    with cell.start(listener("local_reply", "418")) as envoy:
        rejects(envoy, listener("refuse"))
        counted(envoy, {"config_init_error": {"refuse": 1}})
        rejects(envoy, listener("local_reply", "no status"))
        counted(envoy, {"config_init_error": {"refuse": 1, "local_reply": 1}})


@case("statistics.per_route_config_error", languages=ONE)
def test_per_route_config_error(cell: Cell) -> None:
    """A per-route configuration that cannot be loaded, or that its module refuses, is counted once, as that alone."""
    cell.needs(cell.host_minor >= SINCE, NO_COUNTERS)
    with cell.start(listener("local_reply", "418")) as envoy:
        filter_ = HttpFilter(ModuleRef("probe"), "local_reply", "418")
        expected = {}
        for module in ("absent", "probe"):  # the probe's filters take none
            rejects(envoy, Listener("main", (filter_,), (PerRoute(filter_.entry, ModuleRef(module), f"of_{module}"),)))
            expected[f"of_{module}"] = 1
            counted(envoy, {"per_route_config_error": expected})


@case("statistics.config_name", languages=ONE)
def test_config_name_tag(cell: Cell) -> None:
    """The name of the configuration is a tag of the counter, not a part of its name."""
    cell.needs(cell.host_minor >= SINCE, NO_COUNTERS)
    with cell.start(listener("local_reply", "418")) as envoy:
        rejects(envoy, listener("of_absent", module="absent"))
        lines = envoy.admin("/stats/prometheus?filter=^dynamic_modules").body.splitlines()
        cell.facts["prometheus"] = "\n".join(lines)
        expected = 'envoy_dynamic_modules_module_load_error{config_name="of_absent"} 1'
        assert expected in lines, f"expected the line {expected!r}, saw {lines}"


def remote(
    source: SourceServer, name: str, data: bytes, *replies: Reply, nack: bool = False, digest_of: bytes | None = None
) -> Listener:
    """A listener whose filter is of a remote module that is offered like this."""
    source.offer(f"/{name}", *replies)
    digest = hashlib.sha256(digest_of or name.encode() + data).hexdigest()
    module = ModuleRef(name, remote=RemoteSource(f"/{name}", digest, nack_on_cache_miss=nack))
    return Listener(name, (HttpFilter(module, name),))


@case("statistics.remote_fetch_error", languages=ONE)
def test_remote_fetch_error(cell: Cell) -> None:
    """A remote module that cannot be fetched, or not be loaded once it is there, is counted once."""
    cell.needs(cell.host_minor >= SINCE, NO_COUNTERS)
    text = b"no library"
    with source_server() as source:
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
            counted(envoy, {"remote_fetch_error": {one.name: 1 for one in listeners}})


@case("statistics.remote_fetch_error", languages=ONE)
def test_cache_miss_is_a_remote_fetch_error(cell: Cell) -> None:
    """A configuration that is rejected because its remote module is not there yet is counted once."""
    cell.needs(cell.host_minor >= SINCE, NO_COUNTERS)
    with source_server() as source:
        missed = remote(source, "missed", b"", Reply(status=404), nack=True)
        with cell.start_anyhow(
            missed, environment={"TMPDIR": str(cell.folder)}, clusters={MODULE_SOURCE: source.port}
        ) as envoy:
            assert not envoy.first_update.accepted, "expected the configuration to be rejected, it was accepted"
            counted(envoy, {"remote_fetch_error": {"missed": 1}})


@case("statistics.new_in_1_39", languages=ONE, promised_to=())
def test_new_in_1_39(cell: Cell) -> None:
    """Hosts have these counters from 1.39 on; those before have none of them, whatever fails."""
    cell.install()
    with cell.start_anyhow(Listener("plain"), search_path=cell.modules_folder) as envoy:
        rejects(envoy, listener("of_absent", module="absent"))
        rejects(envoy, listener("refuse"))
        seen = envoy.counters(PREFIX)
        expected = "some" if cell.host_minor >= SINCE else "none"
        assert bool(seen) is (expected == "some"), f"expected {expected} of these counters, saw {seen}"
