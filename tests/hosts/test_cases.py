"""Every case detects what it checks: with its set-up made wrong, it does not pass."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import pytest

from harness import paths
from harness.model import Language, Outcome
from harness.plan.cases import CaseFunction, declaration_of, load_cases, load_requirements
from harness.run import system_folder
from harness.run.outcomes import Blocked
from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage

pytestmark = pytest.mark.host

CASES = {case.id: case for case in load_cases(paths.CASES, load_requirements(paths.SPEC_FILE))}
NEED_MOUNTS = ("discovery/library_path_next", "discovery/system_folder_last")
CPP, RUST = Language.CPP, Language.RUST
PROVOKED = {"x-dmconform-misbehave": "now"}


@dataclass(frozen=True)
class Wrong:
    """A set-up made wrong, and how the case must end then."""

    case: str
    how: str
    sabotage: Sabotage
    detail: str  # a regular expression
    outcome: Outcome = Outcome.FAILED
    language: Language = CPP


TABLE = (
    Wrong(
        "discovery/search_path_first",
        "not where it searches",
        sabotage.without_copy_in("searched"),
        "expected searched/libprobe.so to be loaded",
    ),
    Wrong(
        "discovery/search_path_first",
        "variable unset",
        sabotage.without("search_path"),
        "expected searched/libprobe.so to be loaded",
    ),
    Wrong(
        "discovery/search_path_first",
        "nowhere at all",
        sabotage.without("search_path", "working_folder", "environment"),
        "libprobe.so",
        Outcome.REJECTED,
    ),
    Wrong(
        "discovery/current_directory_when_unset",
        "variable set",
        sabotage.searching("library"),
        "expected here/libprobe.so to be loaded",
    ),
    Wrong(
        "discovery/current_directory_when_unset",
        "not in the current directory",
        sabotage.without("working_folder"),
        "expected here/libprobe.so to be loaded",
    ),
    Wrong(
        "discovery/current_directory_only_when_unset",
        "variable unset",
        sabotage.without("search_path"),
        "expected the configuration to be rejected",
    ),
    Wrong(
        "discovery/current_directory_only_when_unset",
        "rejected anyhow",
        sabotage.without("working_folder"),
        "libprobe.so",
        Outcome.REJECTED,
    ),
    Wrong(
        "discovery/library_path_next",
        "LD_LIBRARY_PATH unset",
        sabotage.without("environment"),
        "expected library/libprobe.so to be loaded",
    ),
    Wrong(
        "discovery/library_path_next",
        "found in the variable's folder",
        sabotage.searching("system"),
        "expected library/libprobe.so to be loaded",
    ),
    Wrong(
        "discovery/system_folder_last",
        "not in the system's folder",
        sabotage.without("prefix"),
        "libprobe.so",
        Outcome.REJECTED,
    ),
    Wrong(
        "discovery/system_folder_last",
        "found elsewhere",
        sabotage.searching("system"),
        "expected lib/libprobe.so to be loaded",
    ),
    Wrong(
        "discovery/nothing_found",
        "it is there",
        sabotage.with_copy_named("absent"),
        "expected the configuration to be rejected",
    ),
    Wrong(
        "discovery/nothing_found",
        "not named",
        sabotage.log_says("absent", "something"),
        "expected the rejection to name the module absent",
    ),
    Wrong(
        "discovery/nothing_found",
        "serves no more",
        sabotage.stops_serving,
        "expected a good configuration to be accepted afterwards",
    ),
    Wrong(
        "error_handling/program_init_missing",
        "has the hook",
        sabotage.module_is("no_program_init", "probe"),
        "expected the configuration to be rejected",
    ),
    Wrong(
        "error_handling/program_init_missing",
        "not named",
        sabotage.impatient(sabotage.log_says("program_init", "something")),
        "expected the rejection to name the hook or the module",
    ),
    Wrong(
        "error_handling/program_init_missing",
        "serves no more",
        sabotage.stops_serving,
        "expected a good configuration to be accepted afterwards",
    ),
    Wrong(
        "error_handling/program_init_null",
        "does not return null",
        sabotage.module_is("null_program_init", "probe"),
        "expected the configuration to be rejected",
    ),
    Wrong(
        "error_handling/program_init_null",
        "not named",
        sabotage.log_says("libnull_program_init", "something"),
        "expected the rejection to name the module",
    ),
    Wrong(
        "error_handling/program_init_null",
        "serves no more",
        sabotage.stops_serving,
        "expected a good configuration to be accepted afterwards",
    ),
    Wrong(
        "error_handling/configuration_refused",
        "not refused",
        sabotage.filters(lambda one: replace(one, filter_name="identity") if one.filter_name == "refuse" else one),
        "expected the configuration to be rejected",
    ),
    Wrong(
        "error_handling/configuration_refused",
        "serves something else",
        sabotage.filters(lambda one: replace(one, config="419") if one.filter_name == "local_reply" else one),
        "expected the listener before to go on answering 418, it answers 419",
    ),
    *(
        Wrong(f"error_handling/{kind}_panic", how, wrong, detail, outcome, language)
        for kind, language in (("request", CPP), ("request", RUST), ("response", CPP), ("response", RUST))
        for how, wrong, detail, outcome in (
            (
                "does not panic",
                sabotage.impatient(sabotage.headers_at("/panics", {})),
                "expected the log to hold",
                Outcome.FAILED,
            ),
            (
                "panics elsewhere",
                sabotage.impatient(sabotage.configured("request_body")),
                f"expected the log to hold 'dmconform panic in {kind}_headers'",
                Outcome.FAILED,
            ),
            (
                "not logged",
                sabotage.log_without("dmconform panic"),
                f"expected the log to hold 'dmconform panic in {kind}_headers'",
                Outcome.FAILED,
            ),
            ("harms one in flight", sabotage.in_flight_panics, "expected a request in flight to be served", Outcome.FAILED),
            (
                "harms later ones",
                sabotage.headers_at("/later", sabotage.PANIC),
                "expected a later request to be served",
                Outcome.FAILED,
            ),
        )
    ),
    *(
        Wrong(
            f"error_handling/{kind}_panic",
            "ends the process",
            lambda bench, module, patch: sabotage.headers_at("/panics", PROVOKED)(
                sabotage.filter_named("misbehave", "crash")(bench, module, patch), module, patch
            ),
            "SIGSEGV",
            Outcome.CRASHED,
        )
        for kind in ("request", "response")
    ),
    Wrong(
        "error_handling/wrapped_request_panic",
        "does not panic",
        sabotage.headers_at("/panics", {}),
        "expected the client to see status 500",
        language=RUST,
    ),
    Wrong(
        "error_handling/wrapped_request_panic",
        "fails in another way",
        sabotage.configured("response_headers guarded"),
        "expected the client to see status 500",
        language=RUST,
    ),
    Wrong(
        "error_handling/wrapped_request_panic",
        "not logged",
        sabotage.log_without("dmconform panic"),
        "expected the log to hold",
        language=RUST,
    ),
    Wrong(
        "error_handling/wrapped_request_panic",
        "harms one in flight",
        sabotage.in_flight_panics,
        "expected a request in flight to be served",
        language=RUST,
    ),
    Wrong(
        "error_handling/wrapped_request_panic",
        "there is no wrapper",
        sabotage.recorded_of_sdk(catch_unwind=False),
        "no opt-in wrapper",
        Outcome.NOT_APPLICABLE,
        RUST,
    ),
    Wrong(
        "error_handling/wrapped_response_panic",
        "does not panic",
        sabotage.headers_at("/panics", {}),
        "expected the client to see its connection cut",
        language=RUST,
    ),
    Wrong(
        "error_handling/wrapped_response_panic",
        "fails in another way",
        sabotage.configured("request_headers guarded"),
        "expected the client to see its connection cut",
        language=RUST,
    ),
    Wrong(
        "error_handling/wrapped_response_panic",
        "not logged",
        sabotage.log_without("dmconform panic"),
        "expected the log to hold",
        language=RUST,
    ),
    Wrong(
        "error_handling/wrapped_response_panic",
        "there is no wrapper",
        sabotage.recorded_of_sdk(catch_unwind=False),
        "no opt-in wrapper",
        Outcome.NOT_APPLICABLE,
        RUST,
    ),
    Wrong(
        "rtld/local_by_default",
        "loaded globally",
        sabotage.modules(lambda module: replace(module, load_globally=True)),
        "expected no module's symbols to be visible globally, those of libfirst.so are",
    ),
    Wrong(
        "rtld/local_by_default",
        "one file twice",
        sabotage.same_file("first", "second"),
        "expected libsecond.so to answer, libfirst.so did",
    ),
    Wrong(
        "rtld/load_globally",
        "loaded locally",
        sabotage.modules(lambda module: replace(module, load_globally=False)),
        "expected the symbols of libglobal.so to be visible globally, found none",
    ),
    Wrong(
        "rtld/load_globally",
        "the local one too",
        sabotage.modules(lambda module: replace(module, load_globally=True)),
        "expected the symbols of libglobal.so to be visible globally, found liblocal.so",
    ),
    Wrong(
        "rtld/unloaded_at_last_reference",
        "never closed",
        sabotage.impatient(sabotage.modules(lambda module: replace(module, do_not_close=module.name == "probe"))),
        "expected the module to be unloaded when nothing uses it",
    ),
    Wrong(
        "rtld/unloaded_at_last_reference",
        "nothing is closed",
        sabotage.impatient(sabotage.modules(lambda module: replace(module, do_not_close=True))),
        "a module without a user is loaded after",
    ),
    Wrong(
        "rtld/unloaded_at_last_reference",
        "closed too early",
        sabotage.listener_uses_copy("b"),
        "expected the module to stay loaded while a listener uses it",
    ),
    Wrong(
        "rtld/unloaded_at_last_reference",
        "never unloads",
        sabotage.recorded_of_sdk(unloads=False, unloads_reason="for a test"),
        "for a test",
        Outcome.NOT_APPLICABLE,
    ),
    Wrong(
        "rtld/do_not_close",
        "flag not set",
        sabotage.modules(lambda module: replace(module, do_not_close=False)),
        "expected a module with do_not_close to stay loaded",
    ),
    Wrong(
        "rtld/do_not_close",
        "nothing is closed",
        sabotage.impatient(sabotage.modules(lambda module: replace(module, do_not_close=True))),
        "a module without a user is loaded after",
    ),
    Wrong(
        "rtld/same_file_initialised_once",
        "two files",
        sabotage.listener_uses_copy("b"),
        "expected both listeners to use one module",
    ),
    Wrong(
        "rtld/same_file_initialised_once",
        "initialised again",
        sabotage.listener_uses_copy("b", also=True),
        "expected the module to be initialised once, it was 2 times",
    ),
    Wrong(
        "window/loads",
        "ABI of the SDK wrong",
        sabotage.recorded_of_sdk(abi_version="v9.9.9"),
        "expected a warning, the verdict is matched",
    ),
    Wrong(
        "window/loads",
        "ABI of the host wrong",
        sabotage.recorded_of_host(abi_version="v9.9.9"),
        "expected a warning, the verdict is matched",
    ),
    Wrong(
        "window/loads",
        "a warning without reason",
        sabotage.log_says("ABI version v0.1.0 matched", "ABI version v0.1.0 is deprecated"),
        "expected no warning, the verdict is deprecated",
    ),
    Wrong(
        "window/loads",
        "the host says nothing",
        sabotage.log_without("ABI version"),
        "expected the host to say whether the ABI string matches, it is silent",
    ),
    Wrong(
        "window/loads",
        "not a module",
        sabotage.module_is("probe", "no_program_init"),
        "program_init",
        Outcome.REJECTED,
    ),
    Wrong("window/proxied_traffic", "another language", sabotage.language_is("go"), "expected the response header to be set"),
    Wrong(
        "window/proxied_traffic",
        "nothing is changed",
        sabotage.filter_named("identity"),
        "expected the response header to be set",
    ),
    Wrong(
        "window/proxied_traffic", "another configuration", sabotage.configured("x"), "expected the response header to be set"
    ),
    Wrong(
        "window/proxied_traffic",
        "request header not read",
        sabotage.headers_at("/proxied", {}),
        "expected the request header at the upstream, saw 'cpp window -'",
    ),
    Wrong(
        "window/proxied_traffic",
        "no body",
        sabotage.requests(lambda _, options: options.update(body="")),
        "expected the upstream to receive 'req.hello.'",
    ),
    Wrong(
        "window/proxied_traffic",
        "the body is garbled",
        sabotage.filters_twice,
        "expected an answer of the upstream server, saw 'res.",
    ),
    Wrong("window/direct_traffic", "another language", sabotage.language_is("go"), "expected the response header to be set"),
    Wrong(
        "window/direct_traffic",
        "nothing is changed",
        sabotage.filter_named("identity"),
        "expected the response header to be set",
    ),
    Wrong("window/local_reply", "another status", sabotage.configured("419"), "expected status, header and body .* saw .419"),
    Wrong("window/local_reply", "another language", sabotage.language_is("go"), "expected status, header and body .*'go'"),
    Wrong("window/local_reply", "no reply", sabotage.filter_named("identity"), "expected status, header and body .* saw .200"),
)


def module_and_function(case: str) -> tuple[ModuleType, CaseFunction]:
    """Where a case stands."""
    area, _, name = case.partition("/")
    module = sys.modules[f"dmconform_cases.test_{area}"]
    function = getattr(module, f"test_{name}")
    assert declaration_of(function), f"expected {case} to be a case"
    return module, function


def needs_mounts(case: str, bench: Bench) -> None:
    """Skips the test where a case needs what this machine does not allow, and says why."""
    if case in NEED_MOUNTS:
        try:
            system_folder.adds(Path(bench.plan.evidence_folder), system_folder.SYSTEM_FOLDER)
        except Blocked as problem:
            pytest.skip(str(problem))


@pytest.mark.parametrize("case", CASES)
def test_it_passes_when_nothing_is_wrong(bench: Bench, case: str) -> None:
    needs_mounts(case, bench)
    languages = [language for language in (CPP, RUST) if language in CASES[case].declaration.languages]
    _, function = module_and_function(case)
    for language in languages:
        result = bench.run(function, name=case, language=language.value)
        assert result.outcome is Outcome.PASSED, result


@pytest.mark.parametrize("wrong", TABLE, ids=lambda wrong: f"{wrong.case}-{wrong.how}-{wrong.language.value}".replace(" ", "_"))
def test_it_does_not_pass_when_it_is_made_wrong(bench: Bench, wrong: Wrong, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_mounts(wrong.case, bench)
    module, function = module_and_function(wrong.case)
    broken = wrong.sabotage(bench, module, monkeypatch)
    result = broken.run(function, name=wrong.case, language=wrong.language.value)
    assert result.outcome is wrong.outcome, result
    assert re.search(wrong.detail, result.detail), result


def test_every_case_is_made_wrong() -> None:
    assert {wrong.case for wrong in TABLE} == set(CASES), "expected each case, and no other, to be in TABLE"


def test_a_host_that_is_no_known_release_is_judged_by_what_it_does(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is on record of it; that must not pass for a broken promise."""
    module, function = module_and_function("window/loads")
    unknown = sabotage.recorded_of_host(abi_version=None, abi_check=None)(bench, module, monkeypatch)
    result = unknown.run(function, name="window/loads")
    assert result.outcome is Outcome.PASSED, result
    assert "host not known: matched" in result.facts["abi"]
