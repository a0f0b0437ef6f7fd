"""Gates let nothing pass that their policy does not name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

import jsonschema
import msgspec
import pytest
from dmconform.binaries.facts import Known, StaticKind
from dmconform.check.result import Check, HostVerdict, RunKind
from dmconform.cli.json_schemas import SCHEMAS
from dmconform.cli.main import main
from dmconform.core.errors import DataFileError, EmptySelection, UsageError
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import ChangedFact, Judgement, Outcome, Provider, Relation, Severity
from dmconform.core.versions import Minor
from dmconform.matrix.assemble import suite_of
from dmconform.matrix.environment import suite_commit
from dmconform.release.gate.module import gate_module, read_check
from dmconform.release.gate.show import annotations_of_verdict, render_verdict
from dmconform.report.answers.answer import answers
from dmconform.report.answers.judge import gate_report
from dmconform.report.answers.policy import FOLDER, Allowance, Policy, load_policy
from dmconform.report.answers.verdict import GateAnswer, GateVerdict, ReasonKind
from dmconform.report.reading import read_report
from dmconform.report.schema import CellEntry, KnownFailureEntry, Report, Shard, write_report
from dmconform.spec.catalogue import Catalogue, load_catalogue
from dmconform.spec.cells import PlannedCell, is_there, plan_cells
from dmconform.spec.findings import Fault
from dmconform.spec.inconsistencies import Inconsistency, InconsistencyKind

from tests.checkout import ROOT
from tests.unit import check_samples
from tests.unit.report_samples import ENVIRONMENT, HOSTILE, cell, report

CHANGE = ChangedFact("ABI verdict", "matched", "silent", "a run")
SDK, HOSTS = "rust@1.39:reference", ("1.39.3", "1.40.0")
POLICIES = {path.stem: load_policy(path) for path in sorted(FOLDER.glob("*.toml"))}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """What the suite knows."""
    return load_catalogue()


def cells_of(catalogue: Catalogue, sdks: Iterable[str], hosts: Iterable[str]) -> list[CellEntry]:
    """All cells of these SDKs on these hosts, the promised ones as promised where they apply."""
    known = {host.release: host.version.minor for host in catalogue.hosts}
    chosen = {str(sdk.id): sdk for sdk in catalogue.sdks if str(sdk.id) in set(sdks)}
    cases = {case.id: case for case in catalogue.cases}

    def as_promised(one: PlannedCell) -> CellEntry:
        judgement = Judgement.PASS if one.relation is Relation.SUPPORTED else Judgement.INFORMATIONAL
        made = cell(one.id.case, one.id.sdk, one.id.host, relation=one.relation, judgement=judgement)
        if is_there(cases[one.id.case], chosen[one.id.sdk], known[one.id.host]):
            return made
        return msgspec.structs.replace(made, outcome=Outcome.NOT_APPLICABLE, judgement=Judgement.SKIP, detail="not there")

    return [as_promised(one) for one in plan_cells(catalogue.cases, chosen.values(), [(host, known[host]) for host in hosts])]


@pytest.fixture(scope="module")
def good(catalogue: Catalogue) -> Report:
    """A whole report of one SDK, in which all supported cells hold."""
    return report(cells_of(catalogue, [SDK], HOSTS), suite=suite_of(catalogue))


def judged(whole: Report, policy: Policy = POLICIES["sdk-release"], subject: str = SDK) -> GateVerdict:
    """What the gate says."""
    if whole.suite is None:
        whole = msgspec.structs.replace(whole, suite=suite_of(load_catalogue()))
    return gate_report(whole, policy, "a-policy", subject, ENVIRONMENT.suite_commit)


def of_this_suite(whole: Report) -> Report:
    """As if the suite that judges it had made it."""
    return msgspec.structs.replace(whole, environment=msgspec.structs.replace(ENVIRONMENT, suite_commit=suite_commit()))


def changed(whole: Report, **changes: object) -> Report:
    """The report with its first supported cell changed."""
    cells = list(whole.cells)
    place = next(place for place, one in enumerate(cells) if one.relation is Relation.SUPPORTED)
    cells[place] = msgspec.structs.replace(cells[place], **changes)
    return msgspec.structs.replace(whole, cells=tuple(cells))


def test_a_whole_report_in_which_all_holds_may_be_released(good: Report, catalogue: Catalogue) -> None:
    verdict = judged(good)
    promised = [one for one in good.cells if one.relation is Relation.SUPPORTED]
    applicable = [one for one in promised if one.outcome is Outcome.PASS]
    assert (verdict.answer, verdict.held, verdict.cells) == (GateAnswer.MAY, len(applicable), len(promised))
    (absent,) = verdict.waived
    assert absent.by.startswith("not applicable: ")
    assert (verdict.reasons, absent.cells) == ((), len(promised) - len(applicable))


def test_cases_at_an_extension_point_are_missing_only_where_it_is(good: Report) -> None:
    """Where it is not, one cell says so, and is enough."""

    def missing(point: str) -> list[ReasonKind]:
        cells = tuple(one for one in good.cells if one.point != point)
        less = msgspec.structs.replace(good, cells=cells, planned_cells=len(cells))
        return [one.kind for one in judged(less).reasons]

    assert not judged(good).reasons
    assert [one.outcome for one in good.cells if one.point == "tls_handshaker" and one.host == "1.39.3"] == [
        Outcome.NOT_APPLICABLE
    ]
    assert missing("tls_handshaker") == missing("tracer") == [ReasonKind.MISSING]


JUDGED = {one: Judgement.PASS if one is Relation.SUPPORTED else Judgement.INFORMATIONAL for one in Relation}
FAILED = {"outcome": Outcome.FAIL, "detail": "expected 200, seen 503"}
AGAINST: list[tuple[dict[str, object], ReasonKind, GateAnswer]] = [
    (FAILED | {"judgement": Judgement.FAIL}, ReasonKind.BROKEN, GateAnswer.MAY_NOT),
    (FAILED | {"judgement": Judgement.PASS}, ReasonKind.BROKEN, GateAnswer.MAY_NOT),
    (FAILED | {"judgement": Judgement.INFORMATIONAL}, ReasonKind.BROKEN, GateAnswer.MAY_NOT),
    (FAILED | {"judgement": Judgement.XFAIL, "known_failure": "a-record"}, ReasonKind.KNOWN, GateAnswer.MAY_NOT),
    ({"judgement": Judgement.XPASS, "known_failure": "a-record"}, ReasonKind.RECORDS, GateAnswer.MAY_NOT),
    ({"judgement": Judgement.MISMATCH}, ReasonKind.MISMATCH, GateAnswer.MAY_NOT),
    ({"judgement": Judgement.CHANGED}, ReasonKind.CHANGED, GateAnswer.MAY_NOT),
    ({"outcome": Outcome.NOT_APPLICABLE, "judgement": Judgement.CHANGED}, ReasonKind.CHANGED, GateAnswer.MAY_NOT),
    ({"outcome": Outcome.ERROR, "judgement": Judgement.ERROR}, ReasonKind.BLOCKED, GateAnswer.UNKNOWN),
    ({"outcome": Outcome.NOT_TESTED, "judgement": Judgement.SKIP}, ReasonKind.BLOCKED, GateAnswer.UNKNOWN),
]


@pytest.mark.parametrize(("changes", "kind", "answer"), AGAINST)
def test_what_the_policy_does_not_name_counts(
    good: Report, catalogue: Catalogue, changes: dict[str, object], kind: ReasonKind, answer: GateAnswer
) -> None:
    verdict = judged(changed(good, **changes))
    assert [(one.kind, len(one.cells)) for one in verdict.reasons] == [(kind, 1)]
    assert verdict.answer is answer
    assert verdict.held == judged(good).held - 1


def test_what_it_names_is_let_pass_and_counted(good: Report, catalogue: Catalogue) -> None:
    waiving = msgspec.structs.replace(POLICIES["sdk-release"], known_failures=("a-*",))
    known = FAILED | {"judgement": Judgement.XFAIL, "known_failure": "a-record"}
    verdict = judged(changed(good, **known), waiving)
    assert (verdict.answer, verdict.waived[0].by, verdict.waived[0].cells) == (GateAnswer.MAY, "known failure a-record", 1)
    assert verdict.waived[0].severity is Severity.WRONG
    silent = {"outcome": Outcome.NOT_APPLICABLE, "judgement": Judgement.SKIP}
    assert judged(changed(good, **silent)).waived[0].by.startswith("not applicable: ")


def test_known_failures_of_somebody_else_are_let_pass(good: Report, catalogue: Catalogue) -> None:
    """An SDK cannot mend a host."""
    for record in catalogue.known_failures:
        known = FAILED | {"judgement": Judgement.XFAIL, "known_failure": record.id}
        entry = KnownFailureEntry(record.id, record.reason, record.evidence, 1, 0)
        answer = judged(msgspec.structs.replace(changed(good, **known), known_failures=(entry,))).answer
        assert (answer is GateAnswer.MAY) is (record.fault in (Fault.HOST, Fault.DOCUMENTS)), record.id


def test_a_changed_fact_of_a_host_counts_where_no_promise_does_unless_the_policy_lets_it(catalogue: Catalogue) -> None:
    sdks = [str(one.id) for one in catalogue.sdks if one.id.minor.minor < 40 and one.id.provider.value == "official"]
    cells = [
        msgspec.structs.replace(one, judgement=Judgement.CHANGED, changed=(CHANGE,)) if one.case == "window/loads" else one
        for one in cells_of(catalogue, sdks, ["1.38.2"])
    ]
    beyond = {one.id for one in cells if one.judgement is Judgement.CHANGED and one.relation is not Relation.SUPPORTED}
    policy = msgspec.structs.replace(
        POLICIES["host-release"], sdks=POLICIES["host-release"].sdks, providers=(Provider.OFFICIAL,)
    )
    whole = report(cells, suite=suite_of(catalogue))
    verdict = judged(whole, policy, "1.38.2")
    (reason,) = (one for one in verdict.reasons if one.kind is ReasonKind.CHANGED)
    assert beyond
    assert beyond < set(reason.cells)
    assert "ABI verdict: on record matched, observed silent" in reason.text
    lenient = msgspec.structs.replace(policy, changed_facts_allowed=True)
    waived = {one.by: one.cells for one in judged(whole, lenient, "1.38.2").waived}
    assert waived["changed facts"] == len(reason.cells)


def test_a_record_that_does_not_apply_is_never_let_pass(good: Report, catalogue: Catalogue) -> None:
    waiving = msgspec.structs.replace(POLICIES["sdk-release"], known_failures=("*",))
    stale = {"judgement": Judgement.XPASS, "known_failure": "a-record"}
    assert judged(changed(good, **stale), waiving).answer is GateAnswer.MAY_NOT


def test_a_cell_that_is_not_there_is_missing(good: Report, catalogue: Catalogue) -> None:
    less = msgspec.structs.replace(good, cells=tuple(one for one in good.cells if not one.case.startswith("window/")))
    verdict = judged(msgspec.structs.replace(less, planned_cells=len(less.cells)))
    assert [one.kind for one in verdict.reasons] == [ReasonKind.MISSING]
    assert verdict.answer is GateAnswer.UNKNOWN
    assert re.search(r"^the report is not whole: \d+ cases of its suite are missing", verdict.reasons[0].text)


def test_a_run_that_selected_cases_answers_for_no_others(good: Report) -> None:
    cells = tuple(one for one in good.cells if one.case.startswith("rtld/"))
    selected = msgspec.structs.replace(good, selection={"case": ("rtld/*",)}, cells=cells, planned_cells=len(cells))
    assert "the run selected rtld/*: " in judged(selected).reasons[0].text


WHOLE: list[tuple[dict[str, object], str]] = [
    ({"complete": False, "incomplete_reason": "interrupted"}, "interrupted"),
    ({"planned_cells": 99_999}, "99999 cells were planned, and "),
    ({"planned_cells": 1}, "1 cells were planned, and "),
    ({"shard": Shard(1, 2, "ab", 9)}, "shard 1 of 2"),
]


@pytest.mark.parametrize(("changes", "text"), WHOLE)
def test_a_report_that_is_not_whole_cannot_tell(
    good: Report, catalogue: Catalogue, changes: dict[str, object], text: str
) -> None:
    verdict = judged(msgspec.structs.replace(good, **changes))
    assert (verdict.answer, verdict.reasons[0].kind) == (GateAnswer.UNKNOWN, ReasonKind.REPORT)
    assert text in verdict.reasons[0].text


def test_a_minor_without_a_host_is_a_reason(catalogue: Catalogue) -> None:
    verdict = judged(report(cells_of(catalogue, [SDK], ["1.39.3"])))
    assert [(one.kind, "1.40" in one.text) for one in verdict.reasons] == [(ReasonKind.NO_HOST, True)]


def test_the_next_minor_may_be_unknown_only_where_the_policy_says_so(catalogue: Catalogue) -> None:
    newest = f"rust@{catalogue.newest_minor}:reference"
    whole = report(cells_of(catalogue, [newest], ["1.40.0"]))
    assert judged(whole, subject=newest).answer is GateAnswer.MAY
    strict = msgspec.structs.replace(POLICIES["sdk-release"], next_may_be_unknown=False)
    assert judged(whole, strict, newest).answer is GateAnswer.UNKNOWN


def test_a_host_is_asked_for_with_the_sdks_of_both_minors(catalogue: Catalogue) -> None:
    policy = msgspec.structs.replace(POLICIES["host-release"], providers=POLICIES["host-release"].providers[:])
    sdks = [str(sdk.id) for sdk in catalogue.sdks if str(sdk.id.minor) in ("1.38", "1.39", "1.40")]
    whole = report(cells_of(catalogue, sdks, ["1.40.0"]))
    assert judged(whole, policy, "1.40.0").answer is GateAnswer.MAY
    without = report([one for one in whole.cells if "@1.39" not in one.sdk])
    verdict = judged(without, policy, "1.40.0")
    assert (verdict.answer, verdict.reasons[0].kind) == (GateAnswer.UNKNOWN, ReasonKind.MISSING)
    with pytest.raises(UsageError, match=r"1\.41\.0: did you mean 1\.40\.0"):
        judged(whole, policy, "1.41.0")


def test_the_official_sdk_may_be_missing_of_the_hosts_own_minor_only(catalogue: Catalogue) -> None:
    """The SDK of the minor before is what a release must not break; without its sources nothing is known of it."""
    sdks = [str(sdk.id) for sdk in catalogue.sdks if str(sdk.id.minor) in ("1.38", "1.39", "1.40")]
    cells = cells_of(catalogue, sdks, ["1.40.0"])

    def without(minor: str) -> GateVerdict:
        gone = f"@{minor}:official"
        changes = [
            msgspec.structs.replace(one, outcome=Outcome.NOT_TESTED, judgement=Judgement.SKIP, detail="")
            if gone in one.sdk
            else one
            for one in cells
        ]
        return judged(report(changes), POLICIES["host-release"], "1.40.0")

    own = without("1.40")
    assert own.answer is GateAnswer.MAY
    assert own.answer_words == f"may be released ({own.not_tested} not tested)", "what was not tested is said beside the answer"
    assert own.not_tested > 300
    verdict = without("1.39")
    assert (verdict.answer, [one.kind for one in verdict.reasons]) == (GateAnswer.UNKNOWN, [ReasonKind.BLOCKED])


def test_the_control_alone_releases_no_host(catalogue: Catalogue) -> None:
    """The policy lets the official SDK of the host's own minor be missing: on 1.38 there is no other that is promised."""
    sdks = [str(sdk.id) for sdk in catalogue.sdks if str(sdk.id.minor) == "1.38"]
    cells = cells_of(catalogue, sdks, ["1.38.2"])
    assert judged(report(cells), POLICIES["host-release"], "1.38.2").answer is GateAnswer.MAY
    untested = [
        msgspec.structs.replace(one, outcome=Outcome.NOT_TESTED, judgement=Judgement.SKIP) if ":official" in one.sdk else one
        for one in cells
    ]
    verdict = judged(report(untested), POLICIES["host-release"], "1.38.2")
    assert (verdict.answer, [one.kind for one in verdict.reasons]) == (GateAnswer.UNKNOWN, [ReasonKind.BLOCKED])
    assert "the reference SDK is the control only" in verdict.reasons[0].text


