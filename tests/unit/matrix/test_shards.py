"""A run that is split loses nothing, and what does not fit together is not joined."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from dmconform.cli.main import main
from dmconform.core.errors import UsageError
from dmconform.core.values import CellId, Judgement, Outcome, Relation
from dmconform.matrix.assemble import seen_inconsistencies
from dmconform.matrix.costs import Costs, load_costs, measure
from dmconform.matrix.merge import merge
from dmconform.matrix.split import hash_of, plan_hash, shard_of, split
from dmconform.report.reading import read_report
from dmconform.report.schema import Report, SdkEntry, Shard, write_report
from dmconform.spec.cells import PlannedCell
from dmconform.spec.inconsistencies import Inconsistency, InconsistencyKind

from tests.unit.report_samples import ALL_KINDS, KNOWN_FAILURE, broken, cell, known, report, sdk

SDKS = ("cpp@1.39:reference", "go@1.39:reference", "rust@1.38:official", "rust@1.39:reference")
HOSTS = ("1.38.3", "1.39.3", "1.40.0")
CASES = tuple(f"area/case_{number}" for number in range(7))
PLAN = tuple(PlannedCell(CellId(case, one, host), Relation.SUPPORTED, "") for case in CASES for one in SDKS for host in HOSTS)
COSTS = Costs("for a test", {case: 0.01 * (number + 1) for number, case in enumerate(CASES)})


@pytest.mark.parametrize("count", [1, 2, 3, 5, 11, len(PLAN)])
def test_every_cell_is_in_one_part_and_the_parts_cost_the_same(count: int) -> None:
    parts = split(PLAN, count, COSTS)
    assert sorted(str(one.id) for part in parts for one in part) == sorted(str(one.id) for one in PLAN)
    spent = [sum(COSTS.of(one.id.case) for one in part) for part in parts]
    assert len(parts) == count
    assert all(spent) or count == len(PLAN)
    assert max(spent) - min(spent) <= 2 * max(COSTS.seconds.values())


def test_a_part_is_in_the_order_of_the_plan_and_has_few_sdks() -> None:
    order = {str(one.id): place for place, one in enumerate(PLAN)}
    for part in split(PLAN, 4, COSTS):
        places = [order[str(one.id)] for one in part]
        assert places == sorted(places)
        assert len({one.id.sdk for one in part}) <= 2


def test_parts_do_not_depend_on_the_order_of_the_plan() -> None:
    ways = [{frozenset(str(one.id) for one in part) for part in split(plan, 3, COSTS)} for plan in (PLAN, PLAN[::-1])]
    assert ways[0] == ways[1]
    assert plan_hash(PLAN) == plan_hash(PLAN[::-1])
    assert plan_hash(PLAN) != plan_hash(PLAN[1:])


def test_a_case_that_was_never_measured_costs_the_median() -> None:
    assert COSTS.of("area/new") == pytest.approx(0.04)


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "1/0", "a/b", "-1/4", "1/4/2", "1/99999", ""])
def test_what_names_no_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"^--shard"):
        shard_of(text, PLAN, COSTS)


def test_more_shards_than_cells_are_refused() -> None:
    with pytest.raises(UsageError, match="84 cells only"):
        shard_of("1/85", PLAN, COSTS)


def test_the_costs_on_record_are_those_of_real_cases() -> None:
    costs = load_costs()
    assert costs.seconds
    assert all(math.isfinite(value) and value > 0 for value in costs.seconds.values())


def test_a_report_in_which_nothing_ran_shows_no_costs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Costs of nothing would end every later plan."""
    monkeypatch.setattr("dmconform.matrix.costs.FILE", tmp_path / "costs.json")
    monkeypatch.setattr("dmconform.matrix.costs.write_costs.__defaults__", (tmp_path / "costs.json",))
    write_report(report([cell(outcome=Outcome.ERROR, judgement=Judgement.ERROR)]), tmp_path / "report.json")
    assert main(["plan", "--measure", str(tmp_path / "report.json")]) == 2
    assert not (tmp_path / "costs.json").exists()


def test_costs_are_medians_of_what_ran() -> None:
    ran = [
        cell("a/one", host=host, duration_s=seconds) for host, seconds in (("1.38.3", 0.1), ("1.39.3", 0.3), ("1.40.0", 0.9))
    ]
    not_run = cell("a/two", outcome=Outcome.ERROR, judgement=Judgement.ERROR)
    assert measure(report([*ran, not_run])).seconds == {"a/one": 0.3}


WHOLE = report(
    (
        *(cell(f"a/case_{number}", one, host) for number in range(3) for one in SDKS for host in HOSTS),
        known("a/known"),
        broken("a/new"),
    ),
    known_failures=[KNOWN_FAILURE],
    exit_code=1,
)
ORDER = [case.id for case in WHOLE.cases]


