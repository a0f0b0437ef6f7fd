"""Makes the tries of attacks: some at once, within a time, each try bounded."""

from __future__ import annotations

import itertools
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from pathlib import Path

from tests.attack.attack import Attack, Try
from tests.attack.result import Failure, Result
from tests.attack.worker import Trouble, Worker, try_folder

TRY_S = 180.0  # longer than any time-out in an attack: what is not done by then hangs
_PROGRESS_S = 5.0
_SHOWN = 300  # characters of a failure, while it goes on


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Campaign:
    """How attacks are made.

    Attributes:
        seed: of all generators.
        seconds: for all attacks; each gets its share of what is left when it begins, and at least one try.
        keep: where the folder of a try that failed goes.
        tries: of each attack, instead of its aim.
        only: the number of the only try.
        at_once: how many tries are made at once.
        try_s: how long a try may take; then it is ended, and has failed.
        say: shows progress.
    """

    seed: int
    seconds: float
    keep: Path
    tries: int | None = None
    only: int | None = None
    at_once: int = 2
    try_s: float = TRY_S
    say: Callable[[str], None] = _say

    def run(self, attacks: Sequence[Attack]) -> Iterator[Result]:
        """Makes attacks, one after the other, and yields what came of each."""
        end = time.monotonic() + self.seconds
        with tempfile.TemporaryDirectory(prefix="attack-", ignore_cleanup_errors=True) as folder:
            for place, attack in enumerate(attacks):
                left = max(0.0, end - time.monotonic())
                seconds = left * attack.share / sum(one.share for one in attacks[place:])
                yield _Run(self, attack, Path(folder), time.monotonic() + seconds).result()

    def numbers(self, attack: Attack) -> Iterable[int]:
        """Returns the numbers of the tries to make."""
        return range(attack.aim if self.tries is None else self.tries) if self.only is None else (self.only,)


class _Run:
    """One attack of a campaign."""

    def __init__(self, campaign: Campaign, attack: Attack, folder: Path, end: float) -> None:
        self._campaign = campaign
        self._folder = folder
        self._end = end
        numbers = list(campaign.numbers(attack))
        self._planned = len(numbers)
        self._numbers = iter(numbers)
        self._result = Result(attack)
        self._begun = time.monotonic()
        self._shown = self._begun
        self._workers: list[Worker] = []

    def result(self) -> Result:
        attack = self._result.attack
        try:
            self._workers = [self._worker() for _ in range(min(self._campaign.at_once, self._planned))]
            first = itertools.islice(self._numbers, 1)  # the one that is made however little time there is
            while self._workers and self._result.trouble is None:
                for worker in self._workers:
                    if worker.running is None:
                        number = next(first, None)
                        if number is None and time.monotonic() < self._end:
                            number = next(self._numbers, None)
                        if number is not None:
                            worker.start(number)
                if all(worker.running is None for worker in self._workers):
                    break
                self._take()
        finally:
            for worker in self._workers:
                worker.end()
        self._show(f"{attack.name}: done")
        return self._result

    def _worker(self) -> Worker:
        return Worker(self._result.attack, self._campaign.seed, self._folder)

    def _take(self) -> None:
        """Waits for the next try to be done, and takes what came of it; ends what takes too long."""
        running = {worker.connection: worker for worker in self._workers if worker.running is not None}
        due = min(worker.started for worker in running.values()) + self._campaign.try_s
        ready = wait(list(running), max(0.0, min(due - time.monotonic(), _PROGRESS_S)))
        for worker in [running[one] for one in ready]:  # type: ignore[index]  # they are the connections that it was given
            number = worker.running
            assert number is not None
            found = worker.result()
            if isinstance(found, Trouble):
                self._result = replace(self._result, trouble=found.words)
                return
            self._add(number, found)
        for worker in [one for one in self._workers if one.running is not None]:
            took_s = time.monotonic() - worker.started
            if took_s > self._campaign.try_s:
                assert worker.running is not None
                worker.end()
                self._workers[self._workers.index(worker)] = self._worker()
                words = f"it hangs: it was not done within {self._campaign.try_s:g} s"
                self._add(worker.running, Try(words, 0.0, took_s, 0))
        if time.monotonic() - self._shown > _PROGRESS_S:
            self._shown = time.monotonic()
            self._show(self._result.attack.name)

    def _add(self, number: int, found: Try) -> None:
        failure = None
        if found.failure is not None:
            failure = Failure(number, found.failure, self._kept(number))
            self._campaign.say(f"{self._result.attack.name}: try {number} failed: {found.failure[:_SHOWN]}")
        self._result = self._result.with_try(found, failure)

    def _kept(self, number: int) -> Path | None:
        """Moves the folder of a try to where it is kept, and returns that."""
        attack = self._result.attack
        made = try_folder(self._folder, attack, number)
        kept = try_folder(self._campaign.keep, attack, number)
        shutil.rmtree(kept, ignore_errors=True)
        kept.parent.mkdir(parents=True, exist_ok=True)
        return Path(shutil.move(made, kept)) if made.exists() else None

    def _show(self, what: str) -> None:
        found = self._result
        took_s = time.monotonic() - self._begun
        self._campaign.say(
            f"{what}: {found.tries:,} of {self._planned:,} tries, {len(found.failures)} failures, {took_s:.0f} s"
        )
