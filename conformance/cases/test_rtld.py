"""How modules are opened, kept apart, shared and closed."""

from __future__ import annotations

from harness.plan.cases import case
from harness.run.cell import Cell, listener
from harness.run.client import Answer
from harness.run.config import ModuleRef
from harness.run.waiting import poll
from harness.timeouts import UNLOAD_S

INITIALISED = "dmconform: initialised"


def told(answer: Answer, what: str) -> str:
    """What a probe's `identity` filter tells."""
    header = f"x-dmconform-{what}"
    assert header in answer.headers, f"expected the header {header}, saw {answer}"
    return answer.headers[header]


@case("rtld.local_by_default")
def test_local_by_default(cell: Cell) -> None:
    """Two modules with the same symbols stay apart, and neither's are visible to the process."""
    cell.install(name="first")
    cell.install(name="second")
    with cell.start(listener("identity", name="a", module="first"), listener("identity", name="b", module="second")) as envoy:
        for name, module, requests in (("a", "libfirst.so", 2), ("b", "libsecond.so", 1)):
            for count in range(1, requests + 1):
                answer = envoy.request("/", listener=name)
                assert told(answer, "module") == module, f"expected {module} to answer, {told(answer, 'module')} did"
                assert told(answer, "count") == str(count), (
                    f"expected {module} to count {count}, it counts {told(answer, 'count')}: its state is not its own"
                )
                assert told(answer, "global") == "none", (
                    f"expected no module's symbols to be visible globally, those of {told(answer, 'global')} are"
                )


@case("rtld.load_globally")
def test_load_globally(cell: Cell) -> None:
    """The symbols of a module that is loaded globally are visible to another module; those of a local one are not."""
    cell.install(name="local")
    cell.install(name="global")
    first = listener("identity", name="a", module="local")
    second = listener("identity", name="b", module=ModuleRef("global", load_globally=True))
    with cell.start(first, second) as envoy:
        for name in ("a", "b"):
            seen = told(envoy.request("/", listener=name), "global")
            assert seen == "libglobal.so", f"expected the symbols of libglobal.so to be visible globally, found {seen}"


@case("rtld.closed_at_last_reference")
def test_unloaded_at_last_reference(cell: Cell) -> None:
    """The module is unloaded when the last configuration that uses it goes, without a restart, and not before."""
    cell.needs(cell.sdk.unloads, cell.sdk.unloads_reason or "")
    module = cell.install()
    canary = cell.install(name="canary")
    first, second = listener("identity", name="a"), listener("identity", name="b")
    with cell.start(first, second, listener("identity", name="c", module="canary")) as envoy:
        first_count = told(envoy.request("/", listener="a"), "count")
        assert first_count == "1", f"expected a fresh module to count 1, it counts {first_count}"
        cell.reconfigure(envoy, second)
        # The canary went with the same update: when it is gone, the module would be too if it were closed too early.
        assert poll(lambda: not envoy.has_mapped(canary), UNLOAD_S), f"a module without a user is loaded after {UNLOAD_S:g} s"
        assert envoy.has_mapped(module), "expected the module to stay loaded while a listener uses it, it is gone"
        count = told(envoy.request("/", listener="b"), "count")
        assert count == "2", f"expected its state to live on and count 2, it counts {count}"
        cell.reconfigure(envoy)
        gone = poll(lambda: not envoy.has_mapped(module), UNLOAD_S)
        assert gone, f"expected the module to be unloaded when nothing uses it, it is loaded after {UNLOAD_S:g} s"
        cell.reconfigure(envoy, first)
        count = told(envoy.request("/", listener="a"), "count")
        assert count == "1", f"expected a module that was loaded anew to count from 1, it counts {count}"


@case("rtld.do_not_close")
def test_do_not_close(cell: Cell) -> None:
    """With do_not_close the module stays loaded, with its state, when nothing uses it any more."""
    cell.needs(cell.sdk.unloads, f"nothing to tell apart: {cell.sdk.unloads_reason}")
    module = cell.install(name="kept")
    canary = cell.install(name="canary")
    kept = listener("identity", name="a", module=ModuleRef("kept", do_not_close=True))
    with cell.start(kept, listener("identity", name="b", module="canary")) as envoy:
        first_count = told(envoy.request("/", listener="a"), "count")
        assert first_count == "1", f"expected a fresh module to count 1, it counts {first_count}"
        cell.reconfigure(envoy)
        assert poll(lambda: not envoy.has_mapped(canary), UNLOAD_S), f"a module without a user is loaded after {UNLOAD_S:g} s"
        assert envoy.has_mapped(module), "expected a module with do_not_close to stay loaded, it is gone"
        cell.reconfigure(envoy, kept)
        count = told(envoy.request("/", listener="a"), "count")
        assert count == "2", f"expected the module to have kept its state and count 2, it counts {count}"


@case("identity.reuse")
def test_same_file_initialised_once(cell: Cell) -> None:
    """A file that two configurations name is loaded and initialised once, and its state is shared."""
    with cell.start(listener("identity", name="a"), listener("identity", name="b")) as envoy:
        counts = [told(envoy.request("/", listener=name), "count") for name in ("a", "b")]
        assert counts == ["1", "2"], f"expected both listeners to use one module and count 1, 2; they count {counts}"
        times = envoy.log().count(INITIALISED)
        assert times == 1, f"expected the module to be initialised once, it was {times} times"
