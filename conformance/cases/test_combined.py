"""One request through modules at several extension points: one file that is used at all of them, and files of several SDKs."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from dmconform.casekit import (
    INITIALISED,
    LOG_LINE_S,
    PROBE,
    PROBED,
    Answer,
    Cell,
    Draft,
    Envoy,
    ExtensionPoint,
    HttpFilter,
    Language,
    Listener,
    ListenerFilter,
    Minor,
    ModuleRef,
    ModuleUse,
    NetworkFilter,
    PlannedSdk,
    Protocol,
    Received,
    Request,
    bootstrap_extension,
    case,
    identity_of,
    module_access_log,
    on_the_upstream_side,
    poll,
    reachable_points,
    working_at_point,
)

CPP, RUST = (Language.CPP,), (Language.RUST,)
SHARED = "shared_state"
KEPT = "from the bootstrap"
LOGGED = "dmconform-callbacks logger {}"
USED = re.compile(r"^dmconform life access_logger \S+ \S+ \[([^\]]*)\] used on=\w+ module=(\S+) responses=(\d+)$", re.MULTILINE)
NO_EXTENSION = "hosts have bootstrap extensions from 1.37 on"
NO_COUNTERS = "hosts show their counters to bootstrap extensions from 1.38 on"


def used_everywhere(module: str, name: str = "main") -> Listener:
    """Returns a listener with a module as a listener, network and HTTP filter, and as an access logger."""
    reference = ModuleRef(module)
    return Listener(
        name,
        (HttpFilter(reference, "any"),),
        listening=(ListenerFilter(reference, "any"),),
        network=(NetworkFilter(reference, "any"),),
        manager={"access_log": [module_access_log("any", module=reference)]},
    )


@case("identity.reuse", languages=CPP, supported_for=(), own_minor=True)
def test_shared_state(cell: Cell) -> None:
    """Five uses of one file share what is in it, from the bootstrap extension to the access logger, and over an update."""
    cell.needs(cell.host_minor >= Minor(1, 37), NO_EXTENSION)
    extension = bootstrap_extension("any", KEPT, module=ModuleRef(SHARED))
    seen = []
    with cell.start(used_everywhere(SHARED), module=SHARED, alter=extension) as envoy:
        with envoy.connect(Protocol.HTTP1) as client:
            seen += [shared(envoy, client.request(Request("/")), number) for number in (1, 2)]
        seen.append(shared(envoy, envoy.request("/"), 3))
        cell.reconfigure(envoy, used_everywhere(SHARED, "other"))
        seen.append(shared(envoy, envoy.request("/", listener="other"), 4))
    end = re.findall(r"^dmconform-callbacks end (.*)$", cell.read_logs(), re.MULTILINE)
    expected = [
        f"{KEPT}: {connections} sockets, {connections} connections, {number} requests, {number - 1} logged"
        for number, connections in ((1, 1), (2, 1), (3, 2), (4, 3))
    ]
    assert seen == expected, f"expected the filter to see of all uses {expected}, it saw {seen}"
    last = [f"{KEPT}: 3 sockets, 3 connections, 4 requests, 4 logged"]
    assert end == last, f"expected the bootstrap extension to end with {last}, saw {end}"


def shared(envoy: Envoy, answer: Answer, number: int) -> str:
    """Returns what the filter says that is shared, once the request is logged as the one of this number."""
    assert answer.status == 200, f"expected an answer, saw {answer.summary}"
    line = envoy.wait_for_log(LOGGED.format(number))
    assert line is not None, f"expected request {number} to be logged, it is not"
    return answer.headers.get("x-shared", "(no header)")


@case("identity.reuse", "window.forward", "policy.result", languages=RUST)
def test_one_probe(cell: Cell) -> None:
    """The probe as bootstrap extension, listener, network and HTTP filter on both sides, and access logger, is loaded once."""
    cell.needs(cell.host_minor >= Minor(1, 38), NO_COUNTERS)
    for point in (ExtensionPoint.BOOTSTRAP_EXTENSION, ExtensionPoint.ACCESS_LOGGER, ExtensionPoint.LISTENER_FILTER):
        cell.needs_point(point)
    file = cell.install()
    reference = ModuleRef(PROBE)
    main = Listener(
        "main",
        (HttpFilter(reference, "identity"),),
        listening=(ListenerFilter(reference, "panic", "none"),),
        network=(NetworkFilter(reference, "panic", "none"),),
        manager={"access_log": [module_access_log("lines", "logger")]},
    )
    inner = on_the_upstream_side(HttpFilter(reference, "identity"))

    def alter(bootstrap: dict[str, Any]) -> None:
        inner(bootstrap)
        bootstrap_extension("statistics", "count")(bootstrap)

    with cell.start(main, alter=alter) as envoy:
        assert envoy.wait_for_log("counters seen"), "expected the bootstrap extension to look at counters, it does not"
        counts = [identity_of(envoy.request("/"), "count") for _ in range(2)]
        poll(lambda: len(USED.findall(envoy.read_log())) >= 2, LOG_LINE_S)
        lines = USED.findall(envoy.read_log())
        initialised = envoy.read_log().count(INITIALISED)
        cell.reconfigure(envoy, Listener("plain"))
        assert envoy.has_mapped(file), "expected the bootstrap extension to keep the module loaded, it is gone"
    assert counts == ["2", "4"], f"expected the filters of both sides to count together, saw {counts}"
    expected = [("logger", file.name, count) for count in ("2", "4")]
    assert lines == expected, f"expected the access logger to share file and count {expected}, saw {lines}"
    assert initialised == 1, f"expected one initialisation for all uses, saw {initialised}"


TOGETHER = (
    ExtensionPoint.HTTP_FILTER,
    ExtensionPoint.ACCESS_LOGGER,
    ExtensionPoint.EARLY_HEADER_MUTATION,
    ExtensionPoint.HEADER_FORMATTER,
    ExtensionPoint.TRACER,
    ExtensionPoint.LOAD_BALANCER,
    ExtensionPoint.HEALTH_CHECKER,
    ExtensionPoint.STAT_SINK,
    ExtensionPoint.BOOTSTRAP_EXTENSION,
    ExtensionPoint.LISTENER_FILTER,
    ExtensionPoint.NETWORK_FILTER,
)
"""Extension points that one request passes, and where the probe's work does not take it to another place."""
LIFE = re.compile(
    r"^dmconform life (\w+) (\w+) \S+ \[[^\]]*\] (begins|used|ends) on=\w+(?: module=(\S+) responses=\d+)?$", re.MULTILINE
)


