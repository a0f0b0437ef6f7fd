"""Every SDK version on every host: does the module load, what does the host say of it, and does it serve?"""

from __future__ import annotations

from harness.hosts.catalogue import AbiCheck
from harness.model import AbiVerdict
from harness.plan.cases import case
from harness.run.cell import Cell, listener
from harness.run.config import DIRECT_BODY, DIRECT_PATH
from harness.run.upstream import Received

CONFIG = "window"


@case("window.forward", "loading.exact_match")
def test_loads(cell: Cell) -> None:
    """The module loads, and the host says of its ABI string what it must."""
    with cell.start(listener("identity")):
        pass
    verdict = cell.abi_verdict_so_far()
    host = cell.planned_host
    cell.facts["abi"] = f"module {cell.sdk.abi_version}, host {host.abi_version or 'not known'}: {verdict.value}"
    assert verdict in (AbiVerdict.MATCHED, AbiVerdict.DEPRECATED) or host.abi_check is not AbiCheck.WARN, (
        f"expected the host to say whether the ABI string matches, it is {verdict.value}"
    )
    if host.abi_version is not None:
        matches = cell.sdk.abi_version == host.abi_version
        assert matches is (verdict is not AbiVerdict.DEPRECATED), (
            f"module has ABI string {cell.sdk.abi_version}, host {host.abi_version}: "
            f"expected {'no warning' if matches else 'a warning'}, the verdict is {verdict.value}"
        )


@case("window.forward")
def test_proxied_traffic(cell: Cell) -> None:
    """Headers and bodies are read and changed in both directions, with an upstream server behind."""
    with cell.start(listener("transform", CONFIG)) as envoy:
        answer = envoy.request("/proxied", method="POST", headers={"x-dmconform-in": "question"}, body="hello")
    assert answer.status == 200, f"expected status 200, saw {answer}"
    response = answer.headers.get("x-dmconform-response")
    assert response == f"{cell.language} {CONFIG}", f"expected the response header to be set, it is {response!r}"
    assert answer.body.startswith("res[") and answer.body.endswith("]"), f"expected res[…] around the body, saw {answer.body!r}"
    received = Received.from_json(answer.body[4:-1])
    request = received.headers.get("x-dmconform-request")
    assert request == f"{cell.language} {CONFIG} question", f"expected the request header at the upstream, saw {request!r}"
    assert received.body == "req[hello]", f"expected the upstream to receive 'req[hello]', it received {received.body!r}"


@case("window.forward")
def test_direct_traffic(cell: Cell) -> None:
    """A response that Envoy itself makes is changed like one from an upstream server."""
    with cell.start(listener("transform", CONFIG)) as envoy:
        answer = envoy.request(DIRECT_PATH)
    assert answer.status == 200, f"expected status 200, saw {answer}"
    response = answer.headers.get("x-dmconform-response")
    assert response == f"{cell.language} {CONFIG}", f"expected the response header to be set, it is {response!r}"
    assert answer.body == f"res[{DIRECT_BODY}]", f"expected the body res[{DIRECT_BODY}], saw {answer.body!r}"


@case("window.forward")
def test_local_reply(cell: Cell) -> None:
    """The module answers a request by itself."""
    with cell.start(listener("local_reply", "418")) as envoy:
        answer = envoy.request("/anything")
    seen = (answer.status, answer.headers.get("x-dmconform-local"), answer.body)
    expected = (418, cell.language, "local reply")
    assert seen == expected, f"expected status, header and body {expected}, saw {seen} {answer.problem}"
