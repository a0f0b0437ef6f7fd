"""Since when each cell fails, when it held last, and which answers a run has lost: runs are added one by one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from dmconform.core.values import Relation
from dmconform.report.comparison.compare import CellAnswer, answer_of
from dmconform.report.schema import CellEntry, Report


@dataclass
class _State:
    """The answers of a cell so far; runs by their number."""

    answer: CellAnswer
    since: int  # the first run of the present answer
    last_held: int | None = None
    earlier: int = 0  # how often it failed and held again before
    is_lost: bool = False  # the newest run that planned it has no answer
    last: int = 0  # the newest run with an answer


@dataclass(frozen=True)
class Since:
    """Since when a cell fails. A run without an answer of it changes nothing."""

    cell: CellEntry
    first: int  # the run in which it failed first, of those since it held last
    last_held: int | None  # None: no run has seen it hold
    earlier: int  # how often it failed and held again before that


@dataclass(frozen=True)
class Turn:
    """A supported cell that held and fails now, or that had an answer and has none now."""

    cell: CellEntry
    before: int  # the run of the answer that it had
    held: bool  # that answer


@dataclass(frozen=True)
class Turns:
    """What became worse with a run."""

    regressions: tuple[Turn, ...] = ()
    lost: tuple[Turn, ...] = ()


@dataclass
class Ledger:
    """The history of all cells, by their ids. A build that is no known release has another id each time, and so no history."""

    _cells: dict[str, _State] = field(default_factory=dict)

    def add(self, run: int, report: Report) -> Turns:
        """Adds a run that began after all others, and returns what became worse with it."""
        regressions, lost = [], []
        for cell in report.cells:
            now = answer_of(cell)
            state = self._cells.get(cell.id)
            is_supported = cell.relation is Relation.SUPPORTED
            if now is CellAnswer.NONE:
                if state is not None and not state.is_lost:
                    state.is_lost = True
                    if is_supported:
                        lost.append(Turn(cell, state.last, state.answer is CellAnswer.HOLDS))
                continue
            if state is None:
                self._cells[cell.id] = _State(now, run, run if now is CellAnswer.HOLDS else None, last=run)
                continue
            if now is CellAnswer.FAILS and state.answer is CellAnswer.HOLDS and is_supported:
                regressions.append(Turn(cell, state.last, held=True))
            if now is not state.answer:
                state.earlier += now is CellAnswer.HOLDS
                state.answer, state.since = now, run
            if now is CellAnswer.HOLDS:
                state.last_held = run
            state.is_lost, state.last = False, run
        return Turns(tuple(regressions), tuple(lost))

    def since(self, cells: Iterable[CellEntry]) -> tuple[Since, ...]:
        """Returns since when each of the cells fails that the run added last has seen fail."""
        found = []
        for cell in cells:
            state = self._cells.get(cell.id)
            if state is not None and answer_of(cell) is CellAnswer.FAILS:
                found.append(Since(cell, state.since, state.last_held, state.earlier))
        return tuple(found)
