"""What is left of many requests, and of many updates, in the memory of the process."""

from __future__ import annotations

import itertools
import time

from dmconform.casekit import (
    DIRECT_BODY,
    DIRECT_PATH,
    PROBE,
    Cell,
    GrowthLimit,
    Held,
    HttpFilter,
    Language,
    Listener,
    ModuleRef,
    ask_in_bulk,
    assert_drained,
    case,
    growth,
    held,
    listener,
    requests_of_a_load,
)

WARM_REQUESTS = 5_000
"""After so many the allocator has what it keeps for the next ones."""
# A module that left eight bytes behind for each of 100,000 requests would add 781 KiB.
MORE = GrowthLimit(own_kib=512)
# The heap of Go grows to what its collector lets it, and stays: by 2.1 MiB in 10,000 requests, 2.8 MiB in 100,000 (measured).
MORE_IN_GO = GrowthLimit(own_kib=8192)


@case("window.forward", "policy.result", supported_for=(), own_minor=True)
def test_per_request(cell: Cell) -> None:
    """Many requests through a module that holds and changes bodies leave next to nothing behind."""
    requests = requests_of_a_load()
    with cell.start(listener("transform", "memory")) as envoy:
        body = envoy.request(DIRECT_PATH).body
        assert body == f"res[{DIRECT_BODY}]", f"expected the module to change responses, saw {body!r}"
        port = envoy.take_port("main")
        warm = ask_in_bulk(port, WARM_REQUESTS)
        assert warm == WARM_REQUESTS, f"expected {WARM_REQUESTS} requests to be answered, {warm} were"
        before = held(envoy)
        answered = ask_in_bulk(port, requests)
        assert answered == requests, f"expected {requests} requests to be answered, {answered} were"
        after = held(envoy)
    cell.facts["requests"] = str(requests)
    cell.facts["growth (varies)"] = growth(before, after)
    limit = MORE_IN_GO if cell.sdk.language is Language.GO else MORE
    limit.assert_kept(before, after, f"{requests} requests")


REQUESTS_FOR_AN_UPDATE = 100
"""There are so many times fewer updates than a load has requests."""
COPY_EVERY = 10
WARM_UPDATES = 60
# Measured with every language on the default hosts, own memory grows by up to 184 KiB in 100 updates and 436 KiB in 1,000; with
# one file by next to nothing. What grows is a KiB or two for each time that a module with C++ is unloaded and loaded anew.
MORE_KIB = 256
MORE_KIB_FOR_AN_UPDATE = 0.5
ROUNDS = 2
"""So often it may be tried: what the allocator keeps comes once, what updates leave comes each time."""


@case("window.forward", "policy.result", supported_for=(), own_minor=True)
def test_per_update(cell: Cell) -> None:
    """Many updates, each with another configuration for a module and some with a copy of its file, leave little behind."""
    updates = max(1, requests_of_a_load() // REQUESTS_FOR_AN_UPDATE)
    cell.install(name="copy")
    plain = Listener("plain")
    # A module that is never unloaded would have the copy stay beside it.
    copies = cell.sdk.unloads
    limit = GrowthLimit(own_kib=MORE_KIB + int(MORE_KIB_FOR_AN_UPDATE * updates), mappings=4, files=8)
    numbers = itertools.count(1)

    def update(times: int) -> Held:
        """Updates the listener so often; returns what the process holds then."""
        for number in itertools.islice(numbers, times):
            module = "copy" if copies and number % COPY_EVERY == 0 else PROBE
            cell.reconfigure(envoy, plain, Listener("main", (HttpFilter(ModuleRef(module), "transform", str(number)),)))
        assert_drained(envoy)
        return held(envoy)

    with cell.start(plain) as envoy:
        after = update(WARM_UPDATES)
        for _ in range(ROUNDS):
            before, began = after, time.monotonic()
            after = update(updates)
            spent_s = time.monotonic() - began
            if not limit.excess(before, after, "a round"):
                break
        body = envoy.request(DIRECT_PATH).body
        assert body == f"res[{DIRECT_BODY}]", f"expected the last configuration to serve, saw {body!r}"
    cell.facts["updates"] = str(updates)
    cell.facts["files"] = f"one in {COPY_EVERY} has a copy" if copies else "all have one"
    cell.facts["growth (varies)"] = f"{growth(before, after)}; {1000 * spent_s / updates:.1f} ms each"
    limit.assert_kept(before, after, f"{updates} updates")