def test_a_policy_may_choose_the_promises(catalogue: Catalogue) -> None:
    """Whoever holds the documents of 1.39 asks for the window alone."""
    whole = report(cells_of(catalogue, ["rust@1.38:reference"], ["1.38.2", "1.39.3"]), suite=suite_of(catalogue))
    both = judged(whole, subject="rust@1.38:reference")
    assert (both.answer, [one.kind for one in both.reasons]) == (GateAnswer.UNKNOWN, [ReasonKind.NO_HOST])
    window = msgspec.structs.replace(POLICIES["sdk-release"], promises=("window",))
    assert judged(whole, window, "rust@1.38:reference").answer is GateAnswer.MAY
    frozen = msgspec.structs.replace(POLICIES["sdk-release"], promises=("frozen",))
    asked = judged(report(cells_of(catalogue, ["rust@1.39:reference"], HOSTS)), frozen, "rust@1.39:reference")
    assert asked.answer is GateAnswer.MAY
    assert 0 < asked.cells < len(cells_of(catalogue, ["rust@1.39:reference"], HOSTS))


def test_sdks_of_several_minors_are_no_subject(good: Report, catalogue: Catalogue) -> None:
    with pytest.raises(UsageError, match="SDKs of one minor"):
        judged(good, subject="rust@*")


