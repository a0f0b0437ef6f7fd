"""What is left of many requests in the memory of the process."""

from __future__ import annotations

from dmconform.casekit import DIRECT_BODY, DIRECT_PATH, Cell, ask_in_bulk, case, held, listener, requests_of_a_load

WARM_REQUESTS = 5_000
"""After so many the allocator has what it keeps for the next ones."""
# A module that left eight bytes behind for each of 100,000 requests would add 781 KiB.
MORE_KIB = 512


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
    grown = (after.memory[0] - before.memory[0]) // 1024
    cell.facts["requests"] = str(requests)
    cell.facts["growth (varies)"] = f"{grown} KiB of its own, {after.mappings - before.mappings} mappings"
    assert grown <= MORE_KIB, (
        f"expected its own memory to grow by at most {MORE_KIB} KiB in {requests} requests, it grew by {grown}"
    )
