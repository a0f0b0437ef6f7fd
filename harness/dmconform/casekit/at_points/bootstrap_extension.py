"""Bootstrap extensions: the page of the admin interface on which `process` shows what it has seen, and a request of it."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import uuid4

from dmconform.casekit.at_points.model import Asked, ProbedPoint, When
from dmconform.casekit.points import draft_at, working_at_point
from dmconform.core.regular import replace_regular
from dmconform.core.timeouts import LOG_LINE_S
from dmconform.core.waiting import poll
from dmconform.envoy.client import Answer
from dmconform.envoy.config import Listener, ModuleRef
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.draft import Draft
from dmconform.envoy.extension_points.use import ModuleUse
from dmconform.envoy.upstream import Received
from dmconform.matrix.cell import PROBE, Cell

_NAME = "process"
_PAGE = "/dmconform"
_ASKING = f"{_PAGE}?dmconform-panic"
_ADDED = "added"
_MOVED_TO = 1
"""The event of a file whose place another one takes."""
_STARTED = (
    "creation",
    "scheduled 7 [true, true, true] true",
    "server_initialized 1 true true",
    "timer",
    "worker_thread_initialized",
)
"""What has happened once an Envoy with one worker thread has started."""
_METRICS = {"dmconform_timers": 1, "dmconform_workers": 1}


def _ask_page(envoy: Envoy, path: str = _PAGE, method: str = "GET") -> Answer:
    """Asks for the module's page of the admin interface, once there is one: the module adds it when the Envoy is set up."""
    poll(lambda: f"{_PAGE}:" in envoy.admin("/help").body, LOG_LINE_S)
    return envoy.admin(path, method)


def _page(cell: Cell, envoy: Envoy, text: str, path: str = _PAGE, method: str = "GET") -> list[str]:
    """Returns what the module's page shows below its first line.

    Raises:
        AssertionError: there is none, or it is not one of this module with this text.
    """
    answer = _ask_page(envoy, path, method)
    first, *lines = answer.body.splitlines() or [""]
    wanted = f"{cell.language} [{text}] {method} {path}"
    assert (answer.status, first) == (200, wanted), (
        f"expected a page of the admin interface that begins with {wanted!r}, saw {answer.summary}"
    )
    return lines


def _await_line(cell: Cell, envoy: Envoy, text: str, line: str, what: str) -> None:
    """Waits until the module's page has this line."""
    poll(lambda: line in _page(cell, envoy, text), LOG_LINE_S)
    lines = _page(cell, envoy, text)
    assert line in lines, f"expected the module to hear of {what}, saw {lines}"


def _assert_started(cell: Cell, envoy: Envoy, text: str) -> None:
    """Asserts that what happens at the start has happened once, and that the module's metrics show it."""

    def seen() -> tuple[str, ...]:
        own = {line.partition(" ")[0] for line in _STARTED}
        return tuple(sorted(line for line in _page(cell, envoy, text) if line.partition(" ")[0] in own))

    poll(lambda: seen() == _STARTED, LOG_LINE_S)
    assert seen() == _STARTED, f"expected the start to be {_STARTED}, saw {seen()}"
    found = {name.rpartition(".")[2]: value for name, value in envoy.counters("dynamic").items()}
    metrics = {name: found.get(name) for name in _METRICS}
    assert metrics == _METRICS, f"expected the module to count {_METRICS}, saw {metrics}"


def _assert_request_sent(cell: Cell, envoy: Envoy, text: str) -> None:
    """Asserts that a request of the module comes to the upstream server, and its answer to the module."""
    started, *_ = _page(cell, envoy, text, f"{_PAGE}?called", "POST")
    assert started == "callout true", f"expected the module to send a request, saw {started!r}"
    prefix = "callout_done true 200 "

    def answers() -> list[str]:
        return [line.removeprefix(prefix) for line in _page(cell, envoy, text) if line.startswith("callout_done ")]

    poll(lambda: bool(answers()), LOG_LINE_S)
    seen = answers()
    assert len(seen) == 1 and seen[0].startswith("{"), f"expected the module's request to be answered with 200, saw {seen}"
    received = Received.from_json(seen[0])
    sent = (received.method, received.path, received.headers.get("x-dmconform-text"))
    assert sent == ("GET", _PAGE, text), f"expected the upstream server to get GET {_PAGE} with {text!r}, it got {sent}"