def test_a_policy_that_asks_for_nothing_is_no_pass(good: Report, catalogue: Catalogue) -> None:
    """The SDKs of 1.37 are older than the promise."""
    old = report(cells_of(catalogue, ["rust@1.37:reference"], ["1.37.0", "1.38.3"]))
    with pytest.raises(EmptySelection):
        judged(old, subject="rust@1.37:reference")


def test_a_report_is_judged_by_its_own_suite_and_says_so(good: Report) -> None:
    """A published report is of a suite that has changed since."""
    other = msgspec.structs.replace(good, environment=msgspec.structs.replace(ENVIRONMENT, suite_commit="fedcba98"))
    verdict = judged(other)
    assert verdict.answer is GateAnswer.MAY
    assert f"suite fedcba98 (by what that suite asked; this one is {ENVIRONMENT.suite_commit}" in verdict.judged
    dirty = msgspec.structs.replace(ENVIRONMENT, suite_commit=f"{ENVIRONMENT.suite_commit}+changes")
    same = judged(msgspec.structs.replace(good, environment=dirty))
    assert "+changes" in same.judged
    assert "this one is" not in same.judged, "reports in the clone make it another one"


def test_where_nothing_holds_nothing_may_be_released(good: Report, catalogue: Catalogue) -> None:
    """A policy that lets everything pass is no pass."""
    allowed = (Allowance(Outcome.ERROR, "a reason"), *POLICIES["sdk-release"].allow)
    policy = msgspec.structs.replace(POLICIES["sdk-release"], allow=allowed)
    silent = {"outcome": Outcome.ERROR, "judgement": Judgement.ERROR}
    blocked = [msgspec.structs.replace(one, outcome=Outcome.ERROR, judgement=Judgement.ERROR) for one in good.cells]
    none = msgspec.structs.replace(good, cells=tuple(blocked))
    verdict = judged(none, policy)
    assert (verdict.answer, verdict.held) == (GateAnswer.UNKNOWN, 0)
    assert "none of the 242 cells".replace("242", str(verdict.cells)) in verdict.reasons[0].text
    assert judged(changed(good, **silent), policy).answer is GateAnswer.MAY


