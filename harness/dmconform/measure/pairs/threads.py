"""On which threads hooks run: the table of what must be, and updates that come while requests hold what they replace."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import json
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from dmconform.abi.types import Abi, FunctionKind
from dmconform.core.datafile import load_toml
from dmconform.core.errors import DataFileError
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.regular import replace_regular
from dmconform.core.timeouts import CONFIG_UPDATE_S, LOG_LINE_S, REQUEST_S
from dmconform.core.waiting import poll
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.attempt import attempt
from dmconform.envoy.extension_points.draft import MAIN, Draft, Message, WrittenListener
from dmconform.envoy.extension_points.shapes import available
from dmconform.envoy.extension_points.use import ModuleUse
from dmconform.measure.differential.calls import Target
from dmconform.measure.differential.rules import fits, short
from dmconform.measure.pairs.generate import SCRIPT_VARIABLE
from dmconform.measure.pairs.lines import Seen, read_pairs
from dmconform.measure.pairs.plan import PairPlan
from dmconform.measure.pairs.rules import PLAIN

BEFORE, AFTER = "before the update", "after the update"
_TYPES: Final = "type.googleapis.com"
_MAIN, _WORKER = "main", "worker"


class HookThread(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The threads that hooks may be on: `main`, `worker`, or both; `by` is where that is from."""

    hooks: tuple[str, ...]
    on: tuple[str, ...]
    by: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    hook: tuple[HookThread, ...]


def load_threads(path: Path, abis: Iterable[Abi]) -> tuple[HookThread, ...]:
    """Loads the table, and checks it against the hooks of all minors.

    Raises:
        DataFileError: it is not of its format, a rule fits no hook, or a hook has no rule.
    """
    table = load_toml(path, _File).hook
    hooks = {short(name) for abi in abis for name in abi.names(FunctionKind.HOOK)}
    for rule in table:
        if not set(rule.on) <= {_MAIN, _WORKER} or not rule.on:
            raise DataFileError(path, f"{list(rule.hooks)}: on: expected main, worker or both")
        for glob in rule.hooks:
            if not any(fits(hook, glob) for hook in hooks):
                raise DataFileError(path, f"{glob!r} fits no hook of any minor")
    for hook in sorted(hooks):
        if rule_for(table, hook) is None:
            raise DataFileError(path, f"{hook} has no rule")
    return table


def rule_for(table: Iterable[HookThread], hook: str) -> HookThread | None:
    """Returns the rule for a hook (short name)."""
    return next((rule for rule in table if fits(hook, *rule.hooks)), None)


def thread_kind(name: str) -> str:
    """Returns `main` or `worker` for the name that a thread gave: one that has no name yet has that of the program."""
    return _MAIN if name == _MAIN else _WORKER


