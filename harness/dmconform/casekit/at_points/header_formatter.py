"""Header formatters: the names of HTTP/1.1 headers as `spelling` has them, as bytes on the wire."""

from __future__ import annotations

from dmconform.casekit.at_points.model import ProbedPoint, When, ask_over_http
from dmconform.casekit.points import working_at_point
from dmconform.casekit.raw_client import RawClient, raw_client
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.connection import Protocol, Request
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.draft import Draft
from dmconform.envoy.extension_points.use import ModuleUse
from dmconform.matrix.cell import MAIN, PROBE, Cell

NAME = "spelling"
SHOWN = "X-Dmconform-Text"
"""The header whose name ends with the configuration, as hexadecimal digits."""
_ADDED_UPSTREAM = "X-REQUEST-ID"
_ADDED_DOWNSTREAM = "SERVER"
_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def assert_works(cell: Cell, envoy: Envoy, text: str) -> None:
    """Sends requests whose names are spelled in several ways, and asserts how they are on their way upstream, and back."""
    shown = f"{SHOWN}-{text.encode().hex().upper()}"
    with raw_client(envoy.take_port(MAIN)) as client:
        for names in (("X-DmConform-In", "ACCEPT", "x-dmconform-TEXT"), ("x-dmcONFORM-in", "Accept", SHOWN)):
            _, seen = _exchange(client, "/raw?spelled", names)
            wanted = ["Host", *names[:-1], shown]
            assert seen[: len(wanted)] == wanted, f"expected names to go upstream as {wanted}, they went as {seen}"
            added = seen[len(wanted) :]
            assert _ADDED_UPSTREAM in added, f"expected {_ADDED_UPSTREAM} to be added in capital letters, saw {added}"
            assert all(name.isupper() for name in added), f"expected what Envoy adds in capital letters, saw {added}"
    _assert_left_alone(envoy)
    _assert_on_the_way_back(cell, text, shown)


def _exchange(client: RawClient, target: str, names: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Sends a request with headers of these names, and returns the names of those of the answer, and the lines of its body."""
    head = "".join(f"{name}: yes\r\n" for name in ("Host", *names))
    client.send(f"GET {target} HTTP/1.1\r\n{head}\r\n".encode())
    status, *headers = client.read_until(b"\r\n\r\n").decode().splitlines()[:-1]
    assert status == "HTTP/1.1 200 OK", f"expected {target} to be answered with 200, saw {status!r}"
    values = dict(line.split(": ", 1) for line in headers)
    size = next(int(value) for name, value in values.items() if name.lower() == "content-length")
    return list(values), client.read(size).decode().splitlines()


def _assert_left_alone(envoy: Envoy) -> None:
    """Asserts that requests of HTTP/2, which the formatter does not see, go upstream in lower case."""
    with envoy.connect(Protocol.HTTP2) as client:
        answer = client.request(Request("/http2?spelled", headers={SHOWN.lower(): "yes"}))
    names = answer.body.splitlines()
    assert SHOWN.lower() in names and all(name.islower() for name in names), (
        f"expected the names of a request of HTTP/2 to go upstream in lower case, saw {names}"
    )


def _assert_on_the_way_back(cell: Cell, text: str, shown: str) -> None:
    """Asserts that a client sees the spelling of answers, where the cluster has the formatter too."""

    def alter(draft: Draft) -> None:
        spelled = draft.manager["http_protocol_options"]["header_key_format"]
        options = draft.upstream["typed_extension_protocol_options"][_OPTIONS]
        options["explicit_http_config"]["http_protocol_options"]["header_key_format"] = spelled
        draft.virtual_host["response_headers_to_add"] = [{"header": {"key": SHOWN.lower(), "value": "yes"}}]

    use = ModuleUse(cell.point, ModuleRef(PROBE), NAME, text)
    with working_at_point(cell, use, alter=alter) as envoy, raw_client(envoy.take_port(MAIN)) as client:
        names, _ = _exchange(client, "/back", ())
    assert shown in names, f"expected the client to get the name {shown}, saw {names}"
    assert "content-length" in names, f"expected content-length as the upstream server spells it, saw {names}"
    assert _ADDED_DOWNSTREAM in names, f"expected {_ADDED_DOWNSTREAM} to be added in capital letters, saw {names}"


POINT = ProbedPoint(
    name=NAME,
    hooks={
        "creation": When.TRAFFIC,
        "process_key": When.TRAFFIC,
        "format": When.TRAFFIC,
        "destroy": When.TRAFFIC,
        "config_destroy": When.END,
    },
    assert_works=assert_works,
    ask=ask_over_http,
)
