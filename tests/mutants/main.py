"""`python -m tests.mutants`: hosts that are made to misbehave in one way each; the cases must notice every one.

Each mutant is a real Envoy with a library preloaded, which changes one thing of what the executable does. The same cells run
without a mutant first: that is the control, and it must be green. Then each mutant's cases run, the cheapest first, until a
cell ends otherwise than the control's: another outcome, another verdict on the ABI string, another fact.

Exit codes: 0 every mutant is noticed on every host; 1 one survives; 2 a mistake in the command or the catalogue; 3 nothing is
selected; 4 the control is not green, or cells could not be run.

Examples:
  ./toxw -e mutants                                        all of them, on two hosts
  ./toxw -e mutants -- --mutant 'global-*' --host 1.40.0   some, on one host
  ./toxw -e mutants -- --area search --all-cases           which other cases notice what survives?
  ./toxw -e mutants -- --sample 60                         what CI runs
"""

from __future__ import annotations

import argparse
import contextlib
import fnmatch
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from dmconform.core import paths
from dmconform.core.errors import EmptySelection, ExitCode, HarnessError, UsageError
from dmconform.core.removal import remove_tree
from dmconform.core.values import Language
from dmconform.hosts.catalogue import KnownHost, load_hosts
from dmconform.matrix.prepare import Selection, prepare
from dmconform.spec.cases import load_requirements
from dmconform.spec.catalogue import Catalogue, load_catalogue
from dmconform.spec.mutation_score import AreaScore, MutationScore, mutation_score_json

from tests.checkout import ROOT
from tests.mutants.campaign import Campaign
from tests.mutants.catalogue import CATALOGUE, Mutant, areas_of, load_mutants
from tests.mutants.compiling import compiled
from tests.mutants.score import Fate, Tried, scores, table, untried

HOSTS: Final = ("1.40.0", "1.38.2")
SEED: Final = 20_261_130  # CI's: what it finds is found again
KEEP: Final = ROOT / "reports" / "local" / "mutants"


def _parser() -> argparse.ArgumentParser:
    summary, _, rest = (__doc__ or "").partition(": ")[2].partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="./toxw -e mutants --",
        description=summary.capitalize(),
        epilog=rest,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--mutant", action="append", default=[], metavar="GLOB", help="only these ids; may be repeated")
    parser.add_argument("--area", action="append", default=[], metavar="AREA", help="only this area; may be repeated")
    parser.add_argument(
        "--host", action="append", default=[], metavar="RELEASE", help=f"may be repeated (default: {', '.join(HOSTS)})"
    )
    parser.add_argument("--sample", type=int, metavar="N", help="only so many, by chance, spread over the areas")
    parser.add_argument("--seed", type=int, default=SEED, metavar="N", help=f"of the sample (default: {SEED})")
    parser.add_argument("--all-cases", action="store_true", help="try every case on a survivor, and print which notice it")
    parser.add_argument("--list", action="store_true", help="list the selected mutants and run nothing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what became of each mutant into this file")
    parser.add_argument(
        "--write", action="store_true", help="write the score into conformance/mutation_score.json; of all mutants only"
    )
    parser.add_argument("--keep", type=Path, default=KEEP, metavar="DIR", help="for the evidence of survivors")
    parser.add_argument("--catalogue", type=Path, default=CATALOGUE, metavar="DIR", help=argparse.SUPPRESS)
    return parser


def selected(mutants: Sequence[Mutant], arguments: argparse.Namespace) -> tuple[Mutant, ...]:
    """The mutants that the command line asks for.

    Raises:
        UsageError: an area does not exist, or the sample would be empty.
        EmptySelection: no mutant is left.
    """
    unknown = sorted({*arguments.area} - {one.area for one in mutants})
    if unknown:
        raise UsageError(f"--area {unknown[0]}: expected one of {', '.join(sorted({one.area for one in mutants}))}")
    if arguments.sample is not None and arguments.sample < 1:
        raise UsageError(f"--sample {arguments.sample}: expected at least 1")
    found = [
        one
        for one in mutants
        if (not arguments.area or one.area in arguments.area)
        and (not arguments.mutant or any(fnmatch.fnmatchcase(one.id, glob) for glob in arguments.mutant))
    ]
    if not found:
        raise EmptySelection("the selection has no mutant; --list shows all")
    return tuple(found) if arguments.sample is None else sample(found, arguments.sample, arguments.seed)


def sample(mutants: Sequence[Mutant], size: int, seed: int) -> tuple[Mutant, ...]:
    """So many mutants that count, by chance, one of each area in turn.

    Args:
        mutants: to choose from.
        size: how many.
        seed: of the chance.
    """
    chance = random.Random(seed)
    areas: dict[str, list[Mutant]] = {}
    for one in mutants:
        if one.equivalent is None:
            areas.setdefault(one.area, []).append(one)
    for each in areas.values():
        chance.shuffle(each)
    found: list[Mutant] = []
    while len(found) < size and any(areas.values()):
        for each in areas.values():
            if each and len(found) < size:
                found.append(each.pop())
    return tuple(found)


