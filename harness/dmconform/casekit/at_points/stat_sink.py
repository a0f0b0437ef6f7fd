"""Stats sinks: the lines that `snapshots` writes at a flush, compared with the statistics that the admin interface shows."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping

from dmconform.casekit.at_points.model import Asked, ProbedPoint, When
from dmconform.core.timeouts import LOG_LINE_S
from dmconform.core.values import Language
from dmconform.core.versions import Minor
from dmconform.core.waiting import poll
from dmconform.envoy.envoy import Envoy
from dmconform.matrix.cell import Cell

Line = dict[str, str]

_LINE = re.compile(r"^dmconform stats (?P<language>\w+) \[(?P<text>.*)\] (?P<pairs>\S+=.*)$", re.MULTILINE)
_CLUSTER = "cluster.upstream."
_TAGS_SINCE = Minor(1, 40)
_REQUESTS = 3
_FLUSH = "/stats?filter=none_at_all"
"""What is asked of the admin interface so that the statistics are flushed."""
_FLUSHES = "dmconform_flushes"
_CANARY = "x-envoy-upstream-canary"
"""The header of an answer that is counted apart from others."""


def _lines(cell: Cell, envoy: Envoy, text: str) -> list[Line]:
    """Returns what the sink with this text was given at each flush so far."""
    return [
        dict(pair.partition("=")[::2] for pair in found["pairs"].split(" "))
        for found in _LINE.finditer(envoy.read_log())
        if (found["language"], found["text"]) == (cell.language, text)
    ]


def _flushed(cell: Cell, envoy: Envoy, text: str) -> Line:
    """Returns what the sink is given at a flush that begins now: the next one may have begun before."""
    wanted = len(_lines(cell, envoy, text)) + 2

    def given() -> bool:
        envoy.admin(_FLUSH)
        return len(_lines(cell, envoy, text)) >= wanted

    done = poll(given, LOG_LINE_S)
    envoy.check_alive("before its sink was given the statistics")
    assert done, f"expected the sink [{text}] to be given the statistics twice within {LOG_LINE_S:g} s, it was not"
    return _lines(cell, envoy, text)[-1]


def _growth(lines: list[Line], name: str) -> int:
    """Returns by how much a counter has grown, as the sink was given it at each of these flushes."""
    return sum(int(re.split(r"[+,]", line[name])[1]) for line in lines if name in line)


def _values(line: Mapping[str, str]) -> dict[str, int]:
    """Returns the statistics of the cluster in a line."""
    return {name: int(re.split(r"[+,]", value)[0]) for name, value in line.items() if name.startswith(_CLUSTER)}


def assert_works(cell: Cell, envoy: Envoy, text: str) -> None:
    """Sends requests, and asserts that the sink is given what the admin interface shows, its growth, and each time taken."""
    first = _flushed(cell, envoy, text)
    began = time.monotonic()
    for number in range(_REQUESTS):
        answer = envoy.request(f"/{number}")
        assert answer.status == 200, f"expected a request to be answered, saw {answer.summary}"
    took_ms = (time.monotonic() - began) * 1000
    _assert_same(cell, envoy, text)
    lines = _lines(cell, envoy, text)
    grown = _growth([line for line in lines if int(line["flush"]) > int(first["flush"])], f"{_CLUSTER}upstream_rq_total")
    assert grown == _REQUESTS, f"expected the sink to be given {_REQUESTS} requests more since its first flush, it was {grown}"
    _assert_samples(first, lines[-1], took_ms)
    _assert_own_gauge(cell, envoy, text)


def _assert_same(cell: Cell, envoy: Envoy, text: str) -> None:
    """Asserts that the sink and the admin interface have the same statistics of the cluster, and the same text."""
    name = "listener_manager.lds.version_text"
    shown = envoy.admin(f"/stats?filter=^{re.escape(name)}$").body.strip().rpartition(" ")[2].strip('"')
    wanted = {one: value for one, value in envoy.counters(re.escape(_CLUSTER)).items() if value}
    line = _flushed(cell, envoy, text)
    seen = _values(line)
    assert seen == wanted, f"expected the sink to be given of the cluster {wanted}, it was given {seen}"
    assert line.get(name) == shown, f"expected the sink to be given {name} as {shown!r}, it was given {line.get(name)!r}"
    if cell.language == Language.RUST.value and cell.sdk_minor >= _TAGS_SINCE:
        tags = line[f"{_CLUSTER}upstream_rq_total"].partition(",")[2]
        wanted_tags = "cluster.upstream_rq_total,envoy.cluster_name:upstream"
        assert tags == wanted_tags, f"expected the sink to be given the tags {wanted_tags}, it was given {tags!r}"


def _assert_samples(first: Line, last: Line, took_ms: float) -> None:
    """Asserts that the sink was given each value of the histogram of times between two flushes."""
    samples, milliseconds = (int(last[name]) - int(first[name]) for name in ("samples", "milliseconds"))
    assert samples == _REQUESTS, f"expected the sink to be given {_REQUESTS} values of a histogram, it was given {samples}"
    assert 0 <= milliseconds <= took_ms, f"expected times of {took_ms:g} ms at most, the sink was given {milliseconds} ms"


def _assert_own_gauge(cell: Cell, envoy: Envoy, text: str) -> None:
    """Asserts that the gauge that the sink sets in an event that another thread sends is the number of flushes."""
    wanted = int(_flushed(cell, envoy, text)["flush"])

    def seen() -> int:
        return sum(envoy.counters(f".*{_FLUSHES}$").values())

    poll(lambda: seen() >= wanted, LOG_LINE_S)
    shown, most = seen(), len(_lines(cell, envoy, text)) + 1
    assert wanted <= shown <= most, f"expected the sink's gauge to be from {wanted} to {most}, it is {shown}"


def _ask(_: Cell, envoy: Envoy, panic: bool) -> Asked:
    answer = envoy.request(f"/asked?echo={_CANARY}", headers={_CANARY: "true"} if panic else {})
    flushed = envoy.admin(_FLUSH)
    return Asked(answer.status == flushed.status == 200, f"{answer.summary}, then from the admin interface {flushed.summary}")


POINT = ProbedPoint(
    name="snapshots",
    hooks={
        "flush": When.TRAFFIC,
        "histogram": When.TRAFFIC,
        "scheduled": When.TRAFFIC,
        "destroy": When.END,
    },
    assert_works=assert_works,
    ask=_ask,
)
