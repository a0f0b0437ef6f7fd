"""How a module's calls find what they call, where the host has it not.

How a library is linked does not depend on its language: the modules are of the C++ build. Whether a release looks for all that
a module calls as it opens it (RTLD_NOW) or leaves that to the module (RTLD_LAZY) is on record in `conformance/hosts.toml`.
"""

from __future__ import annotations

from dmconform.casekit import DIRECT_PATH, Cell, HostCrashed, Language, Listener, Opens, case, known_host, listener

ONE = (Language.CPP,)
ABSENT = "envoy_dynamic_module_callback_dmconform_absent"
"""What the modules call, and no host has."""


def opens_lazily(cell: Cell) -> bool:
    """Returns whether the host leaves it to the module when its symbols are looked for."""
    record = known_host(cell)
    known = record.opens if record is not None else None
    cell.needs(known is not None, "it is not on record how this host opens modules")
    return known is Opens.LAZY


def assert_rejected_for_it(cell: Cell, module: str) -> None:
    """Asserts that the module is rejected with the name of what it lacks, at start and as an update, and the host serves on."""
    user = listener("absent_callback", "do_not_call", module=module)
    cell.install(module)
    with cell.start_anyhow(user, search_path=cell.modules_folder) as envoy:
        seen = envoy.first_update
        for when in ("at start", "as an update"):
            assert not seen.accepted, f"expected the configuration to be rejected {when}, it was accepted"
            assert ABSENT in seen.message, f"expected the rejection {when} to name {ABSENT}, it says: {seen.message}"
            cell.assert_still_serves(envoy)
            seen = envoy.update(user)


@case("loading.failure_rejects", languages=ONE)
def test_eager(cell: Cell) -> None:
    """A module bound eagerly that names a function which the host lacks is rejected with that name, called or not."""
    assert_rejected_for_it(cell, "absent_now")


@case("loading.by_dlopen", languages=ONE, supported_for=())
def test_lazy_not_called(cell: Cell) -> None:
    """One bound lazily serves as long as it does not call that function; a host that opens with RTLD_NOW rejects it."""
    if not opens_lazily(cell):
        assert_rejected_for_it(cell, "absent_lazy")
        return
    user = listener("absent_callback", "do_not_call", module="absent_lazy")
    with cell.start(user, module="absent_lazy") as envoy:
        for _ in range(2):
            status = envoy.request("/").status
            assert status == 200, f"expected the module to serve with status 200, saw {status}"


@case("loading.by_dlopen", languages=ONE, supported_for=())
def test_lazy_called(cell: Cell) -> None:
    """One bound lazily that calls that function ends the host: the dynamic linker names it, and exits."""
    cell.needs(opens_lazily(cell), "this host opens modules with RTLD_NOW, and rejects such a module")
    user = listener("absent_callback", "call", module="absent_lazy")
    try:
        with cell.start(user, Listener("other"), module="absent_lazy") as envoy:
            status = envoy.request(DIRECT_PATH, listener="other").status
            assert status == 200, (
                f"expected the module to be loaded and another listener to serve with status 200, saw {status}"
            )
            answer = envoy.request("/")
            raise AssertionError(f"expected the call to end the host, it answers {answer}")
    except HostCrashed as end:
        assert f"undefined symbol: {ABSENT}" in str(end), f"expected the linker to name {ABSENT}, the end was: {end}"