@case("identity.reuse", "window.forward", "policy.result", languages=RUST)
def test_every_point(cell: Cell) -> None:
    """The probe works at each extension point that requests pass, all at once: it is loaded once, and all that began ends."""
    points = tuple(
        point
        for point in TOGETHER
        if point in reachable_points(cell)
        and point in cell.sdk.points
        and Minor.parse(cell.sdk.points[point]) <= cell.sdk_minor
    )
    cell.needs(len(points) > 2, "this SDK version has too few extension points that a request passes")
    cell.facts["points"] = ", ".join(point.value for point in points)
    uses = [
        ModuleUse(point, ModuleRef(PROBE), PROBED[point].name, KEPT)
        for point in points
        if point is not ExtensionPoint.NETWORK_FILTER
    ]

    def in_front(draft: Draft) -> None:
        """Puts the network filter before the connection manager, not in its place."""
        if ExtensionPoint.NETWORK_FILTER in points:
            filter_ = NetworkFilter(ModuleRef(PROBE), PROBED[ExtensionPoint.NETWORK_FILTER].name, KEPT)
            draft.chain["filters"].insert(0, filter_.to_json())

    with working_at_point(cell, *uses, alter=in_front) as envoy:
        for point in points:
            asked = PROBED[point].ask(cell, envoy, False)
            assert asked.served, f"expected the user of {point.value} to be served, saw {asked.summary}"
        expected = {point.value for point in points}
        poll(lambda: users(envoy).keys() >= expected, LOG_LINE_S)
        seen = users(envoy)
        initialised = envoy.read_log().count(INITIALISED)
    missing = sorted(expected - seen.keys())
    assert not missing, f"expected the module to be used at each extension point, it was not at {missing}"
    files = {file for names in seen.values() for file in names}
    assert files == {"libprobe.so"}, f"expected one file to be used everywhere, saw {sorted(files)}"
    assert initialised == 1, f"expected one initialisation for all uses, saw {initialised}"
    events = [(point, what, event) for point, what, event, _ in LIFE.findall(cell.read_logs()) if event != "used"]
    balance = Counter({(point, what): 0 for point, what, _ in events})
    for point, what, event in events:
        balance[point, what] += 1 if event == "begins" else -1
    left = {f"{point} {what}": number for (point, what), number in balance.items() if number}
    assert not left, f"expected all that began to end, each once, saw {left}"


def users(envoy: Envoy) -> dict[str, set[str]]:
    """Returns the files that have been used so far, by extension point."""
    found: dict[str, set[str]] = {}
    for point, _, event, file in LIFE.findall(envoy.read_log()):
        if event == "used":
            found.setdefault(point, set()).add(file)
    return found