def known_hosts(names: Sequence[str]) -> dict[str, KnownHost]:
    """The hosts of these names, which must be known releases.

    Raises:
        UsageError: one is not.
    """
    known = {one.release: one for one in load_hosts(paths.HOSTS_FILE)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"--host {unknown[0]}: expected a known release, such as 1.40.0 (dmconform list hosts)")
    return {name: known[name] for name in names}


def main(words: Sequence[str] | None = None) -> int:
    """Runs the mutants; returns the exit code."""
    arguments = _parser().parse_args(words)
    try:
        return _main(arguments)
    except HarnessError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


def _main(arguments: argparse.Namespace) -> int:
    catalogue = load_catalogue()
    requirements = load_requirements(paths.SPEC_FILE)
    languages = {one.id: one.declaration.languages for one in catalogue.cases}
    if arguments.write and (arguments.mutant or arguments.area or arguments.host or arguments.sample is not None):
        raise UsageError("--write: expected no selection, as the score is that of all mutants on the default hosts")
    mutants = selected(load_mutants(languages, requirements, arguments.catalogue), arguments)
    if arguments.list:
        for one in mutants:
            print(f"{one.area}/{one.id}: {one.breaks}" + (f" [equivalent: {one.equivalent}]" if one.equivalent else ""))
        print(f"{sum(areas_of(mutants).values())} mutants that count, in {len(areas_of(mutants))} areas")
        return ExitCode.OK
    hosts = known_hosts(arguments.host or HOSTS)
    minors = [host.version.minor for host in hosts.values()]
    mutants = tuple(one for one in mutants if any(one.concerns(minor) for minor in minors))
    counting = [one for one in mutants if one.equivalent is None]
    further = [one.id for one in catalogue.cases if Language.CPP in one.declaration.languages] if arguments.all_cases else []
    begun = time.monotonic()
    for one in counting:
        remove_tree(arguments.keep / one.id)
    with tempfile.TemporaryDirectory(prefix="dmconform-mutants-") as name:
        campaign = _campaign(catalogue, counting, hosts, Path(name), arguments.keep)
        tried = campaign.run(counting, further)
    _remove_evidence(tried, arguments.keep)
    found = scores(mutants, tried)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps([one.as_data() for one in tried], indent=1), encoding="utf-8")
    if arguments.write:
        paths.MUTATION_SCORE_FILE.write_bytes(mutation_score_json(MutationScore(tuple(hosts), len(tried), found)))
    print(*_result(tried, found, arguments.keep), sep="\n")
    print(f"{len(tried)} trials on {', '.join(hosts)} in {time.monotonic() - begun:.0f} s")
    if any(one.fate is Fate.ERROR for one in tried):
        return ExitCode.ERROR
    return ExitCode.OK if all(one.noticed == one.total for one in found) else ExitCode.FAIL


def _remove_evidence(tried: Sequence[Tried], keep: Path) -> None:
    """Removes the evidence of mutants that were noticed."""
    for one in tried:
        if one.fate is Fate.NOTICED:
            remove_tree(keep / one.mutant.id / one.host)
    for folder in keep.glob("*"):
        with contextlib.suppress(OSError):  # another host's evidence is in it
            folder.rmdir()


def _campaign(
    catalogue: Catalogue, mutants: Sequence[Mutant], hosts: dict[str, KnownHost], folder: Path, keep: Path
) -> Campaign:
    minors = [host.version.minor for host in hosts.values()]
    sdks = sorted({one.sdk_for(minor) for one in mutants for minor in minors if one.concerns(minor)})
    if not sdks:
        raise EmptySelection(f"none of these mutants concerns {', '.join(hosts)}")
    (folder / "run").mkdir()
    (folder / "library").mkdir()
    selection = Selection(hosts=tuple(hosts), sdks=tuple(sdks), everywhere=True)
    prepared = prepare(catalogue, selection, folder / "run")
    plan = prepared.plan
    problems = [one for one in (*(sdk.problem for sdk in plan.sdks), *(host.problem for host in plan.hosts)) if one]
    if problems:
        raise HarnessError(f"not everything is available: {problems[0]}")
    return Campaign(prepared.plan_file, compiled(folder / "library"), hosts, lambda text: print(text, flush=True), keep)


def _result(tried: Sequence[Tried], found: Sequence[AreaScore], keep: Path) -> Iterator[str]:
    """The lines that say what survives, and the scores."""
    for one in tried:
        if one.fate not in (Fate.SURVIVED, Fate.ERROR):
            continue
        mutant = one.mutant
        yield f"\n{one.fate.value}: {mutant.id} on {one.host}: {mutant.breaks}"
        yield f"  violates: {mutant.violates}"
        yield f"  expected to notice it: {', '.join(mutant.noticed_by)}; tried {', '.join(one.tried)}"
        if one.fate is Fate.ERROR:
            yield f"  {one.case} could not be run: {one.how}"
        if not one.is_reached:
            yield "  the host never did what the mutant changes: is the case the right one?"
        yield from (f"  {case} notices it: {how}" for case, how in one.others.items())
        yield f"  evidence: {keep / mutant.id / one.host}"
        yield f"  again: ./toxw -e mutants -- --mutant {mutant.id} --host {one.host}"
    for mutant in untried(tried):
        yield f"\nnoticed by nothing: {mutant.id}: none of {', '.join(mutant.noticed_by)} is applicable on these hosts"
    yield ""
    yield from table(found)
