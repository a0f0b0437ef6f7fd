"""`dmconform abi hooks`: measures which hooks hosts require, and writes it down."""

from __future__ import annotations

import argparse
from pathlib import Path

from dmconform.cli.command import Command
from dmconform.cli.options import add_measuring_options
from dmconform.core import paths
from dmconform.core.errors import ExitCode


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.abi.required_hooks import FILE, RequiredHooks, hooks_json, load_required_hooks, merged
    from dmconform.measure.hooks.run import measure_hosts

    if arguments.out is None:
        paths.checkout("abi hooks without -o writes conformance/abi/required_hooks.json")
    fresh = measure_hosts(tuple(arguments.host) or ("all",), arguments.workers)
    out: Path = arguments.out or FILE
    known = load_required_hooks() if out == FILE and FILE.exists() else RequiredHooks(())
    renewed = known.replaced(fresh) if arguments.host else merged(fresh)
    out.write_text(hooks_json(renewed), encoding="utf-8")
    print(out)
    return ExitCode.OK


COMMAND = Command(
    name="hooks",
    summary="Measure which hooks hosts require of modules, by modules that lack one hook at a time.",
    examples="""
dmconform abi hooks  # all known releases; rewrites the file of a checkout
dmconform abi hooks --host 1.40  # one release; the others stay as they are
dmconform abi hooks --host path:./envoy -o /tmp/hooks.json
""",
    notes="Modules' code runs on this machine, with your rights: that of generated modules which do nothing.",
    exit_codes={
        0: "measured and written",
        4: "it could not be measured: trouble with the harness, a build or a download; or the command was interrupted",
    },
    add_arguments=add_measuring_options,
    run=_run,
)
