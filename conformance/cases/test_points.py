"""What holds at every extension point: each function is one case at each point that has a probe."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable

from dmconform.casekit import (
    INITIALISED,
    LOG_LINE_S,
    NEVER_S,
    PROBE,
    PROBED,
    Cell,
    Config,
    HostCrashed,
    Language,
    LocalFile,
    Minor,
    ModuleRef,
    RunningPoint,
    Update,
    When,
    assert_all_ended,
    assert_drained,
    assert_panic_in_logs,
    assert_panic_logged,
    case,
    identity_of,
    lines_of_use,
    listener,
    poll,
    probe_at,
    probed,
    provoke_panic,
    used,
    working_at_point,
)

RUST = (Language.RUST,)
POINTS = tuple(PROBED)
TEXT = "text of its own"
COUNTED_SINCE = Minor.parse("1.39")
LOCAL_FILE_SINCE = Minor.parse("1.38")
BYTES = bytes(range(256))
VALUE = {"list": [1, 2], "name": "x", "yes": True}
PLAIN = "plain"
NO_UPDATE = "no update reaches this extension point"
_TYPES = "type.googleapis.com/google.protobuf"


@case("window.forward", "policy.result", points=POINTS, says_where_not=True)
def test_works(cell: Cell) -> None:
    """The module does its work for real traffic, and what it does is seen from outside."""
    point = probed(cell)
    with working_at_point(cell, probe_at(cell, TEXT)) as envoy:
        point.assert_works(cell, envoy, TEXT)


def assert_rejected(running: RunningPoint, update: Update, what: str) -> None:
    """Asserts that the host rejected a configuration. One that it accepted is used first: a host may end of what it took."""
    if update.accepted:
        running.use()
    assert not update.accepted, f"expected {what} to be rejected, it was accepted"


@case("loading.failure_rejects", "statistics.config_init_error", points=POINTS)
def test_refused(cell: Cell) -> None:
    """A configuration that the module refuses is rejected, and counted from 1.39 on; the one before goes on."""
    point = probed(cell)
    with RunningPoint(cell, probe_at(cell, TEXT)) as running:
        for name in ("refuse", "unknown"):
            refused = running.bring(probe_at(cell, TEXT, name))
            assert_rejected(running, refused, f"the configuration {name}")
            cell.facts[f"{name}: message"] = refused.message
            if running.is_updated and cell.host_minor >= COUNTED_SINCE:
                counted = running.envoy.statistic(f"dynamic_modules.config_init_error.config_name.{name}")
                assert counted == 1, f"expected config_init_error of {name} to be 1, it is {counted}"
        if running.is_refused_late:
            running.take(probe_at(cell, TEXT))
        point.assert_works(cell, running.envoy, TEXT)
        cell.assert_still_serves(running.envoy)


@case("configuration.forms", supported_for=(), points=POINTS)
def test_configuration(cell: Cell) -> None:
    """Text, bytes and a structure come to the module as text, bytes and JSON; an empty text and bytes are nothing."""
    probed(cell)
    forms: dict[str, tuple[Config, bytes]] = {
        "text": (TEXT, TEXT.encode()),
        "bytes": ({"@type": f"{_TYPES}.BytesValue", "value": base64.b64encode(BYTES).decode()}, BYTES),
        "no text": ("", b""),
        "no bytes": ({"@type": f"{_TYPES}.BytesValue"}, b""),
    }
    with RunningPoint(cell, probe_at(cell, VALUE)) as running:
        seen = {"structure": as_json(running.told())}
        expected: dict[str, object] = {"structure": VALUE}
        for form, (config, told) in forms.items():
            running.take(probe_at(cell, config))
            seen[form], expected[form] = running.told(), told
    wrong = [form for form in expected if seen[form] != expected[form]]
    cell.facts["comes otherwise"] = ", ".join(wrong) or "none"
    assert not wrong, "; ".join(
        f"expected the module to be given {expected[one]!r}, it was given {seen[one]!r}" for one in wrong
    )


def as_json(told: bytes) -> object:
    """Returns the value of JSON; of what is none the size, as the fields of a message as it is sent are in no order."""
    try:
        return json.loads(told)
    except ValueError:
        return f"{len(told)} bytes that are no JSON"


@case("identity.reuse", "identity.path_and_inode", points=POINTS)
def test_loaded_once(cell: Cell) -> None:
    """The same file at this point and in HTTP filters is loaded once, and shares its state; a copy of it does not."""
    point = probed(cell)
    cell.install()
    cell.install(name="copy")
    filters = [listener("identity", name=name, module=name) for name in (PROBE, "copy")]
    with working_at_point(cell, probe_at(cell, TEXT), further=filters) as envoy:
        for name, requests in ((PROBE, 2), ("copy", 1)):
            for number in range(1, requests + 1):
                count = identity_of(envoy.request("/", listener=name), "count")
                assert count == str(number), f"expected the filter of {name} to count {number}, it counts {count}"
        before = len(lines_of_use(cell, envoy))
        point.ask(cell, envoy, False)
        seen = used(cell, envoy, before).responses
        assert seen == 2, f"expected the module to share the count of 2 with the filter of the same file, it has {seen}"
        poll(lambda: envoy.read_log().count(INITIALISED) >= 2, LOG_LINE_S)
        initialised = envoy.read_log().count(INITIALISED)
    assert initialised == 2, f"expected the file and its copy to be initialised once each, saw {initialised} lines of it"


@case("rtld.local_by_default", "rtld.load_globally", points=POINTS, own_minor=True)
def test_load_globally(cell: Cell) -> None:
    """The symbols of a module that is loaded globally at this point are visible to another module; else they are not."""
    probed(cell)
    cell.install(name="other")
    other = listener("identity", name=PLAIN, module="other")
    for flag, expected in ((False, "none"), (True, "libprobe.so")):
        use = probe_at(cell, TEXT, module=ModuleRef(PROBE, load_globally=flag))
        with working_at_point(cell, use, further=[other]) as envoy:
            seen = identity_of(envoy.request("/", listener=PLAIN), "global")
        assert seen == expected, f"expected the symbols that are visible globally to be those of {expected}, found {seen}"


@case("discovery.local_file", "identity.reuse", points=POINTS, own_minor=True)
def test_local_file(cell: Cell) -> None:
    """A module that is named by its file works at this point, and is the one that an HTTP filter has by the same file."""
    point = probed(cell)
    cell.needs(cell.host_minor >= LOCAL_FILE_SINCE, "hosts before 1.38 know modules by their name only")
    decoy, file = cell.install(), cell.folder / "any name.module"
    shutil.copyfile(decoy, file)
    module = ModuleRef(PROBE, local=LocalFile(str(file)))
    same = listener("identity", name=PLAIN, module=module)
    with working_at_point(cell, probe_at(cell, TEXT, module=module), further=[same]) as envoy:
        name = identity_of(envoy.request("/", listener=PLAIN), "module")
        assert name == file.name, f"expected the module of the filter to be {file.name}, it is {name}"
        before = len(lines_of_use(cell, envoy))
        point.ask(cell, envoy, False)
        seen = used(cell, envoy, before).responses
        assert seen == 1, f"expected the module to share the count of 1 with the filter of the same file, it has {seen}"
        assert not envoy.has_mapped(decoy), "expected the module of the same name not to be loaded, it is"


@case("rtld.closed_at_last_reference", "rtld.do_not_close", points=POINTS)
def test_unloaded(cell: Cell) -> None:
    """Once an update takes the module from here it has ended in order, and is unloaded; with do_not_close it stays."""
    point = probed(cell)
    cell.needs(not point.always_kept, point.always_kept)
    cell.needs(cell.sdk.unloads, cell.sdk.unloads_reason or "")
    module, kept = cell.install(), cell.install(name="kept")
    with RunningPoint(cell, probe_at(cell, TEXT)) as running:
        cell.needs(running.is_updated, NO_UPDATE)
        envoy = running.envoy
        running.take(probe_at(cell, "kept", module=ModuleRef("kept", do_not_close=True)))
        assert_drained(envoy, module, patience_s=NEVER_S if point.may_stay else None)
        assert_all_ended(cell, envoy, TEXT)
        running.clear()
        cell.reconfigure(envoy, listener("identity", name=PLAIN, module="kept"))
        assert_drained(envoy)
        assert_all_ended(cell, envoy, "kept")
        cell.reconfigure(envoy)
        assert_drained(envoy)
        assert envoy.has_mapped(kept), "expected the module with do_not_close to stay loaded, it is gone"


@case("safety.no_boundary", supported_for=(), points=POINTS)
def test_ends(cell: Cell) -> None:
    """All that the module is asked to make while it serves is destroyed once before the Envoy has ended in order."""
    point = probed(cell)
    with RunningPoint(cell, probe_at(cell, TEXT)) as running:
        for _ in range(3):
            seen = point.ask(cell, running.envoy, False)
            assert seen.served, f"expected traffic to be served, saw {seen.summary}"
        running.stop()
        assert_all_ended(cell, running.envoy, TEXT)


def assert_logged(cell: Cell, running: RunningPoint, hook: str) -> None:
    """Asserts that a panic is logged, and that the process lives if it is to."""
    if running.is_updated:
        assert_panic_logged(running.envoy, hook)
    else:
        assert_panic_in_logs(cell, hook)


def each_hook(cell: Cell, when: When, meet: Callable[[RunningPoint, str], None]) -> None:
    """Has the module panic in each hook of this kind; in none of them the process may end, and others are served after each.

    Args:
        cell: notes for each hook whether the host went on. Where it did not, another one meets the rest.
        when: of which kind the hooks are.
        meet: gets what runs and a hook, and has the hook called, or sees to it that it has been.
    """
    point = probed(cell)
    hooks = [hook for hook, its in point.hooks.items() if its is when]
    cell.needs(bool(hooks), f"no hook of this extension point is called {when.value}")
    ended: list[HostCrashed] = []
    while hooks:
        try:
            with RunningPoint(cell) as running:
                while hooks:
                    hook = hooks.pop(0)
                    meet(running, hook)
                    assert_logged(cell, running, hook)
                    running.take(probe_at(cell, TEXT))
                    seen = point.ask(cell, running.envoy, False)
                    assert seen.served, f"expected traffic to go on after a panic in {hook}, saw {seen.summary}"
                    cell.facts[hook] = "the host goes on"
                cell.assert_still_serves(running.envoy)
        except HostCrashed as problem:
            cell.facts.pop(f"who met {hook}", None)  # what a client saw of the end is chance
            cell.facts[hook] = "the host ends"
            ended.append(problem)
    if ended:
        raise ended[0]


@case("errors.guard", "errors.others_unaffected", supported_for=RUST, points=POINTS)
def test_panic_in_configuration(cell: Cell) -> None:
    """A configuration that panics is rejected, and the panic is logged; what was configured before goes on."""
    point = probed(cell)
    with RunningPoint(cell, probe_at(cell, TEXT)) as running:
        provoke_panic(running.envoy, "configuration")
        refused = running.bring(probe_at(cell, "configuration", "panic"))
        assert_logged(cell, running, "configuration")
        assert_rejected(running, refused, "a configuration that panics")
        if running.is_refused_late:
            running.take(probe_at(cell, TEXT))
        point.assert_works(cell, running.envoy, TEXT)
        cell.assert_still_serves(running.envoy)


@case("errors.guard", "errors.others_unaffected", supported_for=RUST, points=POINTS)
def test_panic_in_creation(cell: Cell) -> None:
    """A panic while what is configured is made leaves the process and its traffic alone, and is logged."""

    def meet(running: RunningPoint, hook: str) -> None:
        if running.is_updated:
            provoke_panic(running.envoy, hook)
        running.bring(probe_at(cell, hook, "panic"))

    each_hook(cell, When.CREATION, meet)


@case("errors.guard", "errors.others_unaffected", supported_for=RUST, points=POINTS)
def test_panic_in_traffic(cell: Cell) -> None:
    """A panic in a hook that is called for traffic leaves the process and other traffic alone, and is logged."""

    def meet(running: RunningPoint, hook: str) -> None:
        running.take(probe_at(cell, hook, "panic"))
        provoke_panic(running.envoy, hook)
        seen = probed(cell).ask(cell, running.envoy, True)
        cell.facts[f"who met {hook}"] = seen.summary

    each_hook(cell, When.TRAFFIC, meet)


@case("errors.guard", "errors.others_unaffected", supported_for=RUST, points=POINTS)
def test_panic_at_its_end(cell: Cell) -> None:
    """A panic in a hook that is called as a configuration goes leaves the process and its traffic alone, and is logged."""

    def meet(running: RunningPoint, hook: str) -> None:
        running.take(probe_at(cell, hook, "panic"))
        provoke_panic(running.envoy, hook)
        if running.is_updated:
            running.take(probe_at(cell, TEXT))
        else:
            running.stop()

    each_hook(cell, When.END, meet)
