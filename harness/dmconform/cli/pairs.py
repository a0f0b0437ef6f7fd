"""`dmconform pairs`."""

from __future__ import annotations

import argparse

from dmconform.cli.command import Command, Group
from dmconform.cli.options import add_hosts
from dmconform.core.errors import ExitCode, UsageError
from dmconform.core.extension_point import ExtensionPoint


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_hosts(parser, default="the default hosts whose ABI has signatures")
    points = [point.value for point in ExtensionPoint]
    parser.add_argument(
        "--point", action="append", default=[], choices=points, metavar="POINT", help="an extension point, such as http_filter"
    )
    glob = "a glob over names without their common prefix; may be repeated"
    parser.add_argument("--first", action="append", default=[], metavar="GLOB", help=f"the call before; - is none; {glob}")
    parser.add_argument("--then", action="append", default=[], metavar="GLOB", help=f"the callback; {glob}")
    parser.add_argument("--hook", action="append", default=[], metavar="GLOB", help=f"the hook where they are called; {glob}")
    parser.add_argument("--sample", type=int, metavar="N", help="only so many of each host's pairs, the same ones each time")
    parser.add_argument("--write", action="store_true", help="put what was seen on record, which takes all pairs of a hook")
    parser.add_argument("--json", metavar="FILE", help="write the result as JSON too; - is standard output, then alone")


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.cli.output import json_target, put_json
    from dmconform.envoy.temporary import temporary_folder
    from dmconform.measure.pairs.present import as_result, print_pairs
    from dmconform.measure.pairs.request import PairRequest, run_pairs, write_records

    if arguments.sample is not None and arguments.sample < 1:
        raise UsageError(f"--sample {arguments.sample}: expected a number of pairs, at least 1")
    request = PairRequest(
        tuple(arguments.host),
        tuple(arguments.point),
        tuple(arguments.first),
        tuple(arguments.then),
        tuple(arguments.hook),
        arguments.sample,
        afresh=arguments.write,
    )
    if arguments.write and not request.whole_hooks:
        raise UsageError("--write together with a selection of pairs: the record of a hook has all of them")
    json_target(arguments.json)
    with temporary_folder("pairs") as folder:
        compared = run_pairs(request, folder)
    if arguments.write:
        write_records(compared)
    put_json(arguments.json, lambda: as_result(compared), lambda: print_pairs(compared))
    if any(one.changes for one in compared) and not arguments.write:
        return ExitCode.FAIL
    return ExitCode.ERROR if any(one.blocked if arguments.write else one.not_run for one in compared) else ExitCode.OK


COMMAND = Command(
    name="pairs",
    group=Group.DISTRIBUTORS,
    summary="Pairs of calls: one callback after another in each hook, in real Envoys.",
    description="Makes a generated module call, in each hook of each extension point, each callback, and each after one that "
    "ends or redirects the stream or connection. Shows which end or hang an Envoy, which hooks run inside a call, and which "
    "get an object that was destroyed, and compares that with what is on record in conformance/pairs.",
    examples="""
dmconform pairs --host 1.40.0 --sample 100  # the same hundred each time
dmconform pairs --hook listener_filter_on_accept  # on all default hosts
dmconform pairs --first http_send_response --then 'http_get_*'
dmconform pairs --write  # all pairs, put on record; about 20 minutes
dmconform pairs --hook '*_watermark' --write  # of some hooks; the rest stays
""",
    exit_codes={
        0: "all pairs end as it is on record",
        1: "one does not, or a record no longer applies",
        4: "something could not be run: a host or the compiler is out of reach, a hook that was reached before is not, an "
        "update came to nothing; or the command was interrupted",
    },
    add_arguments=_add_arguments,
    run=_run,
)
