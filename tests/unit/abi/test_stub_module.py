"""Generated modules: every hook is there, and each does no harm."""

from __future__ import annotations

import re

import pytest
from dmconform.abi.bindings.stub_module import PROGRAM_INIT, called_in, stub_module
from dmconform.abi.loading import load_abi
from dmconform.abi.types import Abi, FunctionKind
from dmconform.core import paths
from dmconform.core.extension_point import HOOK_PREFIX

MINORS = ("1.36", "1.37", "1.38", "1.39", "1.40")


def abi_of(minor: str) -> Abi:
    return load_abi(paths.ABI, minor)


def bodies_in(source: str) -> dict[str, str]:
    """The bodies of the hooks that a source defines, by name."""
    found = re.findall(rf"^[^;{{}}\n]*?\b({HOOK_PREFIX}\w+)\([^;{{}}]*\) {{\n(.*?)^}}", source, re.MULTILINE | re.DOTALL)
    names = [name for name, _ in found]
    assert len(names) == len(set(names)), "expected no hook twice"
    return dict(found)


@pytest.mark.parametrize("minor", MINORS)
def test_every_hook_of_a_minor_is_defined(minor: str) -> None:
    abi = abi_of(minor)
    bodies = bodies_in(stub_module(abi))
    assert bodies.keys() == abi.names(FunctionKind.HOOK)
    assert bodies[PROGRAM_INIT] == "  return DMCONFORM_ABI_VERSION;\n"


def hook(name: str, minor: str = "1.40", **options: object) -> str:
    """The body of one hook; its name without the common beginning."""
    return bodies_in(stub_module(abi_of(minor), **options))[f"{HOOK_PREFIX}{name}"]  # type: ignore[arg-type]


def test_results_do_no_harm() -> None:
    assert hook("access_logger_new") == "  return (void*)&something;\n"
    assert hook("access_logger_log") == ""
    assert hook("matcher_match") == "  return 0;\n"
    assert "http_filter_request_headers_status_Continue;" in hook("http_filter_request_headers")
    assert "_type_cert_validator_validation_result result = {0};\n  return result;" in hook(
        "cert_validator_do_verify_cert_chain"
    )
    assert hook("cert_validator_update_digest") == "  *out_data = (envoy_dynamic_module_type_module_buffer){0, 0};\n"


def test_what_the_host_waits_for_is_reported() -> None:
    assert "completion_callback(completion_context);" in hook("cluster_shutdown")
    assert "cluster_pre_init_complete(cluster_envoy_ptr);" in hook("cluster_init")
    assert "signal_init_complete(extension_config_envoy_ptr);" in hook("bootstrap_extension_config_new", "1.38")
    assert "signal_init_complete" not in hook("bootstrap_extension_config_new", "1.37"), "expected no callback that 1.37 lacks"
    assert "host_health_Healthy" in hook("health_checker_session_on_interval")


def test_hooks_without_a_signature_borrow_the_kind_of_their_result() -> None:
    nearby = (abi_of("1.37"),)
    assert "return &something;" in hook("http_filter_new", "1.36", relatives=nearby)
    assert "return 0;" in hook("http_filter_request_headers", "1.36", relatives=nearby)
    assert "return &something;" in hook("http_filter_new", "1.36"), "expected a name with _new to give something"
    assert "return 0;" in hook("http_filter_request_headers", "1.36")


def test_other_bodies_a_preamble_and_absent_hooks() -> None:
    match, destroy = f"{HOOK_PREFIX}matcher_match", f"{HOOK_PREFIX}matcher_config_destroy"
    source = stub_module(abi_of("1.40"), {match: "return true;"}, preamble="static int mine;", without=[destroy])
    bodies = bodies_in(source)
    assert bodies[match] == "  return true;\n"
    assert destroy not in bodies
    assert source.index("static int mine;") < source.index(f"{match}(", source.index("static int mine;"))


@pytest.mark.parametrize("options", [{"bodies": {f"{HOOK_PREFIX}nobody": ""}}, {"without": [f"{HOOK_PREFIX}nobody"]}])
def test_a_hook_that_the_minor_lacks_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(KeyError, match="nobody"):
        stub_module(abi_of("1.40"), **options)  # type: ignore[arg-type]


def test_traced_hooks_say_that_they_are_called() -> None:
    body = hook("matcher_match", traced=True)
    assert f'say(&said, "{HOOK_PREFIX}matcher_match");' in body
    log = f"dmconform: called {PROGRAM_INIT}\n[info] dmconform: called {HOOK_PREFIX}not_at_the_start\nother\n"
    assert called_in(log) == {PROGRAM_INIT}
