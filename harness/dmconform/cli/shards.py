"""`dmconform plan` and `dmconform merge`."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from dmconform.cli.options import add_selectors
from dmconform.cli.report_options import add_format, report_file
from dmconform.core import paths
from dmconform.core.errors import ExitCode, UsageError

_PLAN_EPILOG = f"""\
examples:
  dmconform plan --shards 4
  dmconform plan --shards 4 --format json      (the matrix of a CI job: {{"shard": ["1/4", "2/4", "3/4", "4/4"]}})
  dmconform run --shard 2/4 --out shard-2      (on each machine its own)
  dmconform merge shard-1 shard-2 shard-3 shard-4 --out whole
  dmconform plan --measure {paths.RUNS}/TIME/report.json   (of a checkout: writes conformance/costs.json anew)

Shards are the same on every machine with the same suite and the same options: cells are split by what they were measured to
cost, and those of one SDK version stay together, so that few are built twice.

exit codes: 0 done, 2 wrong usage, 3 the selection is empty
"""
_MERGE_EPILOG = """\
examples:
  dmconform merge shard-1 shard-2 shard-3 --out whole
  dmconform merge downloaded/* --out whole

Each argument is the folder of a report (or its report.json) of dmconform run --shard. Shards of another suite, plan, host or
module, a shard that is missing or there twice, and whole reports are refused.

exit codes: as dmconform run has them for the whole; 2 where the shards do not fit together
"""


def add_plan_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `plan` to the command line."""
    text = "Show how a run would be split over several machines. Nothing is built or run."
    parser = commands.add_parser(
        "plan", help=text, description=text, formatter_class=argparse.RawDescriptionHelpFormatter, epilog=_PLAN_EPILOG
    )
    add_selectors(parser)
    parser.add_argument("--shards", type=int, default=1, metavar="N", help="how many parts (default: 1)")
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="json: the matrix of a CI job (default: text)"
    )
    parser.add_argument(
        "--measure", type=report_file, metavar="REPORT", help="take the costs of cells from this report, and keep them"
    )
    parser.set_defaults(run=run_plan)


def run_plan(arguments: argparse.Namespace) -> int:
    """Shows the shards."""
    from dmconform.matrix import costs
    from dmconform.report.reading import read_report

    if arguments.measure is not None:
        paths.checkout("plan --measure writes conformance/costs.json")
        measured = costs.measure(read_report(arguments.measure))
        if not measured.seconds:
            raise UsageError(f"--measure {arguments.measure}: no cell of it ran")
        costs.write_costs(measured)
        print(f"written: {costs.FILE.name}, from {arguments.measure}")
        return ExitCode.OK
    if arguments.shards < 1:
        raise UsageError(f"--shards {arguments.shards}: expected a number from 1 on")
    if arguments.format == "json":
        import json

        print(json.dumps({"shard": [f"{index}/{arguments.shards}" for index in range(1, arguments.shards + 1)]}))
        return ExitCode.OK
    _show(arguments)
    return ExitCode.OK


def _show(arguments: argparse.Namespace) -> None:
    from dmconform.hosts.catalogue import KnownHost
    from dmconform.hosts.selection import select_hosts
    from dmconform.matrix.costs import load_costs, total
    from dmconform.matrix.split import split
    from dmconform.spec.catalogue import load_catalogue
    from dmconform.spec.cells import plan_cells
    from dmconform.spec.selectors import select_cases, select_sdks

    catalogue = load_catalogue()
    chosen = select_hosts(arguments.host, catalogue.hosts)
    hosts = [host for host in chosen if isinstance(host, KnownHost)]
    if len(hosts) < len(chosen):
        raise UsageError(
            "--host path:, image:: nothing is fetched here, so their cells are not known; --format json does without"
        )
    sdks, _ = select_sdks(arguments.sdk, catalogue.sdks)
    cases = select_cases(arguments.case, catalogue.cases)
    pairs = [(host.release, host.version.minor) for host in hosts]
    cells = plan_cells(cases, sdks, pairs, everywhere=arguments.everywhere)
    if arguments.shards > len(cells):
        raise UsageError(f"--shards {arguments.shards}: the selection has {len(cells)} cells only")
    costs = load_costs()
    print(f"{'shard':>7} {'cells':>6} {'SDKs':>5} {'cost':>8}")
    for index, part in enumerate(split(cells, arguments.shards, costs), 1):
        cost = total((one.id.case for one in part), costs)
        name = f"{index}/{arguments.shards}"
        print(f"{name:>7} {len(part):>6} {len({one.id.sdk for one in part}):>5} {cost:>7.1f}s")
    print(f"cost: seconds of one worker at most, as measured ({costs.measured}); cells that do not apply cost next to nothing")


def add_merge_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `merge` to the command line."""
    text = "Join the reports of all shards of a run into one."
    parser = commands.add_parser(
        "merge", help=text, description=text, formatter_class=argparse.RawDescriptionHelpFormatter, epilog=_MERGE_EPILOG
    )
    parser.add_argument("reports", nargs="+", type=report_file, metavar="SHARD", help="folder of a shard, or its report.json")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="new folder for the whole report")
    add_format(parser)
    parser.set_defaults(run=run_merge)


def run_merge(arguments: argparse.Namespace) -> int:
    """Joins reports, and prints the whole as a run does."""
    from dmconform.cli.report_options import print_report
    from dmconform.core.terminal import safe_message
    from dmconform.matrix.execute import make_report_folder, write_reports
    from dmconform.matrix.merge import merge
    from dmconform.report.copying import copy_named
    from dmconform.report.reading import read_report
    from dmconform.spec.catalogue import load_catalogue

    files: list[Path] = arguments.reports
    reports = [read_report(file) for file in files]
    names = [str(path) for path in files]
    whole = merge(list(zip(names, reports, strict=True)), [case.id for case in load_catalogue().cases])
    folder = make_report_folder(arguments.out)
    try:
        for file, report in zip(files, reports, strict=True):
            named = {cell.evidence for cell in report.cells} | {sdk.build_log for sdk in report.sdks}
            for one in copy_named(file.parent, sorted(filter(None, named)), folder):
                print(safe_message(f"dmconform: {file.parent}: {one!r} is a link, or no file: not copied"), file=sys.stderr)
        write_reports(whole, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    print_report(arguments.format, whole, folder)
    return whole.exit_code
