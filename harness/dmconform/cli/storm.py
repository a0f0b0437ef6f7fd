"""`dmconform storm`."""

from __future__ import annotations

import argparse
from pathlib import Path

from dmconform.cli.command import Command, Group
from dmconform.cli.options import add_hosts
from dmconform.core.errors import ExitCode, UsageError

_SECONDS = 20.0
_CLIENTS, _THREADS, _WORKERS, _UPDATE_EVERY = 12, 4, 2, 0.2
_MOST_THREADS = 16


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_hosts(parser, default="the default hosts from 1.37 on")
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="of the plan: the same gives the same plan (default: 1)"
    )
    parser.add_argument(
        "--seconds", type=float, default=_SECONDS, metavar="S", help=f"how long it goes over each host (default: {_SECONDS:g})"
    )
    parser.add_argument("--clients", type=int, default=_CLIENTS, metavar="N", help=f"clients at once (default: {_CLIENTS})")
    parser.add_argument(
        "--threads",
        type=int,
        default=_THREADS,
        metavar="N",
        help=f"threads of each module, at most {_MOST_THREADS} (default: {_THREADS})",
    )
    parser.add_argument("--workers", type=int, default=_WORKERS, metavar="N", help=f"workers of Envoy (default: {_WORKERS})")
    parser.add_argument(
        "--update-every",
        type=float,
        default=_UPDATE_EVERY,
        metavar="S",
        help=f"seconds between updates that swap the module; 0: none (default: {_UPDATE_EVERY:g})",
    )
    parser.add_argument("--json", metavar="FILE", help="write the result as JSON too; - is standard output, then alone")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="new folder for the Envoys' files (default: none is kept)")


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.cli.output import json_target, kept_folder, put_json
    from dmconform.measure.storm.request import StormRequest, run_request
    from dmconform.measure.storm.result import as_json, print_storms
    from dmconform.measure.storm.run import Strength

    for name, most in (("clients", None), ("threads", _MOST_THREADS), ("workers", None), ("seconds", None)):
        value = getattr(arguments, name)
        if value <= 0 or (most is not None and value > most):
            raise UsageError(f"--{name} {value:g}: expected {f'1 to {most}' if most else 'more than 0'}")
    if arguments.update_every < 0:
        raise UsageError(f"--update-every {arguments.update_every:g}: expected 0 or more")
    if not 0 <= arguments.seed < 1 << 20:
        raise UsageError(f"--seed {arguments.seed}: expected 0 to {(1 << 20) - 1}")
    json_target(arguments.json)
    strength = Strength(arguments.clients, arguments.threads, arguments.workers, arguments.update_every)
    with kept_folder("storm", arguments.keep) as folder:
        storms = run_request(StormRequest(arguments.seed, arguments.seconds, tuple(arguments.host), strength), folder)
    put_json(arguments.json, lambda: as_json(storms), lambda: print_storms(storms))
    if storms.lost:
        return ExitCode.FAIL
    return ExitCode.ERROR if storms.incomplete else ExitCode.OK


COMMAND = Command(
    name="storm",
    group=Group.DISTRIBUTORS,
    summary="Storms: clients that leave at random moments while threads of a module commit events and updates swap modules.",
    description="Lets clients of HTTP/1.1, HTTP/2 and TLS begin requests and leave at random moments, while threads of a "
    "module commit events to their streams and updates swap the module for another, and says how each host came through. The "
    "plan follows from the seed; when which thread runs does not, so that a race shows sooner or later, and not each time.",
    examples="""
dmconform storm  # default hosts, 20 seconds each
dmconform storm --host 1.38.2 --update-every 0  # one host, no updates
dmconform storm --seed 7 --clients 48 --keep storm-7  # files stay
""",
    exit_codes={
        0: "every host lives",
        1: "a host ended by itself, or hangs",
        4: "a host was not tried: it or the compiler is out of reach, it refuses the module, or its ABI is not known; or the "
        "command was interrupted",
    },
    add_arguments=_add_arguments,
    run=_run,
)
