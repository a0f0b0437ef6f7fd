"""What a failing module does to its host: nothing but what the documents say."""

from __future__ import annotations

from harness.model import Language
from harness.plan.cases import case
from harness.run.cell import Cell, listener
from harness.run.client import Answer
from harness.run.envoy import Envoy

RUST = (Language.RUST,)
PANIC = {"x-dmconform-panic": "now"}


def rejected(cell: Cell, module: str, filter_name: str) -> str:
    """The message with which a configuration is rejected, after which the process serves on."""
    cell.install(module)
    with cell.start_anyhow(listener(filter_name, module=module), search_path=cell.modules_folder) as envoy:
        update = envoy.first_update
        assert not update.accepted, "expected the configuration to be rejected, it was accepted"
        cell.still_serves(envoy)
    cell.facts["rejection"] = update.message
    return update.message


@case("loading.failure_rejects")
def test_program_init_missing(cell: Cell) -> None:
    """A module without the initialisation hook is rejected by name, and the process serves on."""
    message = rejected(cell, "no_program_init", "identity")
    named = "envoy_dynamic_module_on_program_init" in message or "libno_program_init.so" in message
    assert named, f"expected the rejection to name the hook or the module, it says: {message}"


@case("loading.failure_rejects")
def test_program_init_null(cell: Cell) -> None:
    """A module whose initialisation hook returns null is rejected by name, and the process serves on."""
    message = rejected(cell, "null_program_init", "identity")
    assert "libnull_program_init.so" in message, f"expected the rejection to name the module, it says: {message}"


@case("loading.failure_rejects")
def test_configuration_refused(cell: Cell) -> None:
    """A configuration that the module refuses is rejected, and the module serves another one."""
    with cell.start(listener("local_reply", "418")) as envoy:
        update = envoy.update(listener("local_reply", "418"), listener("refuse", name="refused"))
        assert not update.accepted, "expected the configuration to be rejected, it was accepted"
        cell.facts["rejection"] = update.message
        status = envoy.request("/").status
        assert status == 418, f"expected the listener before to go on answering 418, it answers {status}"


def panic(cell: Cell, envoy: Envoy, callback: str) -> Answer:
    """Makes a callback panic while another request is in flight; both it and a later one must be served."""
    with envoy.in_flight("/other", "body of another request") as other:
        answer = envoy.request("/panics", method="POST", headers=PANIC, body="body")
        seen = f"connection cut ({answer.problem})" if answer.was_cut else f"status {answer.status}"
        cell.facts["client saw"] = seen
        envoy.check_survived(f"after a panic in {callback}")
        finished = envoy.finish(other)
        assert finished.status == 200, f"expected a request in flight to be served, it saw {finished}"
    later = envoy.request("/later", method="POST", body="body")
    assert later.status == 200, f"expected a later request to be served, it saw {later}"
    return answer


def logged(envoy: Envoy, callback: str) -> None:
    """The log holds the payload of the panic."""
    payload = f"dmconform panic in {callback}"
    assert envoy.wait_for_log(payload), f"expected the log to hold {payload!r}, it does not"


@case("errors.guard", "errors.others_unaffected", promised_to=RUST)
def test_request_panic(cell: Cell) -> None:
    """A panic in request headers, not wrapped, leaves the process and other requests alone, and is logged."""
    with cell.start(listener("panic", "request_headers")) as envoy:
        panic(cell, envoy, "request_headers")
        logged(envoy, "request_headers")


@case("errors.guard", "errors.others_unaffected", promised_to=RUST)
def test_response_panic(cell: Cell) -> None:
    """A panic in response headers, not wrapped, leaves the process and other requests alone, and is logged."""
    with cell.start(listener("panic", "response_headers")) as envoy:
        panic(cell, envoy, "response_headers")
        logged(envoy, "response_headers")


def needs_wrapper(cell: Cell) -> None:
    """Ends the case as not applicable where the SDK has no wrapper."""
    cell.needs(cell.sdk.catch_unwind, "this SDK version has no opt-in wrapper against panics")


@case("errors.fail_closed_request", "errors.others_unaffected", languages=RUST)
def test_wrapped_request_panic(cell: Cell) -> None:
    """A wrapped filter's panic in request headers gives the client status 500 and the log its payload."""
    needs_wrapper(cell)
    with cell.start(listener("panic", "request_headers guarded")) as envoy:
        answer = panic(cell, envoy, "request_headers")
        assert answer.status == 500, f"expected the client to see status 500, it saw {answer}"
        logged(envoy, "request_headers")


@case("errors.fail_closed_response", "errors.others_unaffected", languages=RUST)
def test_wrapped_response_panic(cell: Cell) -> None:
    """A wrapped filter's panic in response headers resets the stream and gives the log its payload."""
    needs_wrapper(cell)
    with cell.start(listener("panic", "response_headers guarded")) as envoy:
        answer = panic(cell, envoy, "response_headers")
        assert answer.was_cut, f"expected the client to see its connection cut, it saw {answer}"
        logged(envoy, "response_headers")
