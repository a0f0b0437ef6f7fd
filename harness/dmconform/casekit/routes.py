"""Routes that come by discovery from a separate file, so that they change while their listener stays."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dmconform.core.timeouts import CONFIG_UPDATE_S, LOG_LINE_S
from dmconform.core.waiting import poll
from dmconform.envoy import config
from dmconform.envoy.config import Listener, PerRoute
from dmconform.envoy.envoy import Envoy
from dmconform.envoy.outcomes import HostHung
from dmconform.envoy.update import Update

_REJECTED = "Filesystem config update rejected: "


class Routes:
    """The routes of one listener."""

    def __init__(self, folder: Path, listener: Listener) -> None:
        """Writes the listener's own routes as the first version.

        Args:
            folder: where the file is to be.
            listener: as if it had its routes itself; `self.listener` is the one to give to an Envoy.
        """
        self.listener = replace(listener, routes_file=folder / f"routes-of-{listener.name}.json")
        self._version = 0
        self._write(self.listener)

    def _write(self, listener: Listener) -> None:
        self._version += 1
        file = self.listener.routes_file
        assert file is not None
        part = file.with_suffix(".part")
        part.write_text(config.route_discovery(self._version, listener), encoding="utf-8")
        part.replace(file)  # Envoy watches for a file moved here

    def update(self, envoy: Envoy, *per_route: PerRoute) -> Update:
        """Replaces the configuration that filters get on the route to the upstream server, and waits for the result.

        Raises:
            HostHung: it is neither accepted nor rejected in time.
        """
        name = self.listener.name
        prefix = f"http.{name}.rds.{name}.update_"
        before, rejections = envoy.counters(prefix), envoy.read_log().count(_REJECTED)
        self._write(replace(self.listener, per_route=per_route))

        def outcome() -> Update | None:
            envoy.check_alive("while it took routes")
            seen = envoy.counters(prefix)
            grown = {
                kind for kind in ("success", "rejected", "failure") if seen.get(prefix + kind) != before.get(prefix + kind)
            }
            if not grown:
                return None
            return Update(True) if grown == {"success"} else Update(False, _message(envoy, rejections))

        found = poll(outcome, CONFIG_UPDATE_S)
        if found is None:
            raise HostHung(f"Envoy has neither accepted nor rejected routes within {CONFIG_UPDATE_S:g} s")
        return found


def _message(envoy: Envoy, before: int) -> str:
    """Waits for a rejection after so many others, and returns its message."""
    log = poll(lambda: text if (text := envoy.read_log()).count(_REJECTED) > before else None, LOG_LINE_S)
    return "(no message in the log)" if log is None else log.rpartition(_REJECTED)[2].partition("\n")[0]
