"""Many clients at once."""

from __future__ import annotations

from collections import Counter

from dmconform.core.threads import thread_pool
from dmconform.core.timeouts import BURST_S
from dmconform.envoy.client import NoAnswer
from dmconform.envoy.connected import connect
from dmconform.envoy.connection import Protocol, Request


def burst(port: int, request: Request, *, clients: int, requests: int) -> Counter[str]:
    """Sends many requests at once, and counts what they see, as `Answer.summary` words it.

    Args:
        port: on loopback, of a listener.
        request: what each of them is.
        clients: how many there are of each protocol, HTTP/1.1 and HTTP/2, at the same time, each with a connection.
        requests: how many each of them sends: one after another with HTTP/1.1, all at once with HTTP/2.
    """
    with thread_pool(2 * clients, "client") as pool:
        seen = pool.map(lambda protocol: _seen(protocol, port, request, requests), [*Protocol] * clients)
        return sum(seen, Counter())


def _seen(protocol: Protocol, port: int, request: Request, requests: int) -> Counter[str]:
    seen: Counter[str] = Counter()
    try:
        if protocol is Protocol.HTTP1:
            while seen.total() < requests:
                seen += _one_after_another(port, request, requests - seen.total())
            return seen
        with connect(protocol, port, BURST_S) as connection:
            pending = [connection.send(request) for _ in range(requests)]
            return Counter(one.answer().summary for one in pending)
    except (NoAnswer, ConnectionError) as error:
        seen[str(error)] += requests - seen.total()
        return seen


def _one_after_another(port: int, request: Request, requests: int) -> Counter[str]:
    """Sends up to so many requests over one connection, as long as the other side leaves it open."""
    seen: Counter[str] = Counter()
    with connect(Protocol.HTTP1, port, BURST_S) as connection:
        while seen.total() < requests and connection.takes_more:
            seen[connection.request(request).summary] += 1
    return seen
