"""Certificate validators: clients whose certificates `revokes` takes or turns down, and what it is shown of them."""

from __future__ import annotations

import re
import ssl
import zlib

from dmconform.casekit.at_points.model import Asked, ProbedPoint, When
from dmconform.casekit.at_points.tls_client import SERVER_NAME, ClientCertificate, TlsAnswer, certificate_of, visit
from dmconform.core.timeouts import LOG_LINE_S
from dmconform.core.waiting import poll
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.draft import MAIN
from dmconform.matrix.cell import Cell

_LINE = re.compile(r"^dmconform validates (?P<language>\w+) \[(?P<text>.*)\] (?P<pairs>\S+=.*)$", re.MULTILINE)
_ALERT = "CERTIFICATE_REVOKED"
"""The alert that the validator chooses, and Envoy would not."""
_FAILED = "ssl.fail_verify_error"
_VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def _lines(cell: Cell, envoy: Envoy, text: str, sums: str) -> list[dict[str, str]]:
    """Returns what the validator with this text has written of chains with these sums."""
    return [
        pairs
        for found in _LINE.finditer(envoy.read_log())
        if (found["language"], found["text"]) == (cell.language, text)
        if (pairs := dict(pair.partition("=")[::2] for pair in found["pairs"].split(" ")))["sums"] == sums
    ]


def assert_works(cell: Cell, envoy: Envoy, text: str) -> None:
    """Has clients show certificates, with TLS 1.2 and 1.3.

    Asserts that those in which the text stands are turned down, with the validator's alert, and the others served; and that it
    is shown their chains as they are, the name that they ask for, and the filter state of each connection as it has left it.
    """
    failed = _count_failed(envoy)
    for version in _VERSIONS:
        taken, revoked = f"anyone {version.name}", f"{text} {version.name}"
        for name in (taken, revoked):
            shown = certificate_of(name)
            sums = ",".join(str(zlib.adler32(one)) for one in shown.chain)
            before = len(_lines(cell, envoy, text, sums))
            seen = _visit(envoy, shown, version)
            if name == taken:
                assert seen.status == 200, f"expected the client {name!r} to be served, saw {seen.summary}"
            else:
                assert seen.problem.endswith(_ALERT), f"expected the alert {_ALERT} for {name!r}, saw {seen.summary}"
            poll(lambda sums=sums, before=before: len(_lines(cell, envoy, text, sums)) > before, LOG_LINE_S)  # type: ignore[misc] # mypy knows no lambda with defaults
            lines = _lines(cell, envoy, text, sums)[before:]
            assert len(lines) == 1, f"expected the validator to be shown the chain of {name!r} once, saw {len(lines)} lines"
            _assert_shown(lines[0], shown, text, "true" if name == taken else "false")
    failed = _count_failed(envoy) - failed
    assert failed == len(_VERSIONS), f"expected the host to count {len(_VERSIONS)} failures of validation, saw {failed}"
    cell.facts["a client without a certificate"] = _visit(envoy, None).summary


def _assert_shown(line: dict[str, str], shown: ClientCertificate, text: str, taken: str) -> None:
    wanted = {
        "sizes": ",".join(str(len(one)) for one in shown.chain),
        "host": SERVER_NAME,
        "server": "true",
        "before": "false",
        "set": "true",
        "state": text.replace(" ", "\\x20"),
        "taken": taken,
    }
    seen = {name: line.get(name, "(nothing)") for name in wanted}
    assert seen == wanted, f"expected the validator to see {wanted}, it saw {seen}"


def _count_failed(envoy: Envoy) -> int:
    return sum(value for name, value in envoy.counters("listener.").items() if name.endswith(_FAILED))


def _visit(envoy: Envoy, shown: ClientCertificate | None, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> TlsAnswer:
    return visit(envoy, MAIN, shown, version)


def _ask(_: Cell, envoy: Envoy, panic: bool) -> Asked:
    seen = _visit(envoy, certificate_of("dmconform panic" if panic else "anyone"))
    return Asked(seen.status == 200, seen.summary)


POINT = ProbedPoint(
    name="revokes",
    hooks={"verify_mode": When.CREATION, "digest": When.CREATION, "verify": When.TRAFFIC, "destroy": When.END},
    assert_works=assert_works,
    ask=_ask,
)
