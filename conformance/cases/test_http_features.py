"""What Envoy does around HTTP filters, with modules: routes of all kinds, retries, redirects, gRPC, filters that are chosen."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dmconform.casekit import (
    CONFIG_UPDATE_S,
    PROBE,
    Answer,
    Cell,
    Envoy,
    EnvoyFilter,
    HttpFilter,
    Language,
    Listener,
    ModuleRef,
    PerRoute,
    Protocol,
    Request,
    RoutedListener,
    case,
    listener,
    on_the_upstream_side,
    per_filter,
    poll,
    raw_client,
    route,
    virtual_host,
)

ONE = (Language.CPP,)
CONFIG = "features"
OWN_HOST = {"host": "own"}
NONE = "none"
CHOICE = "x-choice"
"""The request header by whose number one of the weighted clusters is chosen."""
FAILURES = 2
GRPC = {"content-type": "application/grpc", "te": "trailers"}
FRAME = "\x00\x00\x00\x00\x05hello"
"""One message of gRPC: not compressed, five bytes."""
BYTES = bytes(range(256)) * 100
_EXTENSIONS = "type.googleapis.com/envoy.extensions"


SEES_ROUTES = HttpFilter(ModuleRef(PROBE), "per_route", CONFIG)
"""The filter that says what it was given, and what its route was."""


def given(config: str) -> PerRoute:
    """Returns what that filter gets on a route, or around it."""
    return PerRoute(SEES_ROUTES.entry, ModuleRef(PROBE), "per_route", config)


def route_seen(envoy: Envoy, path: str, **headers: str) -> str:
    """Returns what the filter `per_route` was given on the route of a request."""
    answer = envoy.request(path, headers=headers)
    assert answer.status == 200, f"expected {path} to be answered with 200, saw {answer.summary}"
    config = answer.headers.get("x-dmconform-config")
    assert config == CONFIG, f"expected the filter to have {CONFIG!r} as its own configuration for {path}, it has {config!r}"
    return answer.headers.get("x-dmconform-route", "(no header)")


def weighted(*clusters: dict[str, Any]) -> dict[str, Any]:
    """Returns what sends requests to one of clusters, half of a hundred numbers each: as `CHOICE` says."""
    return {"weighted_clusters": {"clusters": [{"weight": 50, **one} for one in clusters], "header_name": CHOICE}}


@case("window.forward", "policy.result")
def test_route_inheritance(cell: Cell) -> None:
    """A filter gets the most specific configuration: of the weighted cluster, the route, the virtual host, of all routes."""
    halves = weighted({"name": "upstream", **per_filter(given("of the cluster"))}, {"name": "other"})
    own = virtual_host(
        route("/weighted", given("of the route"), to=halves),
        route("/weights", to=halves),
        route("/route", given("of the route")),
        route("/"),
        domain=OWN_HOST["host"],
        **per_filter(given("of the virtual host")),
    )
    everything = virtual_host(route("/route", given("of the route")), route("/"))
    main = RoutedListener(
        "main", (SEES_ROUTES,), virtual_hosts=(own, everything), all_routes=per_filter(given("of all routes"))
    )
    expected = {
        ("/weighted", "10", "own"): "of the cluster",
        ("/weighted", "60", "own"): "of the route",
        ("/weights", "10", "own"): "of the cluster",
        ("/weights", "60", "own"): "of the virtual host",
        ("/route", "", "own"): "of the route",
        ("/", "", "own"): "of the virtual host",
        ("/route", "", "other"): "of the route",
        ("/", "", "other"): "of all routes",
    }
    with cell.start(main, clusters={"other": cell.upstream_port}) as envoy:
        seen = {
            (path, choice, host): route_seen(envoy, path, host=host, **({CHOICE: choice} if choice else {}))
            for path, choice, host in expected
        }
    wrong = {where: what for where, what in seen.items() if what != expected[where]}
    assert not wrong, f"expected the filter to be given { ({one: expected[one] for one in wrong}) }, it was given {wrong}"


@dataclass(frozen=True)
class OffByDefault(HttpFilter):
    """A filter that is disabled where no route says otherwise."""

    def to_json(self) -> dict[str, Any]:
        """Returns the entry, disabled."""
        return {**super().to_json(), "disabled": True}


def turned(entry: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Returns what a filter's entry gets on a route that turns it on or off."""
    return {entry: {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", **fields}}


@case("window.forward", "policy.result", languages=ONE)
def test_disabled(cell: Cell) -> None:
    """A filter that is disabled, by default or on a route, leaves requests alone; a route enables one, with a configuration."""
    seen, replying = OffByDefault(ModuleRef(PROBE), "per_route", CONFIG), HttpFilter(ModuleRef(PROBE), "local_reply", "418")
    off, on = turned(replying.entry, disabled=True), turned(seen.entry, config=given("of the route").to_json())
    host = virtual_host(
        route("/off", typed_per_filter_config=off),
        route("/on", typed_per_filter_config=off | on),
        route("/again", typed_per_filter_config=off | turned(seen.entry, config=given("x").to_json(), disabled=True)),
        route("/"),
    )
    with cell.start(RoutedListener("main", (seen, replying), virtual_hosts=(host,))) as envoy:
        results = {path: disabled_result(envoy.request(path)) for path in ("/off", "/on", "/again", "/")}
    expected = {"/off": "200, none", "/on": "200, of the route", "/again": "200, none", "/": "418, none"}
    assert results == expected, f"expected status and configuration {expected}, saw {results}"


def disabled_result(answer: Answer) -> str:
    """Returns the status of an answer, and what the filter `per_route` was given, if it did anything."""
    return f"{answer.status}, {answer.headers.get('x-dmconform-route', NONE)}"


@case("window.forward", "policy.result")
def test_retries(cell: Cell) -> None:
    """A request that is tried again is changed once, sent the same each time, and its answer changed once."""
    main = retrying(HttpFilter(ModuleRef(PROBE), "transform", CONFIG), HttpFilter(ModuleRef(PROBE), "identity"))
    with cell.upstream() as server, cell.start(main, clusters={"upstream": server.port}) as envoy:
        answer = envoy.request(f"/tried?fails={FAILURES}", method="POST", body="hello", headers={"x-dmconform-in": "question"})
        received = server.read_received("/tried")
        retried = envoy.statistic("cluster.upstream.upstream_rq_retry_success")
    attempts = [
        (one.headers.get("x-envoy-attempt-count"), one.headers.all("x-dmconform-request"), one.body) for one in received
    ]
    expected = [(str(number), (f"{cell.language} {CONFIG} question",), "req[hello]") for number in range(1, FAILURES + 2)]
    assert attempts == expected, f"expected the attempts {expected} at the upstream server, saw {attempts}"
    assert retried == 1, f"expected one request to succeed by a retry, Envoy counts {retried}"
    assert_answered_once(cell, answer)


def retrying(*filters: HttpFilter) -> RoutedListener:
    """Returns a listener with filters that tries each request again, and says how often it did."""
    policy = {
        "retry_on": "5xx",
        "num_retries": FAILURES,
        "retry_back_off": {"base_interval": "0.005s", "max_interval": "0.01s"},
    }
    host = virtual_host(
        route("/", to={"cluster": "upstream", "retry_policy": policy}),
        include_request_attempt_count=True,
        include_attempt_count_in_response=True,
    )
    return RoutedListener("main", filters, virtual_hosts=(host,))


@case("module.upstream_side", supported_for=(), languages=ONE)
def test_retries_on_the_upstream_side(cell: Cell) -> None:
    """A filter of the cluster is made, and ends, for each attempt; what it does to the last answer reaches the client."""
    inner = on_the_upstream_side(HttpFilter(ModuleRef(PROBE), "metrics"), HttpFilter(ModuleRef(PROBE), "identity"))
    with cell.upstream() as server, cell.start(retrying(), clusters={"upstream": server.port}, alter=inner) as envoy:
        answer = envoy.request(f"/tried?fails={FAILURES}", method="POST", body="hello")
        bodies = [one.body for one in server.read_received("/tried")]
        counted = [value for name, value in envoy.counters("").items() if name.endswith("dmconform_count")]
    attempts = FAILURES + 1
    seen = (answer.status, bodies, counted, answer.headers.get("x-dmconform-count"))
    expected = (200, ["hello"] * attempts, [2 * attempts], str(attempts))
    assert seen == expected, f"expected status, bodies upstream, and counts of requests and responses {expected}, saw {seen}"


def assert_answered_once(cell: Cell, answer: Answer) -> None:
    """Asserts that the module has handled one answer, and changed it once."""
    assert answer.status == 200, f"expected status 200 after the attempts, saw {answer.summary}"
    assert answer.body.startswith("res[{") and answer.body.endswith("}]"), f"expected one res[…], saw {answer.body!r}"
    seen = {name: answer.headers.all(f"x-{name}") for name in ("dmconform-response", "dmconform-count", "envoy-attempt-count")}
    expected = {
        "dmconform-response": (f"{cell.language} {CONFIG}",),
        "dmconform-count": ("1",),
        "envoy-attempt-count": (str(FAILURES + 1),),
    }
    assert seen == expected, f"expected the headers {expected} of one answer, saw {seen}"


@case("window.forward", "policy.result")
def test_internal_redirect(cell: Cell) -> None:
    """Where Envoy follows a redirect by itself, the filter gets the new route's configuration, and one answer is handled."""
    follows = {"cluster": "upstream", "internal_redirect_policy": {"max_internal_redirects": 2}}
    host = virtual_host(
        route("/old", given("of the old route"), to=follows), route("/new", given("of the new route")), route("/")
    )
    filters = (SEES_ROUTES, HttpFilter(ModuleRef(PROBE), "transform", CONFIG), HttpFilter(ModuleRef(PROBE), "identity"))
    main = RoutedListener("main", filters, virtual_hosts=(host,))
    with cell.upstream() as server, cell.start(main, clusters={"upstream": server.port}) as envoy:
        asked = {"location": "http://dmconform/new", "x-dmconform-in": "question"}
        answer = envoy.request("/old?status=302&echo=location", method="POST", body="hello", headers=asked)
        received = [*server.read_received("/old"), *server.read_received("/new")]
    cell.facts["bodies"] = ", ".join(one.body for one in received)
    cell.facts["answer"] = answer.summary
    paths = [one.path for one in received]
    assert paths == ["/old", "/new"], f"expected one request for /old and one for /new at the upstream server, saw {paths}"
    seen = {name: answer.headers.all(f"x-dmconform-{name}") for name in ("config", "route", "count")}
    expected = {"config": (CONFIG,), "route": ("of the new route",), "count": ("1",)}
    assert seen == expected, f"expected the headers {expected} of one answer, saw {seen}"
    last = received[-1].headers.all("x-dmconform-request")
    assert last == (f"{cell.language} {CONFIG} question",), f"expected the request header once at /new, saw {last}"
    assert answer.body.startswith("res[{"), f"expected the answer to be changed once, saw {answer.body!r}"


@case("window.forward", "policy.result")
def test_grpc(cell: Cell) -> None:
    """Calls of gRPC keep their messages and the status in their trailers, also where the module changes them."""
    watching = EnvoyFilter("grpc_stats", "grpc_stats.v3.FilterConfig", {"stats_for_all_methods": True})
    passing = (watching, HttpFilter(ModuleRef(PROBE), "filter_state", CONFIG), HttpFilter(ModuleRef(PROBE), "identity"))
    changing = (HttpFilter(ModuleRef(PROBE), "transform", CONFIG),)
    listeners = [Listener(name, chain) for name, chain in (("main", passing), ("changed", changing))]
    with cell.start(*listeners) as envoy:
        for status in ("0", "7"):
            answer = called(envoy, "main", f"/package.Service/Method?mirror&grpc={status}")
            assert_grpc(answer, status, FRAME)
        name = "cluster.upstream.grpc.package.Service.Method"
        seen = {
            kind: envoy.statistic(f"{name}.{kind}")
            for kind in ("total", "success", "7", "request_message_count", "response_message_count")
        }
        answer = called(envoy, "changed", "/package.Service/Method?mirror&grpc=5")
        assert_grpc(answer, "5", f"res[req[{FRAME}]]")
        trailer = answer.trailers.get("x-dmconform-response-trailer")
        assert trailer == f"{cell.language} {CONFIG}", f"expected the module's trailer beside the status, saw {trailer!r}"
    expected = {"total": 2, "success": 1, "7": 1, "request_message_count": 2, "response_message_count": 2}
    assert seen == expected, f"expected Envoy to count calls and messages as {expected}, saw {seen}"


def called(envoy: Envoy, name: str, path: str) -> Answer:
    """Makes a call of one message."""
    with envoy.connect(Protocol.HTTP2, listener=name) as client:
        return client.request(Request(path, "POST", GRPC, FRAME))


def assert_grpc(answer: Answer, status: str, body: str) -> None:
    """Asserts how a call has ended."""
    seen = (answer.status, answer.headers.get("content-type"), answer.trailers.get("grpc-status"), answer.body)
    expected = (200, "application/grpc", status, body)
    assert seen == expected, f"expected status, type, status of gRPC and body {expected}, saw {seen}"


@case("safety.no_boundary", supported_for=())
def test_grpc_reply(cell: Cell) -> None:
    """A call of gRPC that the module answers with 503 ends with a status in headers: the one that Envoy has for 503."""
    refusing = virtual_host({"match": {"prefix": "/"}, "direct_response": {"status": 503}})
    with cell.start(listener("local_reply", "503"), RoutedListener("envoy", virtual_hosts=(refusing,))) as envoy:
        answer = called(envoy, "main", "/package.Service/Method")
        of_envoy = called(envoy, "envoy", "/package.Service/Method")
    names = ("content-type", "grpc-message", "x-dmconform-local")
    seen = (answer.status, *(answer.headers.get(name) for name in names), answer.body)
    expected = (200, "application/grpc", "local reply", cell.language, "")
    assert seen == expected, f"expected status, {', '.join(names)} and body {expected}, saw {seen}"
    status, usual = (one.headers.get("grpc-status", NONE) for one in (answer, of_envoy))
    cell.facts["status of gRPC"] = status
    assert status == usual, f"expected the status of gRPC {usual}, as where Envoy answers with 503, saw {status}"


UPGRADE = b"GET /upgraded HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
HEAD_END = b"\r\n\r\n"
SWITCHED = "HTTP/1.1 101"


@case("window.forward", "policy.result")
def test_upgraded(cell: Cell) -> None:
    """Bytes of a WebSocket pass a module, in the usual chain of filters or in one of the upgrade's own; it sees the 101."""
    seeing = (SEES_ROUTES, HttpFilter(ModuleRef(PROBE), "identity"))
    router = {"name": "router", "typed_config": {"@type": f"{_EXTENSIONS}.filters.http.router.v3.Router"}}
    own_chain = {"upgrade_type": "websocket", "filters": [*(one.to_json() for one in seeing), router]}
    replying = (HttpFilter(ModuleRef(PROBE), "local_reply", "418"),)
    listeners = [
        Listener("usual", seeing, upgrades=("websocket",)),
        Listener("own", replying, manager={"upgrade_configs": [own_chain]}),
    ]
    with cell.echo_server() as echo, cell.start(*listeners, clusters={"upstream": echo.port}) as envoy:
        seen = {one.name: upgraded(envoy, one.name) for one in listeners}
        plain = envoy.request("/", listener="own").status
    expected = dict.fromkeys(seen, (SWITCHED, f"x-dmconform-config: {CONFIG}", "echoed"))
    assert seen == expected, f"expected status, header and bytes {expected}, saw {seen}"
    assert plain == 418, f"expected a plain request to be answered by the usual chain with 418, saw {plain}"


def upgraded(envoy: Envoy, name: str) -> tuple[str, str, str]:
    """Returns the status of an upgrade, the module's header in its answer, and what comes back of bytes."""
    with raw_client(envoy.take_port(name)) as client:
        client.send(UPGRADE)
        lines = client.read_until(HEAD_END).decode().splitlines()
        status = lines[0][: len(SWITCHED)] if lines else "(nothing)"
        back = "not sent"
        if status == SWITCHED:
            client.send(BYTES)
            back = "echoed" if client.read(len(BYTES)) == BYTES else "not echoed"
    mine = next((line for line in lines if line.startswith("x-dmconform-config")), "(no header)")
    return status, mine, back


@dataclass(frozen=True)
class Matched(HttpFilter):
    """An entry of the chain that is a filter, with a matcher that has a say: on the header `x-pick`, by exact value."""

    actions: tuple[tuple[str, dict[str, Any]], ...] = ()
    inner: dict[str, Any] | None = None  # the configuration of the filter that is matched; this module's if None

    def to_json(self) -> dict[str, Any]:
        """Returns the entry."""
        own = super().to_json()
        data = {"@type": "type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput", "header_name": "x-pick"}
        tree = {
            "input": {"name": "header", "typed_config": data},
            "exact_match_map": {
                "map": {value: {"action": {"name": value, "typed_config": action}} for value, action in self.actions}
            },
        }
        return {
            "name": own["name"],
            "typed_config": {
                "@type": f"{_EXTENSIONS}.common.matching.v3.ExtensionWithMatcher",
                "extension_config": {"name": own["name"], "typed_config": self.inner or own["typed_config"]},
                "xds_matcher": {"matcher_tree": tree},
            },
        }


COMPOSITE = f"{_EXTENSIONS}.filters.http.composite.v3"
SKIP = {"@type": f"{_EXTENSIONS}.filters.common.matcher.action.v3.SkipFilter"}


def picked(name: str, filter_: HttpFilter) -> tuple[str, dict[str, Any]]:
    """Returns what has a filter used, by a value of the header."""
    entry = filter_.to_json()
    return name, {"@type": f"{COMPOSITE}.ExecuteFilterAction", "typed_config": entry}


@case("window.forward", "policy.result", languages=ONE)
def test_chosen_by_a_match(cell: Cell) -> None:
    """A match decides for each request which filter of a module is used (`composite`), or whether one is (a skip)."""
    filters = [HttpFilter(ModuleRef(PROBE), "per_route", name) for name in ("first", "second")]
    chosen = Matched(
        ModuleRef(PROBE),
        "chosen",
        actions=tuple(picked(one.config, one) for one in filters),
        inner={"@type": f"{COMPOSITE}.Composite"},
    )
    replying = Matched(ModuleRef(PROBE), "local_reply", "418", actions=(("skipped", SKIP),))
    with cell.start(Listener("composite", (chosen,)), Listener("skipping", (replying,))) as envoy:
        seen = {}
        for pick in ("first", "second", "third"):
            answer = envoy.request("/", listener="composite", headers={"x-pick": pick})
            seen[pick] = f"{answer.status}, {answer.headers.get('x-dmconform-config', NONE)}"
        for pick in ("skipped", "not skipped"):
            seen[pick] = str(envoy.request("/", listener="skipping", headers={"x-pick": pick}).status)
    expected = {
        "first": "200, first",
        "second": "200, second",
        "third": "200, none",
        "skipped": "200",
        "not skipped": "418",
    }
    assert seen == expected, f"expected the matches to have the results {expected}, saw {seen}"


@dataclass(frozen=True)
class Discovered(HttpFilter):
    """A filter whose configuration comes by extension discovery from a file, and is `standing_in` until there is one."""

    file: Path = Path()
    standing_in: HttpFilter | None = None

    is_in_listener = False

    def to_json(self) -> dict[str, Any]:
        """Returns the entry that names the file."""
        own = super().to_json()
        assert self.standing_in is not None, "expected a configuration for the time before there is one"
        source = {"path_config_source": {"path": str(self.file)}, "resource_api_version": "V3"}
        discovery = {
            "config_source": source,
            "type_urls": [own["typed_config"]["@type"].partition("/")[2]],
            "default_config": self.standing_in.to_json()["typed_config"],
            "apply_default_config_without_warming": True,
        }
        return {"name": own["name"], "config_discovery": discovery}

    def write(self, version: int, *configs: HttpFilter) -> None:
        """Replaces the file by one with these configurations of the filter: one or none."""
        resources = [
            {
                "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
                "name": self.entry,
                "typed_config": one.to_json()["typed_config"],
            }
            for one in configs
        ]
        part = self.file.with_suffix(".part")
        part.write_text(json.dumps({"version_info": str(version), "resources": resources}), encoding="utf-8")
        part.replace(self.file)


@case("window.forward", "policy.result", languages=ONE)
def test_discovered_with_default(cell: Cell) -> None:
    """By extension discovery, a filter of the default configuration serves until another comes; a bad one changes nothing."""
    cell.install()
    first, later, bad = (HttpFilter(ModuleRef(name), "local_reply", status) for name, status in STATUSES)
    filter_ = Discovered(ModuleRef(PROBE), "local_reply", file=cell.folder / "extensions.json", standing_in=first)
    filter_.write(1)
    with cell.start(Listener("main", (filter_,))) as envoy:
        seen = [envoy.request("/").status]
        filter_.write(2, later)
        poll(lambda: envoy.request("/").status == LATER, CONFIG_UPDATE_S)
        seen.append(envoy.request("/").status)
        before = rejections(envoy)  # the file without a configuration is one
        filter_.write(3, bad)
        poll(lambda: rejections(envoy) > before, CONFIG_UPDATE_S)
        rejected = rejections(envoy) - before
        seen.append(envoy.request("/").status)
    assert seen == [418, LATER, LATER], f"expected the answers 418, then {LATER}, then {LATER}, saw {seen}"
    assert rejected == 1, f"expected the bad configuration to be rejected once, Envoy counts {rejected}"


def rejections(envoy: Envoy) -> int:
    """Returns how many configurations by extension discovery the host has rejected."""
    return sum(value for name, value in envoy.counters("extension_config_discovery").items() if name.endswith(".config_fail"))


LATER = 422
STATUSES = ((PROBE, "418"), (PROBE, str(LATER)), ("absent", "500"))
