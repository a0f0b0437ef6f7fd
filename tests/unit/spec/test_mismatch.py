"""The two halves of a cell: what is seen of the probe at run time, and when that disagrees with what its file says."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.binaries.facts import StaticKind, StaticVerdict
from dmconform.core.values import CellId, Judgement, Load, Outcome, ProbeLoad, Relation
from dmconform.envoy.config import HttpFilter, Listener, ModuleRef
from dmconform.envoy.outcomes import linker_error
from dmconform.envoy.update import Taken, Update
from dmconform.matrix.probe_load import probe_load
from dmconform.spec.cells import PlannedCell
from dmconform.spec.expectations import KnownFailure
from dmconform.spec.judgement import exit_code, judge
from dmconform.spec.mismatch import mismatch

LOADS = StaticVerdict(StaticKind.LOADS, "all is there")
REFUSED = StaticVerdict(StaticKind.REFUSED, "2 symbols", ("missing_1", "missing_2"))
UNRESOLVED = StaticVerdict(StaticKind.UNRESOLVED, "2 symbols", ("missing_1", "missing_2"))
UNKNOWN = StaticVerdict(StaticKind.UNKNOWN, "no string")


@pytest.mark.parametrize(
    ("static", "seen", "says"),
    [
        (LOADS, ProbeLoad(Load.LOADED), None),
        (
            LOADS,
            ProbeLoad(Load.REFUSED, "other"),
            "expected to load (all is there); at run time the probe was refused at load: other",
        ),
        (LOADS, ProbeLoad(Load.REFUSED), "expected to load (all is there); at run time the probe was refused at load"),
        (LOADS, ProbeLoad(Load.UNRESOLVED, "other"), "the call of an unresolved symbol ended the host: other"),
        (LOADS, ProbeLoad(Load.UNRESOLVED), "the call of an unresolved symbol ended the host"),
        (LOADS, ProbeLoad(Load.MIXED), "loaded once and refused once"),
        (REFUSED, ProbeLoad(Load.REFUSED), None),
        (REFUSED, ProbeLoad(Load.REFUSED, "missing_2"), None),
        (REFUSED, ProbeLoad(Load.REFUSED, "other"), "other, which the static analysis does not miss"),
        (REFUSED, ProbeLoad(Load.LOADED), "refused at load (2 symbols); at run time the probe was loaded"),
        (
            REFUSED,
            ProbeLoad(Load.UNRESOLVED, "missing_1"),
            "refused at load (2 symbols); at run time the probe was loaded, and the call",
        ),
        (REFUSED, ProbeLoad(Load.MIXED, "missing_1"), "loaded once and refused once"),
        (UNRESOLVED, ProbeLoad(Load.LOADED), None),
        (UNRESOLVED, ProbeLoad(Load.UNRESOLVED, "missing_1"), None),
        (UNRESOLVED, ProbeLoad(Load.UNRESOLVED, "other"), "other, which the static analysis does not miss"),
        (UNRESOLVED, ProbeLoad(Load.REFUSED), "an unresolved symbol (2 symbols); at run time the probe was refused at load"),
        *((one, ProbeLoad(), None) for one in (LOADS, REFUSED, UNRESOLVED)),
        *((UNKNOWN, ProbeLoad(load), None) for load in Load),
        *((None, ProbeLoad(load), None) for load in Load),
    ],
)
def test_what_static_and_run_time_disagree_in(static: StaticVerdict | None, seen: ProbeLoad, says: str | None) -> None:
    found = mismatch(static, seen)
    assert (found is None) is (says is None), found
    assert says is None or (found is not None and says in found), found


PROMISED = PlannedCell(CellId("a/b", "rust@1.39:reference", "1.39.3"), Relation.SUPPORTED, "")
UNSUPPORTED = PlannedCell(CellId("a/b", "rust@1.39:reference", "1.36.4"), Relation.UNSUPPORTED, "")
RECORD = KnownFailure("r", ("a/b/*",), Outcome.REJECTED, "undefined symbol", "reason", "evidence")


@pytest.mark.parametrize(
    ("cell", "outcome", "detail", "records", "judgement", "code"),
    [
        (PROMISED, Outcome.PASS, "", (), Judgement.MISMATCH, 1),
        (PROMISED, Outcome.REJECTED, "undefined symbol", (), Judgement.FAIL, 1),
        (PROMISED, Outcome.REJECTED, "undefined symbol", (RECORD,), Judgement.XFAIL, 0),
        (PROMISED, Outcome.REJECTED, "other", (RECORD,), Judgement.XPASS, 1),
        (PROMISED, Outcome.PASS, "", (RECORD,), Judgement.XPASS, 1),
        (PROMISED, Outcome.NOT_APPLICABLE, "", (), Judgement.SKIP, 0),
        (PROMISED, Outcome.ERROR, "", (), Judgement.ERROR, 4),
        (UNSUPPORTED, Outcome.PASS, "", (), Judgement.INFORMATIONAL, 0),
        (UNSUPPORTED, Outcome.REJECTED, "", (), Judgement.INFORMATIONAL, 0),
    ],
)
def test_how_a_disagreement_counts(
    cell: PlannedCell, outcome: Outcome, detail: str, records: tuple[KnownFailure, ...], judgement: Judgement, code: int
) -> None:
    found, _ = judge(cell, outcome, detail, records, (), "the halves disagree")
    assert found is judgement
    assert exit_code([found], complete=True) == code


def test_a_disagreement_counts_more_than_what_could_not_run() -> None:
    assert exit_code([Judgement.MISMATCH, Judgement.ERROR], complete=False) == 1


# --- What became of the probe ---

FILE = "/evidence/modules/libprobe.so"
IN = "Failed to load dynamic module: "
MISSING = f"{IN}{FILE} : {FILE}: undefined symbol: callback_1"


def given(update: Update, *modules: str) -> Taken:
    """Listeners with one filter each."""
    listeners = (Listener(name, (HttpFilter(ModuleRef(name), "identity"),)) for name in modules or ("probe",))
    return Taken(tuple(listeners), update)


def seen(*taken: Taken, log: str = "", copies: tuple[str, ...] = (FILE,)) -> ProbeLoad:
    return probe_load([Path(copy) for copy in copies], taken, log)


ACCEPTED = Update(accepted=True)


@pytest.mark.parametrize(
    ("message", "load", "symbol"),
    [
        (MISSING, Load.REFUSED, "callback_1"),
        (f"{IN}libprobe.so not found in any search path: /x or failed: libprobe.so: undefined symbol: a, b", Load.REFUSED, "a"),
        (f"{IN}ABI version mismatch: got v0.1.0, but expected 7ee5", Load.REFUSED, None),
        (f"{IN}Failed to resolve symbol envoy_dynamic_module_on_http_filter_new", Load.REFUSED, None),
        (
            f"{IN}libprobe.so not found in any search path: /elsewhere/libprobe.so or standard library paths",
            Load.NOT_SEEN,
            None,
        ),
        (f"{IN}/elsewhere/libprobe.so : /elsewhere/libprobe.so: cannot open shared object file", Load.NOT_SEEN, None),
        (f"{IN}/x/libother.so : /x/libother.so: undefined symbol: callback_1", Load.NOT_SEEN, None),
        ("Failed to initialize dynamic module", Load.NOT_SEEN, None),
        ("(no message in the log)", Load.NOT_SEEN, None),
    ],
)
def test_a_rejection_says_what_became_of_the_probe_or_nothing(message: str, load: Load, symbol: str | None) -> None:
    assert seen(given(Update(accepted=False, message=message))) == ProbeLoad(load, symbol)


def test_a_host_that_does_not_find_a_file_that_is_there_has_refused_it(tmp_path: Path) -> None:
    copy = tmp_path / "libprobe.so"
    rejected = given(Update(accepted=False, message=f"libprobe.so not found in any search path: {copy} or standard ones"))
    assert seen(rejected, copies=(str(copy),)).load is Load.NOT_SEEN
    copy.touch()
    assert seen(rejected, copies=(str(copy),)).load is Load.REFUSED


@pytest.mark.parametrize(
    ("taken", "copies", "load"),
    [
        ([], (FILE,), Load.NOT_SEEN),
        ([given(ACCEPTED)], (FILE,), Load.LOADED),
        ([given(ACCEPTED)], (), Load.NOT_SEEN),
        ([given(ACCEPTED, "first", "second")], ("/x/libfirst.so", "/x/libsecond.so"), Load.LOADED),
        ([given(ACCEPTED, "no_program_init")], (FILE,), Load.NOT_SEEN),
        ([Taken((Listener("plain"),), ACCEPTED)], (FILE,), Load.NOT_SEEN),
        ([given(ACCEPTED), given(Update(False, "Failed to initialize dynamic module"))], (FILE,), Load.LOADED),
        ([given(Update(False, MISSING)), Taken((Listener("plain"),), ACCEPTED)], (FILE,), Load.REFUSED),
        ([given(Update(False, MISSING)), given(ACCEPTED)], (FILE,), Load.MIXED),
        ([Taken((Listener("plain"),), Update(False, f"{IN}ABI version mismatch"))], (FILE,), Load.NOT_SEEN),
        ([given(Update(False, f"{IN}ABI version mismatch"), "probe", "null_program_init")], (FILE,), Load.NOT_SEEN),
        ([given(Update(False, f"{IN}ABI version mismatch"), "null_program_init")], (FILE,), Load.NOT_SEEN),
    ],
)
def test_what_became_of_the_probe(taken: list[Taken], copies: tuple[str, ...], load: Load) -> None:
    assert seen(*taken, copies=copies).load is load


BINARY = Path("/hosts/envoy")
LOOKUP = f"{BINARY}: symbol lookup error: {FILE}: undefined symbol: callback_9"


def test_an_unresolved_symbol_that_went_off_is_reported_whatever_was_accepted_before() -> None:
    log = f"[info] something\n{LOOKUP}\n"
    assert seen(given(ACCEPTED), log=log) == ProbeLoad(Load.UNRESOLVED, "callback_9")
    assert seen(log=log) == ProbeLoad(Load.UNRESOLVED, "callback_9")
    assert seen(given(Update(False, MISSING)), log=f"[warning] {MISSING}\n") == ProbeLoad(Load.REFUSED, "callback_1")
    assert seen(given(ACCEPTED), log=log.replace("libprobe", "libother")) == ProbeLoad(Load.LOADED)


@pytest.mark.parametrize(
    ("log", "error"),
    [
        (LOOKUP, f"{FILE}: undefined symbol: callback_9"),
        (f"a\n{LOOKUP}\nb", f"{FILE}: undefined symbol: callback_9"),
        (f"prlimit: symbol lookup error: {FILE}: undefined symbol: callback_9", None),
        (f"{FILE}: undefined symbol: callback_9", None),
        ("", None),
    ],
)
def test_what_the_dynamic_linker_says_is_distinguished_from_what_a_launcher_says(log: str, error: str | None) -> None:
    assert linker_error(log, BINARY) == error