def test_a_stale_record_of_a_cell_that_does_not_apply_is_against_it(good: Report, catalogue: Catalogue) -> None:
    """A cell that is not applicable is let pass; a record that contradicts it is not."""
    stale = {"outcome": Outcome.NOT_APPLICABLE, "judgement": Judgement.XPASS, "known_failure": "a-record"}
    verdict = judged(changed(good, **stale))
    assert (verdict.answer, [one.kind for one in verdict.reasons]) == (GateAnswer.MAY_NOT, [ReasonKind.RECORDS])


def test_a_complaint_about_a_record_that_lets_cells_pass_is_against_it(good: Report, catalogue: Catalogue) -> None:
    """The run of such a report ended with 1; the gate must not be greener."""
    waiving = msgspec.structs.replace(POLICIES["sdk-release"], known_failures=("a-record",))
    known = changed(good, **FAILED, judgement=Judgement.XFAIL, known_failure="a-record")
    inconsistency = Inconsistency(
        InconsistencyKind.OVERDUE, "a-record", (), "holds until 1.40", "dmconform expectations extend a-record"
    )
    verdict = judged(msgspec.structs.replace(known, inconsistencies=(inconsistency,)), waiving)
    assert (verdict.answer, verdict.reasons[0].kind) == (GateAnswer.MAY_NOT, ReasonKind.RECORDS)
    assert verdict.reasons[0].reproduce == inconsistency.fix
    other = msgspec.structs.replace(inconsistency, record="another")
    assert judged(msgspec.structs.replace(known, inconsistencies=(other,)), waiving).answer is GateAnswer.MAY


USELESS = [
    {"cases": ("window/*", "windows/*")},
    {"cases": ("",)},
    {"known_failures": ("no-such-*",)},
    {"known_failures": ("",)},
    {"allow": (Allowance(Outcome.ERROR, "a reason", "window/*/rust@1.39:officials/*"),)},
    {"allow": (Allowance(Outcome.ERROR, "a reason", ""),)},
]


@pytest.mark.parametrize("changes", USELESS)
def test_a_glob_that_matches_nothing_is_refused(good: Report, catalogue: Catalogue, changes: dict[str, object]) -> None:
    with pytest.raises(UsageError, match=r"--policy a-policy: .* matches nothing"):
        judged(good, msgspec.structs.replace(POLICIES["sdk-release"], **changes))


def test_another_provider_is_no_substitute(good: Report, catalogue: Catalogue) -> None:
    verdict = judged(good, subject="rust@1.39:official")
    assert (verdict.answer, verdict.held, [one.kind for one in verdict.reasons]) == (
        GateAnswer.UNKNOWN,
        0,
        [ReasonKind.MISSING],
    )
    assert verdict.reasons[0].reproduce == "dmconform run --sdk rust@1.39:official --host 1.39 --host 1.40"
    both = judged(good, subject="rust@1.39")
    assert (both.answer, "rust@1.39:official" in both.reasons[0].text) == (GateAnswer.UNKNOWN, True)


