"""`dmconform check`."""

from __future__ import annotations

import argparse
from pathlib import Path

from dmconform.cli.command import Command, Group
from dmconform.cli.options import add_exit_zero, add_hosts
from dmconform.core import paths
from dmconform.core.errors import ExitCode, UsageError


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("module", type=Path, metavar="MODULE.so", help="the module's file")
    add_hosts(parser, default="newest patch of each minor")
    parser.add_argument("--no-run", action="store_true", help="only read it: nothing of the module is run, nothing downloaded")
    parser.add_argument("--json", metavar="FILE", help="write the result as JSON too; - is standard output, then alone")
    parser.add_argument("--extension-point", metavar="P", help="what it is for, such as http_filter or access_logger")
    parser.add_argument(
        "--filter-name", metavar="N", help="the name that the host hands to it (default: as its file is called)"
    )
    parser.add_argument(
        "--filter-config", metavar="TEXT|@FILE", help="its configuration: text, or JSON with @type for another message"
    )
    parser.add_argument("--env", action="append", default=[], metavar="K=V", help="a variable of the hosts; may be repeated")
    parser.add_argument(
        "--settings", type=Path, metavar="FILE.toml", help="all of that in a file, for several extension points"
    )
    parser.add_argument("--sdk-minor", metavar="X.Y", help="the SDK that it was built with, where the file does not show it")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="new folder for logs and configurations (default: none is kept)"
    )
    add_exit_zero(parser, "the result of --json")


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.check.settings import from_options
    from dmconform.check.work import CheckRequest, check_module
    from dmconform.cli.output import as_json, json_target, write_json

    settings = from_options(
        file=arguments.settings,
        extension_point=arguments.extension_point,
        name=arguments.filter_name,
        config=arguments.filter_config,
        environment=arguments.env,
        sdk_minor=arguments.sdk_minor,
    )
    if arguments.exit_zero and arguments.json is None:
        raise UsageError("--exit-zero: expected --json as well, for another command to judge the result")
    if arguments.keep and arguments.no_run:
        raise UsageError("--keep: with --no-run there is nothing to keep; expected one of the two")
    json_file = json_target(arguments.json)
    check = check_module(
        CheckRequest(arguments.module, tuple(arguments.host), settings, run=not arguments.no_run, keep=arguments.keep)
    )
    code = ExitCode.OK if arguments.exit_zero else check.exit_code
    if arguments.json == "-":
        print(as_json(check), end="")
        return code
    if json_file is not None:
        write_json(json_file, as_json(check))
    from rich.console import Console

    from dmconform.check.console import print_check

    print_check(check, Console())
    return code


COMMAND = Command(
    name="check",
    group=Group.MODULE_AUTHORS,
    summary="Say on which Envoys a module works, given only its file.",
    description="Says on which Envoys a module works, from its file alone: what it lacks there by name, and, unless --no-run, "
    "what happens when it is loaded.\n\nWithout --no-run, the module's code runs on this machine with your rights, each time "
    "in an Envoy that is started for it.",
    examples="""
dmconform check libmy_filter.so --no-run --host all
dmconform check libmy_filter.so --filter-name my_filter --filter-config '{}'
dmconform check libmy_filter.so --filter-config @conf.json --host path:./envoy
dmconform check libmy_filter.so --host 1.39 --host 1.40 --json check.json
dmconform check libmy_logger.so --extension-point access_logger --env A=B
dmconform check libmy_module.so --settings uses.toml
""",
    notes=f"The format of --settings: {paths.named('docs/check.md')}",
    exit_codes={
        0: "it works on all hosts asked for (with --no-run: it is expected to load on all)",
        1: "it does not work on some host",
        2: "wrong usage, or a file that cannot be read",
        4: "it could not be judged on some host: the host is out of reach, the module refuses the configuration on every host, "
        "or the command was interrupted",
    },
    add_arguments=_add_arguments,
    run=_run,
)
