"""An update that comes while a request holds what it replaces."""

from __future__ import annotations

import contextlib
import enum
import json
import re
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from dmconform.core.regular import replace_regular
from dmconform.core.timeouts import CONFIG_UPDATE_S, LOG_LINE_S, REQUEST_S
from dmconform.core.waiting import poll
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.extension_points.draft import MAIN, Draft, Message, WrittenListener

BEFORE, AFTER = "before the update", "after the update"
"""The configuration of the module, first and then."""
_TYPES: Final = "type.googleapis.com"


class Replaced(enum.Enum):
    """What an update replaces, while a request holds what was there before."""

    LISTENER = "listener"
    ROUTES = "routes by discovery"
    EXTENSION = "filter by extension discovery"
    CLUSTER = "cluster by discovery"


@dataclass
class HeldUpdate:
    """An update of a module whose configuration is `BEFORE`, while a request holds it; `alter` and `look` are for `attempt`.

    Args:
        replaced: what it replaces.
        made: the pattern of a line that the module prints where a configuration is made.
        destroyed: the same where one is destroyed.
    """

    replaced: Replaced
    made: re.Pattern[str]
    destroyed: re.Pattern[str]
    problem: str = ""  # why there is nothing to see
    _messages: list[Message] = field(default_factory=list)
    _file: Path | None = None
    _text: str = ""

    def alter(self, draft: Draft) -> None:
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

    def look(self, envoy: Envoy) -> None:
        """Holds a request, updates, lets the request go on, and waits until something was destroyed."""
        self.problem = self._look(envoy)

    def _look(self, envoy: Envoy) -> str:
        if not envoy.first_update.accepted:
            return envoy.first_update.message
        made = len(self.made.findall(envoy.printed()))
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
            if poll(lambda: len(self.made.findall(envoy.printed())) > made, CONFIG_UPDATE_S) is None:
                return "the update made no new configuration"
            with contextlib.suppress(OSError):  # an update may have cut it
                client.sendall(b"half")
                client.recv(4096)
        poll(lambda: self.destroyed.search(envoy.printed()) is not None, LOG_LINE_S)
        return ""