def test_a_build_of_a_host_is_a_subject_by_its_id_and_shown(catalogue: Catalogue) -> None:
    """A release candidate of the next minor; its own SDK comes with it."""
    candidate = f"{catalogue.newest_minor.next()}.0-dev~002c6e1c"
    cells = [
        cell(one.id.case, one.id.sdk, candidate, relation=one.relation, judgement=JUDGED[one.relation])
        for one in plan_cells(
            catalogue.cases,
            [sdk for sdk in catalogue.sdks if sdk.id.minor >= Minor(1, 38)],
            [(candidate, catalogue.newest_minor.next())],
        )
    ]
    whole = report(cells)
    verdict = judged(whole, POLICIES["host-release"], candidate)
    assert (verdict.answer, candidate in verdict.judged) == (GateAnswer.MAY, True)
    strict = msgspec.structs.replace(POLICIES["host-release"], own_may_be_unknown=False)
    assert [one.kind for one in judged(whole, strict, candidate).reasons] == [ReasonKind.NO_SDK]
    with pytest.raises(UsageError, match=f"expected one of {candidate}"):
        judged(whole, POLICIES["host-release"], "path:./envoy")


def test_every_reason_has_a_next_command(good: Report, catalogue: Catalogue) -> None:
    for changes, *_ in AGAINST:
        assert all(one.reproduce for one in judged(changed(good, **changes)).reasons), changes
    for parts, _ in WHOLE:
        assert all(one.reproduce for one in judged(msgspec.structs.replace(good, **parts)).reasons), parts
    alone = judged(report(cells_of(catalogue, [SDK], ["1.39.3"])))
    assert alone.reasons[0].reproduce == "dmconform run --sdk rust@1.39:reference --host 1.39 --host 1.40"


BAD_POLICIES = [
    ('title = "a"\nquestion = "b"\nsubject = "sdk"\n', "needs hosts"),
    ('title = "a"\nquestion = "b"\nsubject = "sdk"\nhosts = ["previous"]\n', "needs hosts"),
    ('title = "a"\nquestion = "b"\nsubject = "host"\nsdks = ["next"]\n', "needs sdks"),
    ('title = "a"\nquestion = "b"\nsubject = "sdk"\nhosts = ["own"]\ncases = []\n', "must not be empty"),
    ('title = "a"\nquestion = "b"\nsubject = "sdk"\nhosts = ["own"]\nallows = 1\n', "allows"),
    (
        'title = "a"\nquestion = "b"\nsubject = "sdk"\nhosts = ["own"]\n[[allow]]\noutcome = "fail"\nreason = "c"\n',
        "is an answer",
    ),
    (
        'title = "a"\nquestion = "b"\nsubject = "sdk"\nhosts = ["own"]\n[[allow]]\noutcome = "error"\nreason = " "\n',
        "a reason",
    ),
    ('title = "a"\nquestion = "b"\nsubject = "sdk"\nhosts = ["own"]\nproviders = ["reference"]\n', "look at providers"),
    ('title = "a"\nquestion = "b"\nsubject = "host"\nsdks = ["own"]\nhosts = ["own"]\n', "look at hosts"),
    ('title = "a"\nquestion = "b"\nsubject = "module"\nhosts = ["own"]\nknown_failures = ["*"]\n', "look at known_failures"),
    ('title = "a"\nquestion = "b"\nsubject = "sdk"\nhosts = ["own"]\nany_suite = 1\n', "any_suite"),
    (
        'title = "a"\nquestion = "b"\nsubject = "host"\nsdks = ["own"]\n'
        '[[allow]]\noutcome = "error"\nreason = "c"\nsdk = "previous"\n',
        "is none of sdks",
    ),
    ("a = " + "9" * 5000, "integer"),
    ("a = " + "[" * 100_000, "nested too deep"),
    ("#" * (5 << 20), "too large"),
]


@pytest.mark.parametrize(("text", "output"), BAD_POLICIES, ids=[row[1] for row in BAD_POLICIES])
def test_a_policy_that_makes_no_sense_is_refused(tmp_path: Path, text: str, output: str) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataFileError, match=output):
        load_policy(file)


