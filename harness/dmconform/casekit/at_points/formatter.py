"""Formatters: what `command` writes, in the file of an access log and into the bodies of answers of Envoy's own."""

from __future__ import annotations

import re

from dmconform.casekit.at_points.model import ProbedPoint, When, ask_over_http
from dmconform.casekit.points import listeners_at
from dmconform.core.timeouts import LOG_LINE_S
from dmconform.core.waiting import poll
from dmconform.envoy.config import DIRECT_BODY, DIRECT_PATH, Listener, ModuleRef
from dmconform.envoy.connection import Protocol, Request
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.draft import Draft
from dmconform.envoy.extension_points.use import ModuleUse
from dmconform.envoy.headers import Headers
from dmconform.matrix.cell import PROBE, Cell

Written = dict[str, str]
"""What a command writes of a request: by name what the contract lists, such as `path`."""

NAME = "command"
ACCESS_LOG = "access.log"
"""The file that the host writes to, in the cell's folder."""
_WRITTEN = re.compile(r"^dmconform command (?P<language>\w+) \[(?P<text>.*)\] (?P<pairs>argument=.*)$")
_ONE, _TWO = "one value", "another"
_LOCAL = "local"
# All that there is, nothing, a short text, what is left of it, and what is left of all that there is.
_FORMAT = "%DYNAMIC_MODULE(all)%|%DYNAMIC_MODULE(nothing)%|%DYNAMIC_MODULE(short)%|%DYNAMIC_MODULE(short):2%|%DYNAMIC_MODULE:9%"
_WIRE = {Protocol.HTTP1: "HTTP/1.1", Protocol.HTTP2: "HTTP/2"}


def _written(cell: Cell, text: str, line: str) -> Written | None:
    """Returns what the command of a configuration with this text has written; None if it is of none."""
    found = _WRITTEN.search(line)
    if found is None or (found["language"], found["text"]) != (cell.language, text):
        return None
    return dict(pair.partition("=")[::2] for pair in found["pairs"].split(" "))


def _logged(cell: Cell, envoy: Envoy, text: str, path: str) -> tuple[Written, str]:
    """Returns what the command and what Envoy has written in the only line of the access log about a request with this path.

    Raises:
        AssertionError: there is none in time, or more than one.
    """
    cell.observer.note_unreplayed("a file that the host writes")
    file = cell.folder / ACCESS_LOG

    def lines() -> list[tuple[Written, str]]:
        envoy.admin("/reopen_logs", "POST")  # Envoy would hold lines back for ten seconds
        parts = [line.rpartition(" ") for line in file.read_text(encoding="utf-8").splitlines()]
        return [(found, own) for by, _, own in parts if (found := _written(cell, text, by)) and found["path"] == path]

    poll(lambda: bool(lines()), LOG_LINE_S)
    found = lines()
    assert len(found) == 1, f"expected one line of the access log about {path} by the formatter [{text}], saw {len(found)}"
    return found[0]


def assert_works(cell: Cell, envoy: Envoy, text: str) -> None:
    """Sends requests of several kinds, and asserts that what is written of each is what its client knows."""
    for protocol in Protocol:
        mark = protocol.name.lower()
        headers = Headers([("x-dmconform-in", _ONE), ("x-dmconform-in", _TWO)])
        for request, expected in (
            (Request(f"{DIRECT_PATH}?{mark}"), {"in": "-", "second": "-", "out": "-", "trailer": "-", "status": "200"}),
            (
                Request(f"/{mark}?echo=x-dmconform-in&trailers", headers=headers),
                {"in": _ONE, "second": _TWO, "out": _ONE, "trailer": "yes", "trailers": "1", "status": "200"},
            ),
            (
                Request(f"/{mark}?status=503", "POST", body="a body"),
                {"in": "-", "second": "-", "out": "-", "trailer": "-", "trailers": "0", "status": "503"},
            ),
        ):
            with envoy.connect(protocol) as client:
                answer = client.request(request)
            assert str(answer.status) == expected["status"], f"expected {request.path} to be answered, saw {answer.summary}"
            written, own = _logged(cell, envoy, text, request.path)
            wanted = expected | {"argument": "argument", "method": request.method, "type": "DownstreamEnd"}
            _assert_written(cell, written, request.path, wanted | {"protocol": _WIRE[protocol]})
            assert own == expected["status"], f"expected Envoy to write {expected['status']} beside it, it wrote {own}"
    cell.reconfigure(envoy, *_with_local_replies(cell, text))
    _assert_in_body(cell, envoy, text)


def _assert_written(cell: Cell, written: Written, path: str, wanted: Written) -> None:
    everything = {"address": "127.0.0.1", "health_check": "false", **wanted}
    escaped = {name: value.replace(" ", "\\x20") for name, value in everything.items()}
    # The documents leave open whether the attribute has a port: it has from 1.40 on.
    address, _, port = written.get("address", "(nothing)").partition(":")
    cell.facts["attribute source.address"] = "with a port" if port else "without a port"
    seen = {name: written.get(name, "(nothing)") for name in escaped} | {"address": address}
    assert seen == escaped, f"expected the formatter to write of {path} {escaped}, it wrote {seen}"


def _with_local_replies(cell: Cell, text: str) -> tuple[Listener, ...]:
    """Returns the listener of the extension point, and one where the module writes the bodies of Envoy's own answers."""
    use = ModuleUse(cell.point, ModuleRef(PROBE), NAME, text)

    def alter(draft: Draft) -> None:
        draft.main["name"] = _LOCAL
        (log,) = draft.manager.pop("access_log")
        body = {**log["typed_config"]["log_format"], "text_format_source": {"inline_string": _FORMAT}}
        draft.manager["local_reply_config"] = {"body_format": body}

    return (*listeners_at(cell, use), *listeners_at(cell, use, alter))


def _assert_in_body(cell: Cell, envoy: Envoy, text: str) -> None:
    """Asserts that a client gets what the module writes in the place of an answer's body, which the module sees."""
    path = f"{DIRECT_PATH}/local"
    with envoy.connect(Protocol.HTTP1, listener=_LOCAL) as client:
        answer = client.request(Request(path))
    everything, *others = answer.body.split("|")
    written = _written(cell, text, everything)
    assert written is not None, f"expected the answer to {path} to hold what the module writes, saw {answer.body!r}"
    wanted = {"argument": "all", "path": path, "status": "200", "reply": DIRECT_BODY, "type": "NotSet"}
    _assert_written(cell, written, path, wanted)
    rest = ["-", cell.language, cell.language[:2], "dmconform"]
    assert others == rest, f"expected the commands after the first to write {rest}, they wrote {others}"


POINT = ProbedPoint(
    name=NAME,
    hooks={
        "parse": When.CREATION,
        "format": When.TRAFFIC,
        "destroy": When.END,
        "config_destroy": When.END,
    },
    assert_works=assert_works,
    ask=ask_over_http,
)
