"""A check made up for the tests, with text in it that somebody wrote to do harm."""

from __future__ import annotations

import msgspec
from dmconform.binaries.facts import Known, ModuleFacts, StaticKind, StaticVerdict, Undefined
from dmconform.check.judge import HostFinding, JudgedModule, judge_hosts
from dmconform.check.promise import best_relation, exit_code, exit_codes, promise_for
from dmconform.check.result import SCHEMA_VERSION, Check, PointBasis, PointRun, RunKind, SdkGuess, TriedUse
from dmconform.check.span import Releases, span_of
from dmconform.core.values import AbiVerdict
from dmconform.core.versions import Minor

from tests.unit.report_samples import HOSTILE

MISSING = tuple(f"envoy_dynamic_module_callback_number_{number:03}" for number in range(40))
KNOWN = ("1.36.4", "1.37.0", "1.38.3", "1.39.0", "1.39.3", "1.40.0")
STATICS = {
    "1.36.4": StaticVerdict(StaticKind.REFUSED, "it lacks 40 callbacks", MISSING),
    "1.37.0": StaticVerdict(StaticKind.REFUSED, "it lacks 40 callbacks", MISSING),
    "1.38.3": StaticVerdict(StaticKind.UNRESOLVED, "a call to x would end it", ("x",), (HOSTILE,)),
    "1.39.0": StaticVerdict(StaticKind.LOADS, ""),
    "1.39.3": StaticVerdict(StaticKind.LOADS, "", notes=("another ABI string",)),
    "1.40.0": StaticVerdict(StaticKind.LOADS, ""),
}


def point_run(kind: RunKind, reason: str = "", point: str = "http_filter") -> PointRun:
    return PointRun(point, HOSTILE, kind, reason, AbiVerdict.MATCHED, 0.1, (f"GET / {HOSTILE}",))


RUNS = {
    "1.36.4": point_run(RunKind.REFUSED, f"undefined symbol {HOSTILE}"),
    "1.37.0": point_run(RunKind.REFUSED, "not found"),
    "1.38.3": point_run(RunKind.WORKS),
    "1.39.0": point_run(RunKind.WORKS),
    "1.39.3": point_run(RunKind.WORKS),
    "1.40.0": point_run(RunKind.CRASHED, "SIGSEGV"),
}


def tried(point: str = "http_filter", *, given: bool = True, basis: PointBasis = PointBasis.GIVEN) -> TriedUse:
    """A use of the module, with or without name and configuration."""
    return TriedUse(point, basis, HOSTILE, given, 2 if given else 0, given, ("GODEBUG",))


def check(
    releases: tuple[str, ...] = KNOWN,
    *,
    ran: bool = True,
    runs: dict[str, PointRun] | None = None,
    sdk: tuple[str, ...] = ("1.39",),
) -> Check:
    """A check of these releases, as `STATICS` and `RUNS` say."""
    by_release = RUNS | (runs or {})
    seen = [
        HostFinding(one, one, "a test", STATICS[one], runs=(by_release[one],) if ran else (), run_wanted=ran)
        for one in releases
    ]
    uses = (tried(),)
    hosts = judge_hosts(seen, JudgedModule({one.extension_point: one for one in uses}))
    promise = tuple(promise_for(Minor.parse(one), hosts) for one in sdk)
    return Check(
        schema_version=SCHEMA_VERSION,
        suite_version="0.1.0",
        module_file=f"lib{HOSTILE}.so",
        module=ModuleFacts(
            sha256="ab" * 32,
            size_bytes=1234,
            architecture="x86-64",
            hooks=("envoy_dynamic_module_on_http_filter_new", "envoy_dynamic_module_on_program_init"),
            undefined=(Undefined(HOSTILE), Undefined(MISSING[0])),
            abi_version="v0.1.0",
            abi_version_known=Known.READ,
            needed=("libc.so.6", HOSTILE),
            search_paths=(HOSTILE,),
            glibc_floor="GLIBC_2.34",
            language="rust",
            sdk=HOSTILE,
            language_known=Known.INFERRED,
        ),
        hooks_by_point={"every point": ("envoy_dynamic_module_on_program_init",)},
        ran=ran,
        hosts=tuple(msgspec.structs.replace(host, relation=best_relation(host.id, promise)) for host in hosts),
        span=span_of(hosts, Releases(KNOWN, ("1.39.2",)), ran),
        sdk=SdkGuess(sdk, Known.INFERRED, "its ABI string is v0.1.0"),
        promise=promise,
        bounds=(),
        tried=uses,
        options=("--filter-name", HOSTILE),
        notes=(HOSTILE,),
        exit_code=int(exit_code(exit_codes(hosts, promise, all_must_work=False))),
    )