def test_exit_codes_of_the_command(good: Report, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 may, 1 may not, 2 usage, 3 nothing asked for, 4 unknown."""

    def gate(whole: Report, *options: str) -> int:
        file = tmp_path / "report.json"
        write_report(of_this_suite(whole), file)
        return main(["gate", str(file), "--policy", "sdk-release", *(options or ("--sdk", SDK))])

    assert gate(good) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"✓ {SDK}: may be released"
    assert gate(changed(good, **FAILED, judgement=Judgement.FAIL)) == 1
    assert gate(good, "--host", "1.40.0") == 2
    assert gate(good, "--sdk", SDK, "--host", "1.40.0") == 2
    assert gate(good, "--sdk", "rust@1.37:reference") == 3
    assert gate(changed(good, outcome=Outcome.ERROR, judgement=Judgement.ERROR)) == 4
    assert main(["gate", str(tmp_path / "none.json"), "--policy", "sdk-release", "--sdk", SDK]) == 2
    assert main(["gate", str(tmp_path / "report.json"), "--policy", "no-such-policy", "--sdk", SDK]) == 2


LOGGERS = ExtensionPoint.ACCESS_LOGGER


def judged_at(whole: Report, policy: str = "sdk-release", subject: str = SDK) -> GateVerdict:
    """What the gate says of access loggers."""
    return gate_report(whole, POLICIES[policy], "a-policy", subject, ENVIRONMENT.suite_commit, LOGGERS)


def with_cells(whole: Report, *, at: bool, **changes: object) -> Report:
    """The report with its supported cells of access loggers changed, or all others."""
    cells = [
        msgspec.structs.replace(one, **changes)
        if (one.point == LOGGERS.value) is at and one.relation is Relation.SUPPORTED
        else one
        for one in whole.cells
    ]
    return msgspec.structs.replace(whole, cells=tuple(cells))


def test_only_cells_at_an_extension_point_count(good: Report) -> None:
    its = [one for one in good.cells if one.point == LOGGERS.value and one.relation is Relation.SUPPORTED]
    assert 0 < len(its) < len(good.cells)
    failed = FAILED | {"judgement": Judgement.FAIL}
    verdict = judged_at(with_cells(good, at=False, **failed))
    assert (verdict.answer, verdict.cells, verdict.held) == (GateAnswer.MAY, len(its), len(its))
    assert verdict.subject == f"{SDK}, access loggers"
    against = judged_at(with_cells(good, at=True, **failed))
    assert (against.answer, against.reasons[0].kind, against.held) == (GateAnswer.MAY_NOT, ReasonKind.BROKEN, 0)
    on_host = judged_at(with_cells(good, at=False, **failed), "host-release", "1.40.0")
    assert on_host.subject == "Envoy 1.40.0, access loggers"
    assert not any(one.kind is ReasonKind.BROKEN for one in on_host.reasons)
    assert any("--case '*@access_logger'" in one.reproduce for one in on_host.reasons)


def test_a_changed_fact_elsewhere_is_not_against_an_extension_point(good: Report) -> None:
    """Changed facts of a host count where no promise is about them, and so would without the restriction."""
    changed_fact = {"judgement": Judgement.CHANGED, "changed": (CHANGE,)}
    for at in (True, False):
        verdict = judged_at(with_cells(good, at=at, **changed_fact), "host-release", "1.40.0")
        assert any(one.kind is ReasonKind.CHANGED for one in verdict.reasons) is at


def test_a_run_of_an_extension_point_alone_answers_for_it(good: Report) -> None:
    cells = tuple(one for one in good.cells if one.point == LOGGERS.value)
    selected = msgspec.structs.replace(good, selection={"case": ("*@access_logger",)}, cells=cells, planned_cells=len(cells))
    assert judged_at(selected).answer is GateAnswer.MAY
    assert judged(selected).answer is GateAnswer.UNKNOWN
    missing = msgspec.structs.replace(selected, cells=cells[8:], planned_cells=len(cells) - 8)
    assert any(one.kind is ReasonKind.MISSING for one in judged_at(missing).reasons)


def test_what_is_not_applicable_to_an_extension_point_is_no_pass(good: Report) -> None:
    nothing = with_cells(
        good, at=True, outcome=Outcome.NOT_APPLICABLE, judgement=Judgement.SKIP, detail="no SDK of this language has loggers"
    )
    with pytest.raises(EmptySelection, match=r"access_logger: not applicable to rust@1\.39:reference: no SDK of this language"):
        judged_at(nothing)
    untested = with_cells(good, at=True, outcome=Outcome.NOT_TESTED, judgement=Judgement.SKIP)
    assert judged_at(untested).answer is GateAnswer.UNKNOWN
    without = msgspec.structs.replace(
        good,
        cells=tuple(one for one in good.cells if not one.point),
        cases=tuple(one for one in good.cases if "@" not in one.id),
        suite=None,
    )
    with pytest.raises(EmptySelection, match="no case of the report's suite is about it"):
        judged_at(without)


def test_exit_codes_at_an_extension_point(good: Report, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "report.json"

    def gate(whole: Report, point: str, *options: str) -> int:
        write_report(of_this_suite(whole), file)
        policy = options or ("--policy", "sdk-release", "--sdk", SDK)
        return main(["gate", str(file), *policy, "--extension-point", point])

    assert gate(good, "access_logger") == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"✓ {SDK}, access loggers: may be released"
    assert gate(with_cells(good, at=True, **FAILED, judgement=Judgement.FAIL), "access_logger") == 1
    assert gate(with_cells(good, at=True, outcome=Outcome.ERROR, judgement=Judgement.ERROR), "access_logger") == 4
    assert gate(good, "dns_resolver") == 3, "no case of it"
    capsys.readouterr()
    assert gate(good, "access_loger") == 2
    assert "unknown extension point access_loger: did you mean access_logger?" in capsys.readouterr().err
    assert gate(good, "nonsense") == 2
    assert "expected one of access_logger, bootstrap_extension" in " ".join(capsys.readouterr().err.split())
    assert gate(good, "access_logger", "--policy", "module-release") == 2
    assert "this policy is about module releases" in capsys.readouterr().err


def test_cells_of_one_record_and_of_one_cause_are_one_reason(good: Report) -> None:
    """What ends Envoy weighs more than any number of wrong answers; within a kind it comes first."""
    supported = [place for place, one in enumerate(good.cells) if one.relation is Relation.SUPPORTED][:9]
    cells = list(good.cells)
    for number, place in enumerate(supported):
        ends = number < 2
        cells[place] = msgspec.structs.replace(
            cells[place],
            outcome=Outcome.CRASH if ends else Outcome.FAIL,
            judgement=Judgement.XFAIL,
            known_failure="ends" if ends else "wrong",
            detail=f"another text each time: {number}",
        )
    verdict = judged(msgspec.structs.replace(good, cells=tuple(cells)))
    assert [(one.kind, len(one.cells), one.severity) for one in verdict.reasons] == [
        (ReasonKind.KNOWN, 2, Severity.ENDS),
        (ReasonKind.KNOWN, 7, Severity.WRONG),
    ]
    assert verdict.reasons[0].text.startswith("ends: 2 ends Envoy in ")
    assert verdict.reasons[0].reproduce == cells[supported[0]].reproduce
    waiving = msgspec.structs.replace(POLICIES["sdk-release"], known_failures=("ends", "wrong"))
    waived = judged(msgspec.structs.replace(good, cells=tuple(cells)), waiving).waived
    assert [(one.by, one.cells, one.severity) for one in waived[:2]] == [
        ("known failure ends", 2, Severity.ENDS),
        ("known failure wrong", 7, Severity.WRONG),
    ]


PUBLISHED = sorted(path.parent for path in (ROOT / "reports" / "published").glob("*/report.json.xz"))


@pytest.mark.parametrize("folder", PUBLISHED, ids=lambda folder: folder.name)
def test_the_gate_judges_published_reports_as_their_answer_says(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page and the terminal show what the command answers, of every subject of the report."""
    read = read_report(folder / "report.json.xz")
    found = answers(read)
    assert len(found.sdks) == 9, "each official SDK since 1.38"
    assert [name for name, _ in found.hosts] == [host.id for host in read.hosts if host.release.minor >= Minor(1, 38)]
    monkeypatch.setattr("dmconform.report.reading.read_report", lambda _: read)
    for option, policy, verdicts in (("--sdk", "sdk-release", found.sdks), ("--host", "host-release", found.hosts)):
        for subject, verdict in verdicts:
            code = main(["gate", str(folder), "--policy", policy, option, subject])
            lines = capsys.readouterr().out.splitlines()
            assert code == verdict.answer.exit_code
            assert lines[-1].startswith(f"{verdict.answer.glyph} {verdict.subject}: {verdict.answer.value}")
            assert f"{verdict.held} of {verdict.cells} asked for hold" in lines
            assert len(lines) <= 40
            main(["gate", str(folder), "--policy", policy, option, subject, "--format", "json"])
            whole = msgspec.json.decode(capsys.readouterr().out.encode(), type=GateVerdict)
            assert msgspec.structs.replace(whole, judged=verdict.judged) == verdict


def test_a_published_report_is_read_compressed(capsys: pytest.CaptureFixture[str]) -> None:
    file = PUBLISHED[-1] / "report.json.xz"
    assert main(["gate", str(file), "--policy", "sdk-release", "--sdk", "go@1.39:official"]) == 0
    assert "✓ go@1.39:official: may be released" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["text", "markdown", "json", "github"])