def _assert_listeners_heard_of(cell: Cell, envoy: Envoy, text: str) -> None:
    """Asserts that the module hears of a listener that comes and goes."""
    plain = draft_at(cell, []).written()
    cell.reconfigure(envoy, *plain, Listener(_ADDED))
    _await_line(cell, envoy, text, f"listener_add_or_update {_ADDED}", "a listener that comes")
    cell.reconfigure(envoy, *plain)
    _await_line(cell, envoy, text, f"listener_removal {_ADDED}", "a listener that goes")
    shown = envoy.admin("/stats/prometheus?filter=dmconform_heard").body
    wanted = f'dmconform_heard{{of="listener",what="{_ADDED}"}} 2'
    assert wanted in shown, f"expected the module to count with labels {wanted}, saw {shown!r}"


def _assert_clusters_heard_of(cell: Cell, envoy: Envoy, text: str, file: Path) -> None:
    """Asserts that the module hears of a cluster that comes and goes, and of the file that says so, which it has watched."""
    started, *_ = _page(cell, envoy, text, f"{_PAGE}?watch={file}", "POST")
    assert started == "watch true", f"expected the module to watch a file, saw {started!r}"
    _bring_clusters(file, _ADDED)
    _await_line(cell, envoy, text, f"cluster_add_or_update {_ADDED}", "a cluster that comes")
    _await_line(cell, envoy, text, f"file_changed {file} {_MOVED_TO}", "a file that takes the place of another")
    _bring_clusters(file)
    _await_line(cell, envoy, text, f"cluster_removal {_ADDED}", "a cluster that goes")


def _bring_clusters(file: Path, *names: str) -> None:
    """Makes these all clusters that come by discovery."""
    resources = [{"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": name} for name in names]
    replace_regular(file, json.dumps({"resources": resources}).encode())


def _assert_end_heard_of(cell: Cell, text: str) -> None:
    """Asserts that in another Envoy the module hears of clusters and of a drain, and that the end waits for the module."""
    file = cell.folder / f"heard-{uuid4().hex}.json"
    _bring_clusters(file)

    def alter(draft: Draft) -> None:
        source = {"path_config_source": {"path": str(file)}, "resource_api_version": "V3"}
        draft.bootstrap["dynamic_resources"]["cds_config"] = source

    with working_at_point(cell, ModuleUse(cell.point, ModuleRef(PROBE), _NAME, text), alter=alter) as envoy:
        _assert_clusters_heard_of(cell, envoy, text, file)
        drained = envoy.admin("/drain_listeners?graceful", "POST")
        assert drained.status == 200, f"expected the Envoy to drain its listeners, saw {drained.summary}"
        _await_line(cell, envoy, text, "drain_started", "the beginning of the drain")
    shut = envoy.read_log().count(f"dmconform process {cell.language} [{text}] shutdown\n")
    assert shut == 1, f"expected the module to hear once that the Envoy ends, it did so {shut} times"


def assert_works(cell: Cell, envoy: Envoy, text: str) -> None:
    """Asserts that the module hears what happens to the Envoy, shows it in the admin interface, counts, and sends a request."""
    _assert_started(cell, envoy, text)
    _assert_request_sent(cell, envoy, text)
    _assert_listeners_heard_of(cell, envoy, text)
    _assert_end_heard_of(cell, text)


def _ask(_: Cell, envoy: Envoy, panic: bool) -> Asked:
    if panic:
        _ask_page(envoy, _ASKING, "POST")  # whose request's answer panics in one hook, and the next page in another
    answer = _ask_page(envoy, _ASKING if panic else _PAGE)
    return Asked(answer.status == 200, answer.summary)


POINT = ProbedPoint(
    name=_NAME,
    hooks={
        "creation": When.CREATION,
        "server_initialized": When.CREATION,
        "worker_thread_initialized": When.CREATION,
        "scheduled": When.CREATION,
        "timer": When.CREATION,
        "admin": When.TRAFFIC,
        "callout_done": When.TRAFFIC,
        "shutdown": When.END,
        "destroy": When.END,
        "configuration_end": When.END,
    },
    assert_works=assert_works,
    ask=_ask,
)
