"""The module that prints how it is called: every hook of a minor, what it does by its rules, and what is read of its lines."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from dmconform.abi.bindings.recorder_module import recorder_module
from dmconform.abi.loading import load_abi
from dmconform.abi.types import Abi, FunctionKind
from dmconform.casekit.recorder import calls_of, wrong_in
from dmconform.core import paths
from dmconform.core.extension_point import HOOK_PREFIX

MINORS = ("1.37", "1.38", "1.39", "1.40")
LOG = """\
dmconform-recorder get/a main 0 > http_filter_config_new own name='get/a' config=''
dmconform-recorder get/a main 0 < http_filter_config_new = http_filter_config#1
[info] a line of the host
dmconform-recorder get/a worker 0 > http_filter_new http_filter_config#1 own
dmconform-recorder get/a worker 0 < http_filter_new = http_filter#1
dmconform-recorder other/a worker 0 > http_filter_destroy http_filter#1
dmconform-recorder other/a worker 0 < http_filter_destroy
dmconform-recorder get/a worker 0 > http_filter_request_headers own http_filter#1 end_of_stream=true
dmconform-recorder get/a worker 1 > http_filter_local_reply own http_filter#1 response_code=403 reset_imminent=false
dmconform-recorder get/a worker 1 < http_filter_local_reply = Continue
dmconform-recorder get/a worker 0 < http_filter_request_headers = StopIteration
dmconform-recorder get/a worker 0 > http_filter_destroy http_filter#1
dmconform-recorder get/a worker 0 < http_filter_destroy
dmconform-recorder get/a main 0 > http_filter_config_destroy http_filter_config#1
dmconform-recorder get/a main 0 < http_filter_config_destroy
"""


def abi_of(minor: str) -> Abi:
    return load_abi(paths.ABI, minor)


@pytest.mark.parametrize("minor", MINORS)
def test_every_hook_of_a_minor_is_defined_once(minor: str) -> None:
    abi = abi_of(minor)
    found = re.findall(rf"^[\w* ]+\b({HOOK_PREFIX}\w+)\([^;{{}}]*\) {{$", recorder_module(abi), re.M)
    assert sorted(found) == sorted(abi.names(FunctionKind.HOOK))


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.skipif(
    shutil.which("gcc") is None, reason="no C compiler here; the build of the reference SDK compiles it as well"
)
def test_it_is_good_c(minor: str, tmp_path: Path) -> None:
    source = tmp_path / "recorder.c"
    source.write_text(recorder_module(abi_of(minor)))
    options = ("-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror", "-fsyntax-only")
    done = subprocess.run(["gcc", *options, str(source)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_calls_are_told_by_thread_with_what_is_inside_them() -> None:
    assert calls_of(LOG, "get", "http_filter_") == (
        "main: a.config_new(name='get/a' config='')=config#1; a.config_destroy(config#1) | "
        "worker: a.new(config#1)=#1; "
        "a.request_headers(#1 end_of_stream) { a.local_reply(#1 response_code=403) }=StopIteration; a.destroy(#1)"
    )
    assert calls_of(LOG, "ge") == "", "expected a scenario's own lines, not those of one whose name goes on"


def test_calls_of_objects_apart_come_object_after_object() -> None:
    lines = [
        f"dmconform-recorder x worker 0 {way} network_filter_{hook} network_filter#{number}"
        for hook, number in (("read", 1), ("read", 2), ("write", 1))
        for way in "><"
    ]
    text = calls_of("\n".join(lines), "x", "network_filter_", apart=True)
    assert re.findall(r"\w+\(#\d", text) == ["read(#1", "write(#1", "read(#2"]


def test_what_varies_from_run_to_run_is_left_out() -> None:
    line = "dmconform-recorder t worker 0 > tracer_span_set_tag tracer_span#1 value='127.0.0.1:4711'"
    assert "127.0.0.1:PORT" in calls_of(line, "t")
    times = [f"dmconform-recorder t main 0 {way} stat_sink_flush stat_sink_config#1" for way in "><"] * 3
    assert calls_of("\n".join(times), "t") == "main: stat_sink_flush…"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("> http_filter_request_body own http_filter#1(destroyed)", "http_filter_request_body with http_filter#1(destroyed)"),
        ("> http_filter_request_body own http_filter:unknown", "http_filter:unknown"),
        ("> http_filter_request_body own http_filter:null", "http_filter:null"),
        ("> http_filter_destroy network_filter#1(as_http_filter)", "network_filter#1(as_http_filter)"),
        ("> http_filter_http_callout_done own callout_id=unknown", "callout_id=unknown"),
        ("< http_filter_new = http_filter#7", "get/a http_filter#7 never destroyed"),
    ],
)
def test_what_no_host_may_do_is_found(line: str, expected: str) -> None:
    assert wrong_in(LOG) == ()
    assert expected in "; ".join(wrong_in(f"{LOG}dmconform-recorder get/a worker 0 {line}\n"))


def test_a_null_of_the_hosts_own_is_none_of_the_modules() -> None:
    assert wrong_in("dmconform-recorder m main 0 > matcher_config_new matcher_config_envoy_ptr:null name='m'") == ()


def test_a_module_that_gave_null_gets_null() -> None:
    gave = "dmconform-recorder n/a worker 0 < http_filter_new = null\n"
    gets = "dmconform-recorder - worker 0 > http_filter_request_headers http_filter:null\n"
    assert wrong_in(gave + gets) == ()
    assert wrong_in(gets) == ("http_filter_request_headers with http_filter:null",)