def test_every_form_names_the_reason(good: Report, tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str) -> None:
    file = tmp_path / "report.json"
    write_report(changed(good, **FAILED, judgement=Judgement.FAIL), file)
    main(["gate", str(file), "--policy", "sdk-release", "--sdk", SDK, "--format", form])
    printed = capsys.readouterr().out
    assert "expected 200, seen 503" in printed
    if form == "json":
        schema = next(one for one in SCHEMAS if one.type is GateVerdict).file
        jsonschema.validate(json.loads(printed), json.loads(schema.read_text(encoding="utf-8")))


def test_hostile_text_stays_text(good: Report, catalogue: Catalogue) -> None:
    verdict = judged(changed(good, outcome=Outcome.FAIL, judgement=Judgement.FAIL, detail=HOSTILE))
    assert "<script>" not in render_verdict(verdict)
    assert all("\n" not in str(one) and "\x1b" not in str(one) for one in annotations_of_verdict(verdict))


def module_check(**changes: object) -> Check:
    """A check in which the module works on two hosts."""
    works = {one: check_samples.point_run(RunKind.WORKS) for one in HOSTS}
    return msgspec.structs.replace(check_samples.check(HOSTS, runs=works), **changes)


def test_a_module_that_works_on_both_minors_may_be_released(catalogue: Catalogue) -> None:
    assert gate_module(module_check(), POLICIES["module-release"], "m", "1.39", catalogue).answer is GateAnswer.MAY


def test_a_module_that_breaks_or_was_not_run_may_not(catalogue: Catalogue) -> None:
    policy = POLICIES["module-release"]
    works, broken = module_check().hosts
    breaks = (works, msgspec.structs.replace(broken, verdict=HostVerdict.BREAKS))
    assert gate_module(module_check(hosts=breaks), policy, "m", "1.39", catalogue).answer is GateAnswer.MAY_NOT
    own = (works, msgspec.structs.replace(broken, verdict=HostVerdict.BREAKS, own_doing=True))
    verdict = gate_module(module_check(hosts=own), policy, "m", "1.39", catalogue)
    assert (verdict.answer, verdict.reasons[0].kind) == (GateAnswer.MAY_NOT, ReasonKind.OWN), "it is no broken promise"
    open_ = (works, msgspec.structs.replace(broken, verdict=HostVerdict.UNDECIDED))
    verdict = gate_module(module_check(hosts=open_), policy, "m", "1.39", catalogue)
    assert (verdict.answer, verdict.reasons[0].kind) == (GateAnswer.UNKNOWN, ReasonKind.OPEN)
    assert f"--filter-name '{HOSTILE}'" in verdict.reasons[0].reproduce, "it repeats the options that were given"
    assert gate_module(module_check(ran=False), policy, "m", "1.39", catalogue).answer is GateAnswer.UNKNOWN
    verdict = gate_module(module_check(hosts=(works,)), policy, "m", "1.39", catalogue)
    assert [reason.kind for reason in verdict.reasons] == [ReasonKind.NO_HOST]


def test_the_minor_of_a_module_must_be_certain(catalogue: Catalogue) -> None:
    policy = POLICIES["module-release"]
    guess = module_check().sdk
    unsure = module_check(sdk=msgspec.structs.replace(guess, minors=("1.38", "1.39")))
    assert gate_module(unsure, policy, "m", None, catalogue).answer is GateAnswer.UNKNOWN, "1.38.3 is missing, if it is of 1.38"
    of_nothing = module_check(sdk=msgspec.structs.replace(guess, minors=()))
    with pytest.raises(EmptySelection, match="--built-with"):
        gate_module(of_nothing, policy, "m", None, catalogue)
    sure = module_check(sdk=msgspec.structs.replace(guess, minors=("1.39",)))
    assert gate_module(sure, policy, "m", None, catalogue).answer is GateAnswer.MAY


