"""Every case detects what it checks: with its set-up made wrong, it does not pass."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from dmconform.casekit import system_folder
from dmconform.core import paths
from dmconform.core.values import Language, Outcome
from dmconform.envoy.outcomes import Blocked
from dmconform.spec.cases import CaseFunction, declaration_of, function_of, load_cases, load_requirements
from dmconform.spec.defects import load_defects
from dmconform.spec.expectations import load_known_failures
from dmconform.spec.facts import load_facts
from dmconform.spec.findings import Fault

from tests.checkout import ROOT
from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.wrong import Wrong

pytestmark = pytest.mark.host

CASES = {case.id: case for case in load_cases(paths.CASES, load_requirements(paths.SPEC_FILE))}
NEED_MOUNTS = tuple(
    f"discovery/{name}" for name in ("library_path_next", "system_folder_last", "every_step_when_set", "every_step_when_unset")
)
CPP, RUST = Language.CPP, Language.RUST
DEFECTS = load_defects(paths.DEFECTS)
FACTS = load_facts()
KNOWN_FAILURES = load_known_failures(paths.KNOWN_FAILURES_FILE)


WRONG = ROOT / "tests" / "hosts" / "wrong"
TABLE: tuple[Wrong, ...] = tuple(
    wrong
    for file in sorted(WRONG.rglob("[a-z]*.py"))
    for wrong in importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts)).TABLE
)
HOSTS = {wrong.case: wrong.host for wrong in TABLE}
"""The host on which each case is looked at."""
NEEDED = {case: tuple(sorted({CPP.value} | {wrong.language.value for wrong in TABLE if wrong.case == case})) for case in HOSTS}
"""The languages of the probes that hosts other than the usual one need for each case."""


def module_and_function(case: str) -> tuple[ModuleType, CaseFunction]:
    """Where a case stands."""
    file, name = function_of(case)
    module = sys.modules[f"dmconform_cases.{file}"]
    function = getattr(module, name)
    assert declaration_of(function), f"expected {case} to be a case"
    return module, function


def needs_mounts(case: str, bench: Bench) -> None:
    """Skips the test where a case needs what this machine does not allow, and says why."""
    if case in NEED_MOUNTS:
        try:
            system_folder.system_folder_prefix(Path(bench.plan.evidence_folder), system_folder.SYSTEM_FOLDER)
        except Blocked as problem:
            pytest.skip(str(problem))


@pytest.mark.parametrize("case", HOSTS)
def test_it_passes_when_nothing_is_wrong(bench_on: Callable[..., Bench], case: str) -> None:
    """Or it ends as a record of known failures says, or is on record not to pass on this host."""
    host = HOSTS[case]
    bench = bench_on(host, *NEEDED[case])
    needs_mounts(case, bench)
    declared = CASES[case].declaration.languages
    _, function = module_and_function(case)
    languages = [one for one in (CPP, RUST) if one in declared] or declared
    results = [bench.run(function, name=case, language=language.value) for language in languages]
    applicable = [one for one in results if one.outcome is not Outcome.NOT_APPLICABLE]
    assert applicable, f"expected the case to apply to one of {languages}: {results}"
    for result in applicable:
        known = next((one for one in KNOWN_FAILURES if one.covers(str(result.id))), None)
        ends_so = result.outcome is Outcome.PASS if known is None else known.fits(result.outcome, result.detail)
        if any(case == one.found_by and one.fault is Fault.HOST and host in one.releases for one in DEFECTS):
            recorded = FACTS.of(case, result.id.sdk, host)
            ends_so = recorded is not None and result.outcome is recorded.behaviour.outcome
        assert ends_so, (result, known)


@pytest.mark.parametrize("wrong", TABLE, ids=lambda wrong: f"{wrong.case}-{wrong.how}-{wrong.language.value}".replace(" ", "_"))
def test_it_does_not_pass_when_it_is_made_wrong(
    bench_on: Callable[..., Bench], wrong: Wrong, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = bench_on(wrong.host, *NEEDED[wrong.case])
    needs_mounts(wrong.case, bench)
    module, function = module_and_function(wrong.case)
    broken = wrong.sabotage(bench, module, monkeypatch)
    result = broken.run(function, name=wrong.case, language=wrong.language.value)
    assert result.outcome is wrong.outcome, result
    assert re.search(wrong.detail, result.detail), result


def test_every_case_is_made_wrong() -> None:
    """One that runs at several extension points is at one of them, and the work that a module does at each of them."""
    functions = {function_of(case) for case in CASES}
    assert {function_of(case) for case in HOSTS} == functions, "expected each case to be in a table of tests/hosts/wrong"
    assert set(HOSTS) <= set(CASES), "expected no other case there"
    works = {case for case in CASES if case.startswith("points/works@")}
    assert works <= set(HOSTS), "expected the work at each extension point to be made wrong"


def test_a_host_that_is_no_known_release_is_judged_by_what_it_does(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is on record of it; that must not pass for a broken promise."""
    module, function = module_and_function("window/loads")
    unknown = sabotage.recorded_of_host(abi_version=None, abi_check=None)(bench, module, monkeypatch)
    result = unknown.run(function, name="window/loads")
    assert result.outcome is Outcome.PASS, result
    assert "host not known: matched" in result.facts["abi"]