def parts_of(whole: Report, count: int = 3) -> list[tuple[str, Report]]:
    """A report cut into shards, as if each had been run."""
    found = []
    for index in range(count):
        cells = whole.cells[index::count]
        sdks = {one.sdk for one in cells}
        found.append(
            (
                f"shard-{index + 1}",
                msgspec.structs.replace(
                    whole,
                    cells=cells,
                    cases=tuple(case for case in whole.cases if case.id in {one.case for one in cells}),
                    sdks=tuple(one for one in whole.sdks if one.id in sdks),
                    known_failures=whole.known_failures if any(one.known_failure for one in cells) else (),
                    inconsistencies=(),
                    planned_cells=len(cells),
                    duration_s=10.0 + index,
                    shard=Shard(index + 1, count, hash_of((one.id, one.relation) for one in whole.cells), len(whole.cells)),
                ),
            )
        )
    return found


def test_the_joined_report_is_that_of_an_unsplit_run() -> None:
    joined = merge(parts_of(WHOLE)[::-1], ORDER)
    expected = msgspec.structs.replace(
        WHOLE,
        cells=tuple(sorted(WHOLE.cells, key=lambda one: (ORDER.index(one.case), one.sdk, one.host))),
        sdks=tuple(sorted(WHOLE.sdks, key=lambda one: one.id)),
        duration_s=12.0,
        inconsistencies=joined.inconsistencies,
    )
    assert msgspec.structs.replace(joined, hosts=WHOLE.hosts) == expected
    assert {host.id for host in joined.hosts} == {host.id for host in WHOLE.hosts}
    assert [one.kind.name for one in joined.inconsistencies] == ["NEW"], "a new failure is one, counted over all shards"


Change = Callable[[list[tuple[str, Report]]], object]


def altered(parts: list[tuple[str, Report]], place: int, **changes: object) -> None:
    """Changes the report of one shard."""
    name, one = parts[place]
    parts[place] = name, msgspec.structs.replace(one, **changes)


def other_commit(parts: list[tuple[str, Report]]) -> None:
    altered(parts, 1, environment=msgspec.structs.replace(parts[1][1].environment, suite_commit="another"))


def other_module(parts: list[tuple[str, Report]]) -> None:
    def rebuilt(one: SdkEntry) -> SdkEntry:
        return msgspec.structs.replace(one, modules=tuple(msgspec.structs.replace(it, sha256="cd" * 32) for it in one.modules))

    altered(parts, 2, sdks=tuple(rebuilt(one) for one in parts[2][1].sdks))


def other_host(parts: list[tuple[str, Report]]) -> None:
    altered(parts, 1, hosts=tuple(msgspec.structs.replace(one, sha256="00") for one in parts[1][1].hosts))


def other_cells(parts: list[tuple[str, Report]]) -> None:
    """As many cells as were planned, but one of them is another."""
    altered(parts, 1, cells=(*parts[1][1].cells[1:], cell("a/never_planned")))


def endless(parts: list[tuple[str, Report]]) -> None:
    for place in range(len(parts)):
        altered(parts, place, shard=Shard(place + 1, 10**15, "ab", 9))


def other_relation(parts: list[tuple[str, Report]]) -> None:
    """A cell that was promised, and does not gate any more."""
    first, *rest = parts[0][1].cells
    altered(parts, 0, cells=(msgspec.structs.replace(first, relation=Relation.UNSUPPORTED), *rest))


REFUSED: list[tuple[str, Change, str]] = [
    ("missing", lambda it: it.pop(1), "shard 2 of 3 is missing"),
    ("last missing", lambda it: it.pop(), "shard 3 of 3 is missing"),
    ("twice", lambda it: it.append(("again", it[0][1])), "again: shard 1 again, which shard-1 is already"),
    ("whole", lambda it: it.append(("whole", WHOLE)), "whole: a whole report"),
    ("other count", lambda it: altered(it, 2, shard=Shard(3, 4, "ab" * 32, len(WHOLE.cells))), "split differently"),
    ("other plan", lambda it: altered(it, 1, shard=Shard(2, 3, "cd" * 32, len(WHOLE.cells))), "shard-2: its plan"),
    ("other suite", other_commit, "shard-2: its suite commit is not that of shard-1: another, expected 0123456789ab"),
    ("other module", other_module, "shard-3: its modules of"),
    ("other host", other_host, "shard-2: its hosts"),
    ("other selection", lambda it: altered(it, 1, selection={"host": ("all",)}), "shard-2: its selection"),
    ("other cells", other_cells, "are not those that were planned"),
    ("other relation", other_relation, "are not those that were planned"),
    ("a cell more", lambda it: altered(it, 1, cells=(*it[1][1].cells, cell("a/more"))), "are not those that were planned"),
    ("endless", endless, "shard 4 of 1000000000000000 is missing"),
    ("cell twice", lambda it: altered(it, 1, cells=(*it[1][1].cells, it[0][1].cells[0])), "is in shard-1 too"),
]


