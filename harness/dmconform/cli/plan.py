"""`dmconform plan`."""

from __future__ import annotations

import argparse

from dmconform.cli.command import Command, Group
from dmconform.cli.options import add_selectors, refuse_without_effect, report_file
from dmconform.core import paths
from dmconform.core.errors import ExitCode, UsageError


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_selectors(parser)
    parser.add_argument("--shards", type=int, default=1, metavar="N", help="how many parts (default: 1)")
    parser.add_argument(
        "--format",
        choices=("text", "json", "github"),
        default="text",
        help="json: the matrix of a CI job; github: that, and as the output `shards` of the job's step (default: text)",
    )
    parser.add_argument(
        "--measure", type=report_file, metavar="REPORT", help="take the costs of cells from this report, and keep them"
    )


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.matrix import costs
    from dmconform.report.reading import read_report

    if arguments.measure is not None:
        others = ("host", "sdk", "case", "everywhere", "shards", "format")
        refuse_without_effect(arguments, others, "--measure: it takes costs from a report, and plans nothing")
        paths.checkout("plan --measure writes conformance/costs.json")
        measured = costs.measure(read_report(arguments.measure))
        if not measured.seconds:
            raise UsageError(f"--measure {arguments.measure}: no cell of it ran")
        costs.write_costs(measured)
        print(f"written: {costs.FILE.name}, from {arguments.measure}")
        return ExitCode.OK
    if arguments.shards < 1:
        raise UsageError(f"--shards {arguments.shards}: expected a number from 1 on")
    if arguments.format != "text":
        import json

        _refuse_mistakes(arguments)

        from dmconform.report.github import set_output

        matrix = json.dumps({"shard": [f"{index}/{arguments.shards}" for index in range(1, arguments.shards + 1)]})
        print(matrix)
        if arguments.format == "github":
            set_output("shards", matrix)
        return ExitCode.OK
    _show(arguments)
    return ExitCode.OK


def _refuse_mistakes(arguments: argparse.Namespace) -> None:
    """Refuses a selection that makes no sense, or has fewer cells than parts are asked for."""
    from dmconform.hosts.catalogue import KnownHost
    from dmconform.hosts.selection import select_hosts
    from dmconform.spec.catalogue import load_catalogue
    from dmconform.spec.cells import plan_cells
    from dmconform.spec.selectors import select_cases, select_sdks

    catalogue = load_catalogue()
    hosts = select_hosts(arguments.host, catalogue.hosts)
    sdks, _ = select_sdks(arguments.sdk, catalogue.sdks)
    cases = select_cases(arguments.case, catalogue.cases)
    pairs = [(one.release, one.version.minor) for one in hosts if isinstance(one, KnownHost)]
    if len(pairs) == len(hosts):
        _refuse_too_many(arguments.shards, len(plan_cells(cases, sdks, pairs, everywhere=arguments.everywhere)))


def _refuse_too_many(shards: int, cells: int) -> None:
    if shards > cells:
        raise UsageError(f"--shards {shards}: the selection has {cells} cells only")


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
    _refuse_too_many(arguments.shards, len(cells))
    costs = load_costs()
    print(f"{'shard':>7} {'cells':>6} {'SDKs':>5} {'cost':>8}")
    for index, part in enumerate(split(cells, arguments.shards, costs), 1):
        cost = total((one.id.case for one in part), costs)
        name = f"{index}/{arguments.shards}"
        print(f"{name:>7} {len(part):>6} {len({one.id.sdk for one in part}):>5} {cost:>7.1f}s")
    print(f"cost: seconds of one worker at most, as measured ({costs.measured}); cells that do not apply cost next to nothing")


COMMAND = Command(
    name="plan",
    group=Group.RELEASE_MANAGERS,
    summary="Show how a run would be split over several machines. Nothing is built or run.",
    examples=f"""
dmconform plan --shards 4
dmconform plan --shards 4 --format json  # the matrix of a CI job
dmconform run --shard 2/4 --out shard-2  # one part, on each machine another
dmconform merge shard-1 shard-2 shard-3 shard-4 --out whole
dmconform plan --measure {paths.RUNS}/TIME  # rewrites conformance/costs.json
""",
    notes="Shards are the same on every machine with the same suite and the same options: cells are split by what they were "
    "measured to cost, and those of one SDK version stay together, so that few are built twice. --measure needs a checkout.",
    exit_codes={0: "the plan is printed, or the costs are written", 3: "the selection is empty"},
    add_arguments=_add_arguments,
    run=_run,
)