@dataclass(frozen=True)
class Placed:
    """An installed probe, and the extension points that its SDK has."""

    language: str
    name: str  # of its file, and the configuration of what it is used for
    points: frozenset[ExtensionPoint]

    @property
    def module(self) -> ModuleRef:
        """How configurations name it."""
        return ModuleRef(self.name)

    @property
    def signature(self) -> str:
        """What its filter writes into headers."""
        return f"{self.language} {self.name}"

    def transform(self) -> HttpFilter:
        """Returns its HTTP filter that changes headers and bodies."""
        return HttpFilter(self.module, "transform", self.name)

    def around(self, name: str, inner: HttpFilter, cluster: str) -> Listener:
        """Returns a listener that has it at all points around an HTTP filter."""
        log = [module_access_log("lines", self.name, module=self.module)]
        return Listener(
            name,
            (inner,),
            listening=(ListenerFilter(self.module, "panic", "none"),) if ExtensionPoint.LISTENER_FILTER in self.points else (),
            network=(NetworkFilter(self.module, "panic", "none"),) if ExtensionPoint.NETWORK_FILTER in self.points else (),
            manager={"access_log": log} if ExtensionPoint.ACCESS_LOGGER in self.points else {},
            cluster=cluster,
        )


def placed(cell: Cell, sdk: PlannedSdk) -> Placed:
    """Installs the probe of an SDK version under a name that is its own."""
    name = str(sdk.sdk_id.language.value) + "_" + str(sdk.minor).replace(".", "_")
    cell.install(name=name, sdk=sdk)
    points = frozenset(point for point, since in sdk.points.items() if Minor.parse(since) <= sdk.minor)
    return Placed(sdk.language.value, name, points)


@case("module.upstream_side", supported_for=(), companions=True)
def test_sdks_at_several_points(cell: Cell) -> None:
    """Around a filter of the module are those of another SDK, in cluster, listener and access log, and vice versa."""
    known = {(sdk.language, sdk.minor): sdk for sdk in cell.companions()}
    is_promised = known.pop((cell.sdk.language, cell.sdk.minor), None) is not None
    cell.needs(is_promised, "takes many modules, and is tried where all of them are promised to work")
    own = placed(cell, cell.sdk)
    others = [placed(cell, sdk) for sdk in known.values()]
    environment = {name: value for sdk in cell.companions() for name, value in sdk.host_environment.items()}
    pairs = [pair for one in others for pair in ((own, one), (one, own))]  # the one inside, the one around it
    listeners, clusters, changes = [], {}, []
    for inside, around in pairs:
        name = f"{inside.name} in {around.name}"
        clusters[name] = cell.upstream_port
        listeners.append(around.around(name, inside.transform(), name))
        changes.append(on_the_upstream_side(around.transform(), of=name))

    def alter(bootstrap: dict[str, Any]) -> None:
        for change in changes:
            change(bootstrap)

    with cell.start(*listeners, module=own.name, environment=environment, clusters=clusters, alter=alter) as envoy:
        for inside, around in pairs:
            assert_both(envoy, inside, around)
        loggers = {around.name for _, around in pairs if ExtensionPoint.ACCESS_LOGGER in around.points}
        poll(lambda: {line[0] for line in USED.findall(envoy.read_log())} >= loggers, LOG_LINE_S)
        logged = {line[0] for line in USED.findall(envoy.read_log())}
        initialised = envoy.read_log().count(INITIALISED)
    assert logged == loggers, f"expected the access loggers {sorted(loggers)} to be used, saw {sorted(logged)}"
    assert initialised == len(others) + 1, f"expected {len(others) + 1} modules to be initialised once each, saw {initialised}"


def assert_both(envoy: Envoy, inside: Placed, around: Placed) -> None:
    """Asserts that a filter of the listener, and one of its cluster, have both changed a request and its response, in order."""
    name = f"{inside.name} in {around.name}"
    answer = envoy.request("/both", listener=name, method="POST", body="hello")
    assert answer.status == 200, f"expected status 200 through {name}, saw {answer.summary}: {answer.problem}"
    whole = answer.body.startswith("res[res[") and answer.body.endswith("]]")
    assert whole, f"expected res[res[…]] through {name}, saw {answer.body[:100]!r}"
    received = Received.from_json(answer.body[8:-2])
    seen = (received.body, received.headers.get("x-dmconform-request"), answer.headers.get("x-dmconform-response"))
    expected = ("req[req[hello]]", f"{around.signature} -", inside.signature)
    assert seen == expected, f"expected body, request header and response header {expected} through {name}, saw {seen}"
