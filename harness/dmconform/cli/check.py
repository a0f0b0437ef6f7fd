"""`dmconform check` on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path

from dmconform.core import paths
from dmconform.core.errors import UsageError

DESCRIPTION = """\
Says on which Envoys a module works, from its file alone: what it lacks there by name, and, unless --no-run, what happens when
it is loaded. Without --no-run, the module's code runs on this machine with your rights, each time in an Envoy of its own.
"""
EPILOG = f"""\
examples:
  dmconform check libmy_filter.so --no-run --host all
  dmconform check libmy_filter.so --filter-name my_filter --filter-config '{{"key": "value"}}'
  dmconform check libmy_filter.so --filter-config @config.json --host 1.39 --host path:./envoy
  dmconform check libmy_logger.so --extension-point access_logger --env LD_PRELOAD=/usr/lib/libpython3.11.so --json -
  dmconform check libmy_module.so --settings uses.toml     (several extension points)

The format of --settings: {paths.named("docs/check.md")}

exit codes:
  0  it works on all hosts asked for (with --no-run: it is expected to load on all)
  1  it does not work on some host
  2  wrong usage, or a file that cannot be read
  4  it could not be judged on some host: the host cannot be had, or the module refuses the configuration on every host
"""
HOST_HELP = (
    "1.39 (newest known patch), 1.39.3, all, path:FILE or image:REF; may be repeated (default: newest patch of each minor)"
)


def add_check_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds `check` to the tool's commands."""
    parser = commands.add_parser(
        "check",
        help="Say on which Envoys a module works, given only its file.",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=EPILOG,
    )
    parser.add_argument("module", type=Path, metavar="MODULE.so", help="the module's file")
    parser.add_argument("--host", action="append", default=[], metavar="SPEC", help=HOST_HELP)
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
    parser.add_argument("--sdk-minor", metavar="X.Y", help="whose SDK it was built with, where the file does not tell")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="new folder for logs and configurations (default: none is kept)"
    )
    parser.set_defaults(run=run_check)


def run_check(arguments: argparse.Namespace) -> int:
    """Runs the command; returns the exit code.

    Raises:
        HarnessError: as `check_module`.
    """
    from dmconform.check.settings import from_options
    from dmconform.check.work import CheckRequest, check_module

    settings = from_options(
        file=arguments.settings,
        extension_point=arguments.extension_point,
        name=arguments.filter_name,
        config=arguments.filter_config,
        environment=arguments.env,
        sdk_minor=arguments.sdk_minor,
    )
    if arguments.keep and arguments.no_run:
        raise UsageError("--keep: with --no-run there is nothing to keep; expected one of the two")
    json_file = Path(arguments.json) if arguments.json not in (None, "-") else None
    if json_file and not json_file.absolute().parent.is_dir():
        raise UsageError(f"--json {json_file}: there is no such folder")
    check = check_module(
        CheckRequest(arguments.module, tuple(arguments.host), settings, run=not arguments.no_run, keep=arguments.keep)
    )
    if arguments.json:
        import msgspec

        text = msgspec.json.format(msgspec.json.encode(check), indent=1).decode() + "\n"
        if json_file is None:
            print(text, end="")
            return check.exit_code
        try:
            json_file.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"--json {json_file}: cannot be written: {error.strerror}") from None
    from rich.console import Console

    from dmconform.cli.check_console import print_check

    print_check(check, Console())
    return check.exit_code
