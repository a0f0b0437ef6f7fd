"""The pytest plugin: one pytest item per planned cell, spread over workers by pytest-xdist.

`dmconform run` writes a plan and names it in `--dm-plan`. Without it (plain `pytest conformance -k …`) the plugin makes the
plan of the default selection first, in the controlling process only.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import msgspec
import pytest

from dmconform.core import paths
from dmconform.core.timeouts import CELL_S
from dmconform.core.values import AT_POINT, Judgement, Outcome
from dmconform.core.waiting import bounded
from dmconform.envoy.observer import UNOBSERVED, Observer
from dmconform.envoy.outcomes import Blocked
from dmconform.envoy.upstream import upstream_server
from dmconform.matrix.classification import classify
from dmconform.matrix.plan import PLAN_FILE, Plan, read_plan
from dmconform.matrix.run_cell import CellResult, run_cell
from dmconform.spec.cases import case_ids, declaration_of
from dmconform.spec.cells import PlannedCell
from dmconform.spec.expectations import KnownFailure, load_known_failures

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr, TracebackStyle
    from xdist.workermanage import WorkerController

    from dmconform.matrix.cell import Cell
    from dmconform.spec.cases import CaseFunction

RECORDS_KEY = pytest.StashKey[tuple[KnownFailure, ...]]()
PLAN_KEY = pytest.StashKey[Plan]()
OBSERVER_KEY = pytest.StashKey[Observer]()
UPSTREAM_KEY = pytest.StashKey[int]()
RESULTS_FILE = "results.jsonl"
_PROPERTY = "dmconform_result"
_WORKER_INPUT = "dmconform_plan"
_NO_KEYWORDS: set[str] = set()


class Observed:
    """A plugin that gives the cells of a pytest run in this process their observer."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[OBSERVER_KEY] = self._observer


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("dmconform", "conformance of Envoy's dynamic modules")
    group.addoption("--dm-plan", metavar="FILE", help="the plan to run, as dmconform run writes it (default: make one)")


def _concerns_cases(config: pytest.Config) -> bool:
    """Returns whether this pytest run is one of the cases, and not of the tests of the harness."""
    roots = [Path(str(argument).partition("::")[0]).resolve() for argument in config.args]
    return any(root == paths.CONFORMANCE or paths.CONFORMANCE in root.parents for root in roots)


def pytest_configure(config: pytest.Config) -> None:
    given = getattr(config, "workerinput", {}).get(_WORKER_INPUT, config.option.dm_plan)
    if given is None and not hasattr(config, "workerinput") and _concerns_cases(config):
        from dmconform.matrix.prepare import prepare_default  # only here: it pulls in the container engine

        given = str(prepare_default(paths.runs_folder() / "pytest"))
    if given is not None:
        config.option.dm_plan = given
        config.stash[PLAN_KEY] = read_plan(Path(given))
        config.stash[RECORDS_KEY] = load_known_failures(paths.KNOWN_FAILURES_FILE)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    """Gives a worker the plan to run."""
    node.workerinput[_WORKER_INPUT] = node.config.option.dm_plan


def _plan(config: pytest.Config) -> Plan | None:
    return config.stash.get(PLAN_KEY, None)


def pytest_pycollect_makeitem(collector: pytest.Module | pytest.Class, name: str, obj: object) -> list[CellItem] | None:
    """Makes the items of a case: one for each of its cells in the plan."""
    declaration = declaration_of(obj)
    if declaration is None:
        return None
    function = cast("CaseFunction", obj)
    plan = _plan(collector.config)
    ids = case_ids(collector.path, name, declaration) if plan else ()
    return [CellItem.of(collector, name, function, cell) for one in ids for cell in (plan.cells_of(one) if plan else ())]


