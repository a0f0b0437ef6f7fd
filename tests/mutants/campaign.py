"""All mutants on all hosts: the control first, then each with its cases in turn, until one notices it."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dmconform.core.errors import HarnessError
from dmconform.hosts.catalogue import KnownHost

from tests.mutants.catalogue import Mutant
from tests.mutants.score import Fate, Tried
from tests.mutants.trial import Seen
from tests.mutants.worker import Task, begin, run

Cell = tuple[str, str, str]  # case, SDK, host
_NOT_APPLICABLE: Final = "not applicable"


class ControlFailedError(HarnessError):
    """An error: cells do not end as they are expected to, without any mutant."""


@dataclass
class Campaign:
    """Runs the cells of mutants in a pool of processes."""

    plan_file: Path
    library: Path
    hosts: Mapping[str, KnownHost]
    say: Callable[[str], None]
    keep: Path  # for the evidence of survivors
    processes: int = os.cpu_count() or 1
    _controls: dict[Cell, Seen] = field(default_factory=dict)

    @contextlib.contextmanager
    def _pool(self) -> Iterator[ProcessPoolExecutor]:
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self.processes, context, begin, (self.plan_file, self.library))
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)

    def run(self, mutants: Sequence[Mutant], further: Sequence[str] = ()) -> list[Tried]:
        """Tries each mutant on each host that it concerns.

        Args:
            mutants: those that count.
            further: cases that survivors are tried with too, to see who would notice.

        Raises:
            ControlFailedError: a cell does not end as expected without a mutant.
            HarnessError: a process of the pool has ended.
        """
        tried = [
            Tried(one, host) for one in mutants for host, record in self.hosts.items() if one.concerns(record.version.minor)
        ]
        try:
            with self._pool() as pool:
                self._in_turn(pool, tried, lambda one: one.mutant.noticed_by, self._judge)
                survivors = [one for one in tried if one.fate is Fate.SURVIVED]
                self._in_turn(pool, survivors, lambda one: [case for case in further if case not in one.tried], self._look)
        except BrokenProcessPool as error:
            raise HarnessError(f"a process that runs cells has ended: {error}") from error
        return tried

    def _in_turn(
        self,
        pool: ProcessPoolExecutor,
        tried: Sequence[Tried],
        cases: Callable[[Tried], Sequence[str]],
        judge: Callable[[Tried, str, Seen, Seen], bool],
    ) -> None:
        """Runs the first case of each, then the second of those that `judge` has not done with, and so on."""
        left, turn = list(tried), 0
        while left := [one for one in left if len(cases_of(cases, one)) > turn]:
            cells = {id(one): self._cell(one, cases_of(cases, one)[turn]) for one in left}
            self._control(pool, cells.values())
            futures = {}
            for one in left:
                cell = cells[id(one)]
                if not self._controls[cell].outcome.startswith(_NOT_APPLICABLE):
                    futures[self._submit(pool, cell, one)] = one
            done = set()
            for number, future in enumerate(as_completed(futures), 1):
                one = futures[future]
                cell = cells[id(one)]
                if judge(one, cell[0], future.result(), self._controls[cell]):
                    done.add(id(one))
                self.say(f"{number}/{len(futures)} {one.mutant.id} on {one.host}: {one.fate.value} {one.case} {one.how}")
            left = [one for one in left if id(one) not in done]
            turn += 1

    def _cell(self, one: Tried, case: str) -> Cell:
        return case, one.mutant.sdk_for(self.hosts[one.host].version.minor), one.host

    def _submit(self, pool: ProcessPoolExecutor, cell: Cell, one: Tried) -> Future[Seen]:
        case, sdk, host = cell
        folder = self.keep / one.mutant.id / host / case.replace("/", "-")
        return pool.submit(run, Task(case, sdk, host, one.mutant.words(self.hosts[host]), folder))

    def _control(self, pool: ProcessPoolExecutor, cells: Iterable[Cell]) -> None:
        """Runs the control of cells that have none yet."""
        new = sorted(set(cells) - set(self._controls))
        begun = time.monotonic()
        for cell, seen in zip(new, pool.map(run, [Task(*cell, None, None) for cell in new]), strict=True):
            self._controls[cell] = seen
        bad = [
            f"{'/'.join(cell)}: {self._controls[cell].outcome}, {self._controls[cell].detail}"
            for cell in new
            if not self._controls[cell].is_expected
        ]
        if bad:
            raise ControlFailedError(
                "expected these cells to pass without a mutant, or to fail as is on record:\n  " + "\n  ".join(bad)
            )
        if new:
            self.say(f"control: {len(new)} cells end as expected ({time.monotonic() - begun:.0f} s)")

    @staticmethod
    def _judge(one: Tried, case: str, seen: Seen, control: Seen) -> bool:
        """Notes what a cell shows of a mutant; whether that is enough."""
        one.tried.append(case)
        one.case, one.is_reached = case, one.is_reached or seen.is_reached
        if not seen.is_verdict and not seen.outcome.startswith(_NOT_APPLICABLE):
            one.fate, one.how = Fate.ERROR, seen.detail
            return False
        how = seen.differs_from(control)
        one.fate, one.how = (Fate.SURVIVED, "") if how is None else (Fate.NOTICED, how)
        return how is not None

    @staticmethod
    def _look(one: Tried, case: str, seen: Seen, control: Seen) -> bool:
        """Notes a further case that notices a survivor; all are looked at."""
        how = seen.differs_from(control) if seen.is_verdict else None
        if how is not None:
            one.others[case] = how
        return False


def cases_of(cases: Callable[[Tried], Sequence[str]], one: Tried) -> Sequence[str]:
    """The cases of a mutant on a host, in turn."""
    return cases(one)
