"""A listener for datagrams, and the filters of modules in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dmconform.envoy.config import Listener, ListenerFilter


@dataclass(frozen=True)
class DatagramFilter(ListenerFilter):
    """One of the filters of a listener for datagrams."""

    _TYPE = "udp.dynamic_modules.v3.DynamicModuleUdpListenerFilter"


@dataclass(frozen=True)
class DatagramListener(Listener):
    """A listener for datagrams on loopback; they go nowhere but to its filters, `listening`."""

    def to_json(self) -> dict[str, Any]:
        """Returns the `Listener` resource."""
        message = super().to_json()
        message["address"]["socket_address"]["protocol"] = "UDP"
        message["udp_listener_config"] = {}
        del message["filter_chains"]
        return message