class CellItem(pytest.Item):
    """A cell. It is much smaller than an item of a parametrized function, of which a worker would have thousands."""

    function: CaseFunction
    planned: PlannedCell

    @classmethod
    def of(cls, parent: pytest.Module | pytest.Class, name: str, function: CaseFunction, planned: PlannedCell) -> CellItem:
        """Makes the item.

        Args:
            parent: the file of the case.
            name: the function's.
            function: the case.
            planned: the cell.
        """
        point = planned.id.point
        at = "" if point is None else f"{AT_POINT}{point.value}"
        named = f"{name}{at}[{planned.id.sdk}/{planned.id.host}]"
        item: CellItem = cls.from_parent(parent, name=named)
        item.keywords, item.extra_keyword_matches = parent.keywords, _NO_KEYWORDS  # both would be large, and are not used
        item.function, item.planned = function, planned
        return item

    def runtest(self) -> None:
        """Runs the case through the judge, so that every way to end becomes a result."""
        plan = _plan(self.config)
        assert plan is not None, "expected a plan, as the item was made of one"
        observer = self.config.stash.get(OBSERVER_KEY, UNOBSERVED)
        overdue = Blocked(f"the cell is not done after {CELL_S:g} s, though no wait in it was that long")

        def case(cell: Cell) -> None:
            with contextlib.nullcontext() if observer.is_interactive else bounded(CELL_S, overdue):
                self.function(cell)

        result = run_cell(plan, self.planned, _upstream_port(self.config), case, observer)
        self.user_properties.append((_PROPERTY, msgspec.json.encode(result).decode()))
        _end_as_judged(self, plan, self.planned, result)

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: TracebackStyle | None = None
    ) -> str | TerminalRepr:
        """Returns the text of an end that is as judged; only for others pytest reads the sources, which takes some MB."""
        if isinstance(excinfo.value, pytest.fail.Exception):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Returns where the case is."""
        return self.path, self.function.__code__.co_firstlineno - 1, self.name


def _upstream_port(config: pytest.Config) -> int:
    """Returns the port of the server behind the Envoys of this process, which runs from its first use on."""
    port = config.stash.get(UPSTREAM_KEY, None)
    if port is None:
        running = contextlib.ExitStack()
        port = config.stash[UPSTREAM_KEY] = running.enter_context(upstream_server())
        config.add_cleanup(running.close)
    return port


def _end_as_judged(item: pytest.Item, plan: Plan, planned: PlannedCell, result: CellResult) -> None:
    """Ends the pytest item so that it is red only where the run would be."""
    records = item.config.stash[RECORDS_KEY]
    classified = classify(plan, planned, result, records)
    judgement, record = classified.judgement, classified.record
    text = f"{result.outcome.value}: {result.detail}"
    if judgement in (Judgement.FAIL, Judgement.ERROR):
        pytest.fail(text, pytrace=False)
    if judgement is Judgement.MISMATCH:
        pytest.fail(f"static/run-time mismatch: {classified.mismatch}", pytrace=False)
    if judgement is Judgement.CHANGED:
        pytest.fail(f"changed fact: {'; '.join(one.words for one in classified.changed)}", pytrace=False)
    if judgement is Judgement.XPASS and record:
        pytest.fail(f"known failure {record.id} no longer applies ({text}); remove or correct it", pytrace=False)
    if judgement is Judgement.SKIP:
        pytest.skip(text)
    if result.outcome is not Outcome.PASS:
        why = f"known failure {record.id}" if record else f"{planned.relation.value}, informational"
        pytest.xfail(f"{why}: {text}")


class ResultWriter:
    """A pytest plugin that writes each result as it comes in, so that an interrupted run loses nothing.

    Attributes:
        unwritten: the lines that the disk had no room for.
    """

    def __init__(self, path: Path) -> None:
        self._sink = path.open("wb", buffering=0)
        self.unwritten: list[bytes] = []

    def _write(self, line: bytes) -> None:
        begun = b"\n" if self.unwritten else b""  # the last one may be there in part
        whole = begun + line + b"\n"
        try:
            complete = self._sink.write(whole) == len(whole)
        except OSError:
            complete = False
        if not complete:
            self.unwritten.append(line)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for name, value in report.user_properties:
            if name == _PROPERTY and report.when == "call" and isinstance(value, str):
                self._write(value.encode())

    def pytest_unconfigure(self) -> None:
        self._sink.close()


def pytest_sessionstart(session: pytest.Session) -> None:
    if hasattr(session.config, "workerinput") or _plan(session.config) is None:
        return
    plugins = session.config.pluginmanager
    if any(isinstance(one, ResultWriter) for one in plugins.get_plugins()):
        return
    folder = Path(session.config.option.dm_plan).parent
    plugins.register(ResultWriter(folder / RESULTS_FILE), "dmconform-results")


def pytest_report_header(config: pytest.Config) -> list[str]:
    plan = _plan(config)
    if plan is None:
        return []
    hosts = ", ".join(host.host.id for host in plan.hosts)
    variables = sorted({f"{name}={value}" for sdk in plan.sdks for name, value in sdk.host_environment.items()})
    return [
        f"dmconform: {len(plan.cells)} cells, {len(plan.sdks)} SDK versions, hosts {hosts}",
        f"dmconform: environment given to hosts where an SDK needs it: {', '.join(variables) or 'none'}",
        f"dmconform: {PLAN_FILE} in {Path(config.option.dm_plan).parent}",
    ]


def read_results(folder: Path, unwritten: Sequence[bytes] = ()) -> dict[str, CellResult]:
    """Returns the results that a run left in a folder, by cell id. A line that was cut off is left out.

    Args:
        folder: of the run.
        unwritten: further lines, which the disk had no room for.
    """
    path = folder / RESULTS_FILE
    results: dict[str, CellResult] = {}
    for line in (*(path.read_bytes().splitlines() if path.exists() else ()), *unwritten):
        try:
            result = msgspec.json.decode(line, type=CellResult)
        except msgspec.DecodeError:
            continue
        results[str(result.id)] = result
    return results