def test_a_module_with_a_call_that_would_end_the_host_may_not_unless_the_policy_says_so(catalogue: Catalogue) -> None:
    policy = POLICIES["module-release"]
    works, other = module_check().hosts
    unresolved = msgspec.structs.replace(
        other, static=msgspec.structs.replace(other.static, kind=StaticKind.UNRESOLVED, reason="a call ends it")
    )
    verdict = gate_module(module_check(hosts=(works, unresolved)), policy, "m", "1.39", catalogue)
    assert (verdict.answer, [one.kind for one in verdict.reasons]) == (GateAnswer.UNKNOWN, [ReasonKind.UNCALLED])
    allowing = msgspec.structs.replace(policy, uncalled_allowed=True)
    assert gate_module(module_check(hosts=(works, unresolved)), allowing, "m", "1.39", catalogue).answer is GateAnswer.MAY


def test_a_host_that_a_module_was_not_run_on_does_not_hold(catalogue: Catalogue) -> None:
    works, other = module_check().hosts
    skipped = msgspec.structs.replace(other, runs=(), not_run="there is no binary")
    verdict = gate_module(module_check(hosts=(works, skipped)), POLICIES["module-release"], "m", "1.39", catalogue)
    assert (verdict.answer, verdict.held, verdict.reasons[0].kind) == (GateAnswer.UNKNOWN, 1, ReasonKind.BLOCKED)
    unrun = gate_module(check_samples.check(HOSTS, ran=False), POLICIES["module-release"], "m", "1.39", catalogue)
    assert unrun.held == 0
    assert all(one.reproduce.startswith("dmconform check ") for one in (*verdict.reasons, *unrun.reasons))


def test_no_other_minor_may_be_claimed_than_the_file_shows(catalogue: Catalogue) -> None:
    """With 1.38 the host that breaks it would not be asked for."""
    sure = module_check(sdk=msgspec.structs.replace(module_check().sdk, minors=("1.39",), known=Known.READ))
    with pytest.raises(UsageError, match=r"the check says 1\.39"):
        gate_module(sure, POLICIES["module-release"], "m", "1.38", catalogue)


def test_a_module_of_an_sdk_before_the_promise_must_work_on_its_own_minor(catalogue: Catalogue) -> None:
    """Up to 1.37 the documents demanded the same ABI on both sides: the next minor is not asked for."""
    (host, _) = module_check().hosts
    older = msgspec.structs.replace(host, id="1.37.0", release="1.37.0")
    sdk = msgspec.structs.replace(module_check().sdk, minors=("1.37",))
    verdict = gate_module(module_check(hosts=(older,), sdk=sdk), POLICIES["module-release"], "m", None, catalogue)
    assert (verdict.answer, verdict.cells, verdict.held) == (GateAnswer.MAY, 1, 1)
    broken = msgspec.structs.replace(older, verdict=HostVerdict.BREAKS)
    verdict = gate_module(module_check(hosts=(broken,), sdk=sdk), POLICIES["module-release"], "m", None, catalogue)
    assert verdict.answer is GateAnswer.MAY_NOT


def test_where_several_sdks_are_possible_the_answer_counts_that_all_give(catalogue: Catalogue) -> None:
    works, other = module_check().hosts
    oldest = msgspec.structs.replace(works, id="1.38.3", release="1.38.3")
    sdk = msgspec.structs.replace(module_check().sdk, minors=("1.38", "1.39"))
    policy = POLICIES["module-release"]
    good = module_check(hosts=(oldest, works, other), sdk=sdk)
    assert gate_module(good, policy, "m", None, catalogue).answer is GateAnswer.MAY
    broken = msgspec.structs.replace(oldest, verdict=HostVerdict.BREAKS)
    verdict = gate_module(module_check(hosts=(broken, works, other), sdk=sdk), policy, "m", None, catalogue)
    assert (verdict.answer, verdict.reasons[0].kind) == (GateAnswer.UNKNOWN, ReasonKind.OPEN)
    assert "1.38: may not be released; 1.39: may be released" in verdict.reasons[0].text


BAD_CHECKS: list[tuple[dict[str, object], str]] = [
    ({"schema_version": 99}, "schema version 99"),
    ({"hosts": (msgspec.structs.replace(module_check().hosts[0], release="new"),)}, "'new' is not a release"),
    ({"hosts": module_check().hosts[:1] * 2}, "host '1.39.3' is there 2 times"),
    ({"sdk": msgspec.structs.replace(module_check().sdk, minors=("new",))}, "'new' is not a minor version"),
]


@pytest.mark.parametrize(("changes", "output"), BAD_CHECKS, ids=[row[1] for row in BAD_CHECKS])
def test_a_check_that_makes_no_sense_is_refused(tmp_path: Path, changes: dict[str, object], output: str) -> None:
    file = tmp_path / "check.json"
    file.write_bytes(msgspec.json.encode(module_check(**changes)))
    with pytest.raises(DataFileError, match=output):
        read_check(file)


def test_exit_codes_for_a_module(good: Report, tmp_path: Path) -> None:
    file = tmp_path / "check.json"

    def gate(check: Check, *options: str) -> int:
        file.write_bytes(msgspec.json.encode(check))
        return main(["gate", str(file), "--policy", "module-release", *options])

    works, other = module_check().hosts
    assert gate(module_check()) == 0
    assert gate(module_check(hosts=(works, msgspec.structs.replace(other, verdict=HostVerdict.BREAKS)))) == 1
    assert gate(module_check(), "--built-with", "new") == 2
    assert gate(module_check(sdk=msgspec.structs.replace(module_check().sdk, minors=()))) == 3
    assert gate(module_check(ran=False)) == 4
    write_report(good, file)
    assert main(["gate", str(file), "--policy", "module-release"]) == 2, "a report is no check"
