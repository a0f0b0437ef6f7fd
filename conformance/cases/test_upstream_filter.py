"""Filters on the upstream side, and requests that end in another way than their module thinks."""

from __future__ import annotations

from dmconform.casekit import (
    PROBE,
    REQUEST_S,
    Cell,
    Envoy,
    HostCrashed,
    HttpFilter,
    Language,
    Listener,
    Manner,
    ModuleRef,
    Protocol,
    Received,
    Reply,
    Request,
    case,
    listener,
    on_the_upstream_side,
    poll,
)

NO_LANGUAGE: tuple[Language, ...] = ()
CONFIG = "upstream"
CRASHED = "was killed by SIG"
ACTIVE = "cluster.asked.upstream_rq_active"


@case("module.upstream_side", supported_for=NO_LANGUAGE)
def test_traffic(cell: Cell) -> None:
    """An HTTP filter as one of the cluster's filters changes headers and bodies, both ways."""
    cell.install()
    filter_ = HttpFilter(ModuleRef(PROBE), "transform", CONFIG)
    with cell.start_anyhow(Listener("main"), search_path=cell.modules_folder, alter=on_the_upstream_side(filter_)) as envoy:
        answer = envoy.request("/up", method="POST", headers={"x-dmconform-in": "question"}, body="hello")
        assert answer.status == 200, f"expected status 200, saw {answer.summary}"
        response = answer.headers.get("x-dmconform-response")
        assert response == f"{cell.language} {CONFIG}", f"expected the response header to be set, it is {response!r}"
        received = Received.from_json(answer.body[4:-1])
        request = received.headers.get("x-dmconform-request")
        assert request == f"{cell.language} {CONFIG} question", f"expected the request header upstream, it is {request!r}"
        assert received.body == "req[hello]", f"expected the upstream to receive 'req[hello]', it received {received.body!r}"


@case("module.upstream_side", supported_for=NO_LANGUAGE)
def test_overflow(cell: Cell) -> None:
    """Where a circuit breaker is open, a host with a module on the upstream side answers with 503, or ends."""
    cell.install()
    filter_ = HttpFilter(ModuleRef(PROBE), "transform", CONFIG)
    breaker = {"thresholds": [{"max_pending_requests": 0}]}
    try:
        with cell.start_anyhow(
            Listener("main"), search_path=cell.modules_folder, alter=on_the_upstream_side(filter_, circuit_breakers=breaker)
        ) as envoy:
            assert_overflow(envoy, Request("/get"), Request("/post", "POST", body="hello"))
        cell.facts["the host"] = "answers with 503"
    except HostCrashed as problem:
        assert CRASHED in str(problem), f"expected the host to answer, or to be killed by a signal; {problem}"
        cell.facts["the host"] = str(problem)


def assert_overflow(envoy: Envoy, *requests: Request) -> None:
    """Requests are answered with 503 for an open circuit breaker."""
    for request in requests:
        with envoy.connect(Protocol.HTTP1) as client:
            answer = client.request(request)
        assert answer.status == 503, f"expected {request.method} to be answered with 503, saw {answer.summary}"
    seen = envoy.statistic("cluster.upstream.upstream_rq_pending_overflow")
    assert seen == len(requests), f"expected the circuit breaker to be open for {len(requests)} requests, it was for {seen}"
    envoy.check_survived("after a circuit breaker was open")


@case("window.forward", "policy.result")
def test_early_answer(cell: Cell) -> None:
    """An answer that comes while the client still sends its body, and that the module holds back, is delivered."""
    with cell.source_server() as source:
        source.offer("/early", Reply(b"early", 403))
        with (
            cell.start(listener("transform", CONFIG), clusters={"upstream": source.port}) as envoy,
            envoy.connect(Protocol.HTTP2) as client,
        ):
            answer = client.begin(Request("/early", "POST", body="held back")).answer()
    assert answer.status == 403, f"expected the answer 403 before the body is sent, saw {answer.summary}"
    assert answer.body == "res[early]", f"expected the module to change the answer, saw {answer.body!r}"


@case("window.forward", "policy.result")
def test_client_gone_during_callout(cell: Cell) -> None:
    """Where the client goes while a callout is under way, the callout ends with it, and the host serves on."""
    with cell.source_server() as source:
        source.offer("/callout", Reply(b"held", manner=Manner.HELD))
        with cell.start(listener("callout", "asked"), clusters={"asked": source.port}) as envoy:
            with envoy.connect(Protocol.HTTP1) as client:
                client.send(Request("/gone"))
                assert poll(lambda: source.count_fetches("/callout") > 0, REQUEST_S), (
                    "expected the callout to come, it does not"
                )
                active = envoy.statistic(ACTIVE)
                assert active == 1, f"expected one callout under way, there are {active}"
            ended = poll(lambda: envoy.statistic(ACTIVE) == 0, REQUEST_S)
            assert ended, f"expected the callout to end with its client's request, there are {envoy.statistic(ACTIVE)}"
            source.let_go()
            answer = envoy.request("/again")
            assert answer.status == 200, f"expected the next request to be answered, saw {answer.summary}"