def on_wrong_threads(table: Iterable[HookThread], threads: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Returns the hooks that were on another thread than they must be, with that thread."""
    rules = tuple(table)
    found = {}
    for hook, names in threads.items():
        rule = rule_for(rules, hook)
        wrong = {thread_kind(name) for name in names} - set(rule.on if rule else ())
        if wrong:
            found[hook] = " and ".join(sorted(wrong))
    return found


class Replaced(enum.Enum):
    """What an update replaces, while a request holds what was there before."""

    LISTENER = "listener"
    ROUTES = "routes by discovery"
    EXTENSION = "filter by extension discovery"
    CLUSTER = "cluster by discovery"


_IN_ROUTES: Final = (Replaced.LISTENER, Replaced.ROUTES)
UPDATES: Final[Mapping[ExtensionPoint, tuple[Replaced, ...]]] = {
    ExtensionPoint.HTTP_FILTER: (*_IN_ROUTES, Replaced.EXTENSION),
    ExtensionPoint.ACCESS_LOGGER: (Replaced.LISTENER,),
    ExtensionPoint.LISTENER_FILTER: (Replaced.LISTENER,),
    ExtensionPoint.NETWORK_FILTER: (Replaced.LISTENER,),
    ExtensionPoint.UDP_LISTENER_FILTER: (Replaced.LISTENER,),
    ExtensionPoint.CLUSTER: (Replaced.CLUSTER,),
    ExtensionPoint.LOAD_BALANCER: (Replaced.CLUSTER,),
    ExtensionPoint.MATCHER: _IN_ROUTES,
    ExtensionPoint.TRACER: (Replaced.LISTENER,),
    ExtensionPoint.UPSTREAM_HTTP_TCP_BRIDGE: (Replaced.CLUSTER,),
    ExtensionPoint.FORMATTER: (Replaced.LISTENER,),
    ExtensionPoint.HEALTH_CHECKER: (Replaced.CLUSTER,),
    ExtensionPoint.TRANSPORT_SOCKET: (Replaced.LISTENER,),
    ExtensionPoint.CLUSTER_SPECIFIER: _IN_ROUTES,
    ExtensionPoint.EARLY_HEADER_MUTATION: (Replaced.LISTENER,),
    ExtensionPoint.HEADER_FORMATTER: (Replaced.LISTENER,),
    ExtensionPoint.MATCHER_DATA_INPUT: _IN_ROUTES,
    ExtensionPoint.ROUTE_SPECIFIER: _IN_ROUTES,
}
"""What an update can replace of a module at an extension point. What the process starts with cannot be; TLS is left out."""


@dataclasses.dataclass(frozen=True)
class UpdateRun:
    """What one update showed; `problem` is why there is nothing to see, else empty."""

    point: ExtensionPoint
    replaced: Replaced
    seen: Seen
    problem: str = ""


def update_runs(
    plan: PairPlan, library: Path, target: Target, folder: Path, upstream_port: int
) -> Iterator[Callable[[], UpdateRun]]:
    """Yields the work of the updates: each extension point that each kind of update can replace.

    Args:
        plan: of the module.
        library: the compiled module.
        target: the host.
        folder: for the Envoys' files.
        upstream_port: a loopback port with an upstream that answers.
    """
    for point, kinds in UPDATES.items():
        if available(point, target.minor):
            for replaced in kinds:
                yield _Updated(plan, library, target, folder, upstream_port, point, replaced).run


@dataclasses.dataclass
class _Updated:
    plan: PairPlan
    library: Path
    target: Target
    folder: Path
    upstream_port: int
    point: ExtensionPoint
    replaced: Replaced
    _messages: list[Message] = dataclasses.field(default_factory=list)
    _file: Path | None = None
    _text: str = ""

    def run(self) -> UpdateRun:
        """Starts an Envoy, holds a request, updates, lets the request go on."""
        problem: list[str] = []

        def look(envoy: Envoy) -> None:
            problem.append(self._look(envoy))

        folder = self.folder / f"{self.target.host}-{self.point.value}-{self.replaced.name.lower()}"
        per_route = BEFORE if self.point is ExtensionPoint.HTTP_FILTER else None
        tried = attempt(
            self.target.binary,
            ModuleUse(self.point, ModuleRef("dmconform_pairs"), "pairs", config=BEFORE, per_route=per_route),
            folder,
            search_path=self.library.parent,
            environment={SCRIPT_VARIABLE: self.plan.script(PLAIN, ())},
            upstream_port=self.upstream_port,
            drive=False,
            alter=self._alter,
            look=look,
        )
        return UpdateRun(self.point, self.replaced, read_pairs(tried.log), tried.message or "".join(problem))

    def _alter(self, draft: Draft) -> None:
        """Moves what is to be replaced into a file that Envoy watches."""
        self._messages = draft.listeners
        resource: Message
        match self.replaced:
            case Replaced.LISTENER:
                return
            case Replaced.ROUTES:
                resource = {"@type": f"{_TYPES}/envoy.config.route.v3.RouteConfiguration", **draft.manager.pop("route_config")}
                resource["name"] = MAIN
                draft.manager["rds"] = {"route_config_name": MAIN, "config_source": self._source(draft)}
            case Replaced.EXTENSION:
                filter_ = draft.manager["http_filters"][0]
                typed = filter_.pop("typed_config")
                filter_["config_discovery"] = {"config_source": self._source(draft), "type_urls": [typed["@type"]]}
                type_name = f"{_TYPES}/envoy.config.core.v3.TypedExtensionConfig"
                resource = {"@type": type_name, "name": filter_["name"], "typed_config": typed}
            case Replaced.CLUSTER:
                clusters = draft.bootstrap["static_resources"]["clusters"]
                resource = {"@type": f"{_TYPES}/envoy.config.cluster.v3.Cluster", **clusters.pop(0)}
                draft.bootstrap["dynamic_resources"]["cds_config"] = self._source(draft)
        self._text = json.dumps(resource)
        self._write(1, self._text)

    def _source(self, draft: Draft) -> Message:
        self._file = draft.folder / "replaced.json"
        return {"path_config_source": {"path": str(self._file)}, "resource_api_version": "V3"}

    def _write(self, version: int, text: str) -> None:
        assert self._file is not None
        replace_regular(self._file, f'{{"version_info": "{version}", "resources": [{text}]}}'.encode())

    def _look(self, envoy: Envoy) -> str:
        if not envoy.first_update.accepted:
            return envoy.first_update.message
        made = envoy.printed().count(_NEW)
        with socket.create_connection(("127.0.0.1", envoy.port(MAIN)), REQUEST_S) as client:
            client.settimeout(REQUEST_S)
            client.sendall(b"POST / HTTP/1.1\r\nhost: dmconform\r\ncontent-length: 8\r\n\r\nhalf")
            rq = "http.[^.]*.downstream_rq_active|tcp.tcp.downstream_cx_total"
            poll(lambda: any(envoy.counters(rq).values()), LOG_LINE_S)
            text = json.dumps(self._messages) if self.replaced is Replaced.LISTENER else self._text
            if self.replaced is Replaced.LISTENER:
                changed: list[dict[str, Any]] = json.loads(text.replace(BEFORE, AFTER))
                envoy.update(*(WrittenListener(message["name"], message=message) for message in changed))
            else:
                self._write(2, text.replace(BEFORE, AFTER))
            if poll(lambda: envoy.printed().count(_NEW) > made, CONFIG_UPDATE_S) is None:
                return "the update made no new configuration"
            with contextlib.suppress(OSError):  # an update may have cut it
                client.sendall(b"half")
                client.recv(4096)
        poll(lambda: _destroyed(envoy) > 0, LOG_LINE_S)
        return ""


_NEW: Final = "config_new "


def _destroyed(envoy: Envoy) -> int:
    return sum(" leave " in line and "config_destroy" in line for line in envoy.printed().splitlines())
