"""`python -m tests.attack`: hostile files, hostile modules and bad luck against the tool, seeded and bounded in time."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from dmconform.core.errors import ExitCode

from tests.attack.attack import Attack
from tests.attack.attacks import ATTACKS
from tests.attack.campaign import Campaign
from tests.attack.result import NoPlace, Result, table, with_table
from tests.checkout import ROOT

SEED = 20_261_130  # CI's: what it finds is found again
KEEP = ROOT / "reports" / "local" / "attack"
_LONGEST = 2_000  # characters of a failure


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./toxw -e attack --", description=__doc__.partition(": ")[2] if __doc__ else "")
    parser.add_argument("--list", action="store_true", help="list the attacks")
    parser.add_argument("--attack", action="append", default=[], metavar="NAME", help="only this one; may be repeated")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N", help=f"of all generators (default: {SEED})")
    parser.add_argument("--minutes", type=float, default=10.0, metavar="N", help="for all attacks together (default: 10)")
    parser.add_argument("--tries", type=int, metavar="N", help="of each attack (default: as many as the figures ask for)")
    parser.add_argument("--only", type=int, metavar="N", help="make this try of one attack again")
    parser.add_argument("-n", dest="at_once", type=int, choices=(1, 2), default=2, help="tries at once (default: 2)")
    parser.add_argument("--keep", type=Path, default=KEEP, metavar="DIR", help="where inputs of failures go")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table into this page")
    return parser


def main(words: Sequence[str] | None = None, attacks: Sequence[Attack] = ATTACKS) -> int:
    """Attacks; returns the exit code: 0 nothing failed, 1 something did, 4 an attack could not be made."""
    parser = _parser()
    chosen = parser.parse_args(words)
    if chosen.list:
        print(*(f"{one.name}: {one.aim:,} tries" for one in attacks), sep="\n")
        return ExitCode.OK
    unknown = sorted({*chosen.attack} - {one.name for one in attacks})
    if unknown:
        parser.error(f"no attack {unknown[0]!r}; --list shows all")
    selected = [one for one in attacks if one.name in chosen.attack or not chosen.attack]
    if chosen.only is not None and len(selected) != 1:
        parser.error("--only: expected the --attack whose try it is")
    campaign = Campaign(chosen.seed, 60 * chosen.minutes, chosen.keep, chosen.tries, chosen.only, chosen.at_once)
    begun = time.monotonic()
    results = list(campaign.run(selected))
    print(*table(results), sep="\n")
    print(f"\nseed {chosen.seed}, {time.monotonic() - begun:.0f} s")
    for result in results:
        _show(result, chosen.seed)
    if chosen.markdown is not None and not _written(chosen.markdown, attacks, results):
        return ExitCode.ERROR
    if any(result.failures for result in results):
        return ExitCode.FAIL
    return ExitCode.ERROR if any(result.trouble for result in results) else ExitCode.OK


def _show(result: Result, seed: int) -> None:
    """Prints what went wrong, and how to see it again."""
    name = result.attack.name
    for one in result.failures:
        print(f"\n{name}, try {one.number}: {one.words[:_LONGEST]}")
        if one.kept is not None:
            print(f"its input: {one.kept}")
        print(f"again: ./toxw -e attack -- --attack {name!r} --seed {seed} --only {one.number}")
    if result.trouble is not None:
        print(f"\n{name} could not be gone on with: {result.trouble}", file=sys.stderr)


def _written(page: Path, attacks: Sequence[Attack], results: Sequence[Result]) -> bool:
    try:
        text = with_table(page.read_text(encoding="utf-8"), attacks, results)
        page.write_text(text, encoding="utf-8")
    except (OSError, NoPlace) as error:
        print(f"{page}: {error}", file=sys.stderr)
        return False
    return True
