"""The ports of an Envoy's listeners, as its admin interface gives them."""

from __future__ import annotations

import json
from collections.abc import Callable

from dmconform.core.timeouts import LISTENER_WARM_S
from dmconform.core.waiting import poll

_WARMING = "listener_manager.total_listeners_warming"


def ports(ask: Callable[[str], str]) -> dict[str, int]:
    """Returns the ports of the listeners that have one, by name; `ask` as of `port_of`."""
    listeners = json.loads(ask("/listeners?format=json") or "{}").get("listener_statuses", [])
    addresses = ((one["name"], one["local_address"].get("socket_address")) for one in reversed(listeners))
    return {name: int(address["port_value"]) for name, address in addresses if address is not None}


def port_of(listener: str, ask: Callable[[str], str]) -> int | None:
    """Returns the port of a listener, or None where there is none of this name.

    One that was accepted has no port while it waits for something, such as a module that is fetched: that is waited for.

    Args:
        listener: its name.
        ask: gives what the admin interface answers to a path; "" where there is no answer.
    """

    def reported() -> int | None:
        return ports(ask).get(listener)

    def nothing_warms() -> bool:
        return ask(f"/stats?filter=^{_WARMING}$").rpartition(": ")[2].strip() in ("0", "")

    found = reported()
    if found is None and poll(nothing_warms, LISTENER_WARM_S):
        found = reported()
    return found
