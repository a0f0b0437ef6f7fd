"""`dmconform abi diff`, `drift`, `findings` and `sdk-use`."""

from __future__ import annotations

import argparse
import sys

from dmconform.core import paths
from dmconform.core.errors import ExitCode

_CODES = """\
exit codes:
  0  nothing breaks a module that is already built
  1  something does
  2  wrong usage, or a data file with a mistake
  4  a release could not be had, or a file is too much for its reader
"""
_SCHEMAS = paths.named("reports/schema").replace("%", "%%")  # argparse fills in what follows a percent sign
_RAW = argparse.RawDescriptionHelpFormatter


def add_parsers(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Adds the commands, each with `run`: a function from the arguments to an exit code."""
    operand = "a minor (1.39), a known release (1.39.3), or a file: ABI data, a header abi.h, or an Envoy binary"

    diff = commands.add_parser(
        "diff",
        help="What changed between two ABIs, and what that does to modules.",
        description="Says what changed from the ABI that a module was built against to that of the host that loads it, and "
        "what that does to the module. Of binaries only names are known.",
        epilog="examples:\n  dmconform abi diff 1.38 1.39\n  dmconform abi diff 1.39 ./envoy --json\n"
        "  dmconform abi diff 1.40 new/abi.h --markdown\n\n" + _CODES,
        formatter_class=_RAW,
    )
    diff.add_argument("old", metavar="A", help=f"what modules were built against: {operand}")
    diff.add_argument("new", metavar="B", help="the host: the same choice")
    _format(diff)
    diff.set_defaults(run=run_diff)

    drift = commands.add_parser(
        "drift",
        help="What changed since the newest known minor, and whether the ABI string moved with it.",
        description="Compares a newer header or binary with the newest minor that there is data of, and says whether the ABI "
        "string moved with what changed.",
        epilog="examples:\n  dmconform abi drift envoy/source/extensions/dynamic_modules/abi/abi.h\n"
        "  dmconform abi drift ./envoy --markdown\n\n" + _CODES,
        formatter_class=_RAW,
    )
    drift.add_argument("new", metavar="FILE", help="a header abi.h, an Envoy binary, or ABI data")
    drift.add_argument("--since", metavar="A", help="compare with this instead of the newest known minor")
    _format(drift)
    drift.set_defaults(run=run_drift)

    findings = commands.add_parser(
        "findings",
        help="What in the ABI data breaks the compatibility promise.",
        description="Compares each minor with the next one, as far as the documents promise that modules of the first work on "
        "the second, and lists what breaks that.",
        epilog="examples:\n  dmconform abi findings\n  dmconform abi findings --beyond --markdown\n\n"
        + _CODES.replace("nothing breaks a module that is already built", "nothing breaks the promise"),
        formatter_class=_RAW,
    )
    findings.add_argument(
        "--beyond", action="store_true", help="also pairs that nothing is promised of; they do not change the exit code"
    )
    _machine(findings)
    findings.set_defaults(run=run_findings)

    use = commands.add_parser(
        "sdk-use",
        help="Measure which callbacks and hooks the modules of each SDK version use.",
        description="Builds the probes (or takes them from the cache) and reads them and the sources of the SDKs. Prints what "
        "it found; SDK versions that cannot be had now keep what conformance/abi/sdk_use.json says of them.",
        epilog="examples:\n  dmconform abi sdk-use --write\n"
        "  dmconform abi sdk-use --sdk 'rust@*' --sdk-source /path/to/a/clone\n\n"
        "exit codes:\n  0  measured\n  2  wrong usage, or a data file with a mistake\n  4  nothing could be measured\n",
        formatter_class=_RAW,
    )
    use.add_argument("--sdk", action="append", default=[], metavar="SPEC", help="such as 'rust@*:official'; may be repeated")
    use.add_argument("--sdk-source", metavar="REPO", help="the repository with the official SDKs: URL or path of a clone")
    use.add_argument("--write", action="store_true", help="write conformance/abi/sdk_use.json anew instead of printing it")
    use.set_defaults(run=run_sdk_use)


def _format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--all", action="store_true", help="also show in full what is harmless or cannot be told")
    _machine(parser)


def _machine(parser: argparse.ArgumentParser) -> None:
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument(
        "--json", action="store_true", help=f"print JSON, with everything; its schema is one of those in {_SCHEMAS}"
    )
    formats.add_argument("--markdown", action="store_true", help="print Markdown")


def run_diff(arguments: argparse.Namespace) -> int:
    """Compares two ABIs."""
    from dmconform.abi_diff import render
    from dmconform.abi_diff.assemble import diff
    from dmconform.abi_diff.operands import load_operand
    from dmconform.abi_diff.requirements import measured_needs
    from dmconform.abi_diff.uses import load_sdk_uses

    found = diff(load_operand(arguments.old), load_operand(arguments.new), load_sdk_uses(), measured_needs())
    if arguments.json:
        sys.stdout.write(render.as_json(found))
    elif arguments.markdown:
        sys.stdout.write(render.markdown(found, everything=arguments.all))
    else:
        render.show(render.text_lines(found, everything=arguments.all))
    return _code(found.breaks_built)


def run_drift(arguments: argparse.Namespace) -> int:
    """Compares with the newest known minor."""
    from dmconform.abi.loading import known_minors
    from dmconform.abi_diff import render
    from dmconform.abi_diff.drift import drift
    from dmconform.abi_diff.operands import load_operand
    from dmconform.abi_diff.requirements import measured_needs
    from dmconform.abi_diff.uses import load_sdk_uses

    known = load_operand(arguments.since or str(known_minors()[-1]))
    found = drift(known, load_operand(arguments.new), load_sdk_uses(), measured_needs())
    if arguments.json:
        sys.stdout.write(render.as_json(found))
    elif arguments.markdown:
        sys.stdout.write(render.drift_markdown(found, everything=arguments.all))
    else:
        render.show(render.drift_lines(found, everything=arguments.all))
    return _code(found.diff.breaks_built)


def run_findings(arguments: argparse.Namespace) -> int:
    """Compares the pairs of minors that something is promised of."""
    from dmconform.abi_diff import render
    from dmconform.spec.abi_breaks import compare_pairs

    found = compare_pairs(beyond=arguments.beyond)
    if arguments.json:
        sys.stdout.write(render.as_json(found))
    elif arguments.markdown:
        sys.stdout.write(render.findings_markdown(found))
    else:
        render.show(render.findings_lines(found))
    return _code(bool(found.broken))


def _code(broken: bool) -> int:
    return ExitCode.FAIL if broken else ExitCode.OK


def run_sdk_use(arguments: argparse.Namespace) -> int:
    """Measures what modules of each SDK version use."""
    from dmconform.abi_diff.uses import SDK_USE_FILE
    from dmconform.core.progress import say
    from dmconform.matrix.prepare import Selection, build_sdks, lazy_engine
    from dmconform.measure.sdk_use import Measured, measure, merged, recorded, uses_json
    from dmconform.sdks.builder import Built
    from dmconform.sdks.sources import SourceRepository, resolve_source
    from dmconform.spec.catalogue import load_catalogue

    if arguments.write:
        paths.checkout("abi sdk-use --write writes conformance/abi/sdk_use.json")
    cache = paths.cache_folder()
    selection = Selection(sdks=tuple(arguments.sdk), sdk_source=arguments.sdk_source)
    with lazy_engine(cache) as engine:
        builds = build_sdks(load_catalogue(), selection, engine, cache)
    repository = SourceRepository(resolve_source(arguments.sdk_source), cache, say)
    measured: list[Measured] = []
    for build in builds:
        if not isinstance(build, Built):
            say(f"{build.sdk.id}: not built, what is on record stays: {build.problem.splitlines()[0]}")
            continue
        one = measure(build, repository)
        measured.append(one)
        if one.sources_problem:
            say(f"{build.sdk.id}: its sources were not looked at, what is on record stays: {one.sources_problem}")
    text = uses_json(merged(recorded(), tuple(measured)))
    if arguments.write:
        SDK_USE_FILE.write_text(text)
        say(f"{SDK_USE_FILE.name}: {len(measured)} SDK versions measured")
    else:
        sys.stdout.write(text)
    return ExitCode.OK if measured else ExitCode.ERROR