@pytest.mark.parametrize(("change", "text"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_does_not_fit_together_is_refused(change: Change, text: str) -> None:
    parts = parts_of(WHOLE)
    change(parts)
    with pytest.raises(UsageError) as error:
        merge(parts, ORDER)
    assert text in str(error.value)


def test_an_incomplete_shard_makes_the_whole_incomplete() -> None:
    good = report([cell(host=host) for host in HOSTS])
    parts = parts_of(good)
    altered(parts, 1, complete=False, incomplete_reason="interrupted", exit_code=4)
    joined = merge(parts, ["window/proxied_traffic"])
    assert (joined.complete, joined.incomplete_reason, joined.exit_code) == (False, "shard-2: interrupted", 4)


def test_cells_that_a_shard_has_lost_are_missing_in_the_whole() -> None:
    parts = parts_of(report([cell(host=host) for host in HOSTS]))
    altered(parts, 1, cells=())
    joined = merge(parts, ["window/proxied_traffic"])
    assert joined.planned_cells == len(joined.cells) + 1
    assert (joined.complete, joined.incomplete_reason) == (False, "1 planned cells are in no shard")
    assert joined.exit_code == 4, "what was never run is not green"


def test_a_record_that_several_shards_complain_of_is_reported_once_and_of_all_its_cells() -> None:
    """One cell of four passes: each shard alone sees another part of that."""
    stale = [cell(host=host, judgement=Judgement.XPASS, known_failure="known-1") for host in HOSTS[:2]]
    fails = [known("a/known", host=host) for host in HOSTS[:2]]
    data = Inconsistency(InconsistencyKind.OVERDUE, "known-1", (), "past its until", "mend")
    cells = (stale[0], stale[1], fails[0], fails[1])
    inconsistencies = (*seen_inconsistencies(cells), data)
    whole = report(cells, known_failures=[KNOWN_FAILURE], inconsistencies=inconsistencies, exit_code=1)
    parts = parts_of(whole, 2)
    for place, (_, part) in enumerate(parts):
        altered(parts, place, inconsistencies=(*seen_inconsistencies(part.cells), data))
    assert [one.kind for one in parts[0][1].inconsistencies] == [InconsistencyKind.TOO_MUCH, InconsistencyKind.OVERDUE]
    assert merge(parts, ["window/proxied_traffic", "a/known"]).inconsistencies == inconsistencies


def test_a_host_that_one_shard_could_not_have_is_described_by_another() -> None:
    whole = report([cell(host=host) for host in HOSTS])
    parts = parts_of(whole)
    absent = (msgspec.structs.replace(one, build="", origin="could not be had") for one in parts[0][1].hosts)
    every = [(name, msgspec.structs.replace(part, hosts=whole.hosts)) for name, part in parts]
    every[0] = (every[0][0], msgspec.structs.replace(every[0][1], hosts=(*absent, *whole.hosts[1:])))
    assert merge(every, ["window/proxied_traffic"]).hosts == whole.hosts


def test_an_sdk_that_one_shard_could_not_build_is_taken_from_another() -> None:
    whole = report([cell(host=host) for host in HOSTS])
    parts = parts_of(whole)
    altered(parts, 0, sdks=(sdk("rust@1.39:reference", problem="no room"),))
    assert merge(parts, ["window/proxied_traffic"]).sdks == whole.sdks


def test_the_command_writes_the_whole_and_copies_what_it_names(tmp_path: Path) -> None:
    folders = []
    for name, part in parts_of(report(ALL_KINDS, known_failures=[KNOWN_FAILURE]), 2):
        folder = tmp_path / name
        for one in part.cells:
            if one.evidence:
                (folder / one.evidence).mkdir(parents=True)
                (folder / one.evidence / "envoy.log").write_text(one.id)
        write_report(part, folder / "report.json")
        folders.append(str(folder))
    out = tmp_path / "whole"
    assert main(["merge", *folders, "--out", str(tmp_path / "judged-later"), "--exit-zero"]) == 0
    assert main(["merge", *folders, "--out", str(out)]) == 1
    whole = read_report(out / "report.json")
    assert len(whole.cells) == len(ALL_KINDS)
    for one in whole.cells:
        if one.evidence:
            assert (out / one.evidence / "envoy.log").read_text() == one.id
    assert {"index.html", "junit.xml", "matrix.md"} <= {path.name for path in out.iterdir()}
    assert main(["merge", *folders, "--out", str(out)]) == 2, "the folder exists"
    assert main(["merge", folders[0], "--out", str(tmp_path / "other"), "--exit-zero"]) == 2
    assert not (tmp_path / "other").exists()


def test_plan_shows_what_each_shard_would_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = tmp_path / "outputs"
    monkeypatch.setenv("GITHUB_OUTPUT", str(outputs))
    assert main(["plan", "--shards", "3", "--host", "1.39", "--sdk", "rust@1.39"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["1/3", "2/3", "3/3"]
    assert main(["plan", "--shards", "2", "--format", "json"]) == 0
    assert capsys.readouterr().out == '{"shard": ["1/2", "2/2"]}\n'
    assert not outputs.exists()
    assert main(["plan", "--shards", "2", "--format", "github"]) == 0
    assert outputs.read_text() == 'shards={"shard": ["1/2", "2/2"]}\n'
    assert main(["plan", "--shards", "0"]) == 2
    assert main(["plan", "--shards", "2", "--host", "image:envoyproxy/envoy:dev"]) == 2, "its cells are not known"
    assert main(["plan", "--shards", "99999", "--host", "1.39"]) == 2
