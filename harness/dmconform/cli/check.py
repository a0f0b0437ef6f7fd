"""`dmconform check`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from dmconform.cli.command import Command, Group
from dmconform.cli.options import add_exit_zero, add_hosts, refuse_without_effect
from dmconform.core import paths
from dmconform.core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from dmconform.check.result import Check, CheckSet


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("modules", type=Path, nargs="+", metavar="MODULE.so", help="the module's file; several get one table")
    add_hosts(parser, default="those of its SDK's promise, one minor before and one after: the default ones of each")
    parser.add_argument("--no-run", action="store_true", help="only read it: nothing of the module is run, nothing downloaded")
    parser.add_argument("--json", metavar="FILE", help="write the result as JSON too; - is standard output, then alone")
    parser.add_argument("--extension-point", metavar="P", help="what it is for, such as http_filter or access_logger")
    parser.add_argument("--all-points", action="store_true", help="try it at all extension points that it has hooks of")
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
    parser.add_argument("--together", action="store_true", help="load several modules into one Envoy as well")
    parser.add_argument(
        "--all-must-work", action="store_true", help="the exit code counts all hosts (default: those that the promise is about)"
    )
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="new folder for logs and configurations (default: none is kept)"
    )
    parser.add_argument(
        "--isolate",
        action="store_true",
        help="run its code in a sandbox, without network and home folder",
    )
    parser.add_argument(
        "--readable",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="a file or folder that it may read in the sandbox besides its libraries and the system's; may be repeated",
    )
    add_exit_zero(parser, "the result of --json")


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.check.prepare import CheckRequest
    from dmconform.check.settings import from_options
    from dmconform.check.work import check_modules
    from dmconform.cli.output import as_json, json_target, write_json

    settings = from_options(
        file=arguments.settings,
        extension_point=arguments.extension_point,
        name=arguments.filter_name,
        config=arguments.filter_config,
        environment=arguments.env,
        sdk_minor=arguments.sdk_minor,
        all_points=arguments.all_points,
    )
    if arguments.exit_zero and arguments.json is None:
        raise UsageError("--exit-zero: expected --json as well, for another command to judge the result")
    if arguments.together and arguments.no_run:
        raise UsageError("--together: with --no-run nothing is loaded; expected one of the two")
    if arguments.keep and arguments.no_run:
        raise UsageError("--keep: with --no-run there is nothing to keep; expected one of the two")
    if arguments.no_run:
        refuse_without_effect(arguments, ("isolate",), "--no-run: nothing of it is run")
    if arguments.readable and not arguments.isolate:
        raise UsageError("--readable: without --isolate everything can be read; expected both")
    json_file = json_target(arguments.json)
    if arguments.together and len(arguments.modules) == 1:
        raise UsageError("--together: expected several modules, there is one")
    requests = [
        CheckRequest(
            module,
            tuple(arguments.host),
            settings,
            run=not arguments.no_run,
            keep=arguments.keep,
            all_must_work=arguments.all_must_work,
            options=_options(arguments),
            isolate=arguments.isolate,
            readable=tuple(arguments.readable),
        )
        for module in arguments.modules
    ]
    found = check_modules(requests, together=arguments.together)
    code = ExitCode.OK if arguments.exit_zero else found.exit_code
    result: Check | CheckSet = found if len(found.modules) > 1 else found.modules[0]
    if arguments.json == "-":
        print(as_json(result), end="")
        return code
    if json_file is not None:
        write_json(json_file, as_json(result))
    from dmconform.check.console import print_check
    from dmconform.check.several import print_checks
    from dmconform.core.terminal import result_console

    console = result_console()
    if len(found.modules) > 1:
        print_checks(found, console)
    else:
        print_check(found.modules[0], console)
    return code


def _options(arguments: argparse.Namespace) -> tuple[str, ...]:
    """Returns the words that say how the module is used. The values of variables may be secret, and are left out."""
    words: list[str] = []
    for name in ("extension_point", "filter_name", "filter_config", "settings", "sdk_minor"):
        value = getattr(arguments, name)
        if value is not None:
            words += [f"--{name.replace('_', '-')}", str(value)]
    for variable in arguments.env:
        words += ["--env", f"{variable.partition('=')[0]}=…"]
    return (*words, *(["--all-points"] if arguments.all_points else []))


COMMAND = Command(
    name="check",
    group=Group.MODULE_AUTHORS,
    summary="Say on which Envoys a module works, given only its file.",
    description="Says on which Envoys a module works, from its file alone: what it lacks there by name, and, unless --no-run, "
    "what happens when it is loaded.\n\nWithout --no-run, the module's code runs on this machine, each time in an Envoy that "
    "is started for it: in a sandbox of bubblewrap with --isolate, else with your rights.",
    examples="""
dmconform check libmy_filter.so --no-run --host all
dmconform check libmy_filter.so --filter-name my_filter --filter-config '{}'
dmconform check libmy_filter.so --filter-config @conf.json --host path:./envoy
dmconform check libmy_filter.so --host 1.39 --host 1.40 --json check.json
dmconform check libmy_logger.so --extension-point access_logger --env A=B
dmconform check libmy_module.so --settings uses.toml
dmconform check libfirst.so libsecond.so --together
dmconform check libof_somebody_else.so --isolate
""",
    notes=f"The format of --settings: {paths.named('docs/check.md')}",
    exit_codes={
        0: "it works on all hosts that count: those that the promise is about, or all where it is about none, or with "
        "--all-must-work (with --no-run: it is expected to load there)",
        1: "it does not work on a host that counts, or works with errors there",
        2: "wrong usage, or a file that cannot be read",
        4: "it could not be judged on a host that counts: the host is not available, the module fails while it is configured "
        "and its name or configuration were not given, --isolate is not possible here, or the command was interrupted",
    },
    add_arguments=_add_arguments,
    run=_run,
)
