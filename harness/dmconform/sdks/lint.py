"""Runs the `lint.sh` of every language, or of some, over its probe and reference SDK, in the toolchain's container."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from dmconform.containers.engine import engine
from dmconform.containers.sandbox import JobEnding, JobResult, Limits, run_job
from dmconform.containers.toolchain import obtain_toolchain
from dmconform.core import paths
from dmconform.core.errors import ExitCode, HarnessError
from dmconform.core.progress import say
from dmconform.core.threads import thread_pool
from dmconform.core.timeouts import LINT_S
from dmconform.core.values import Language, Provider
from dmconform.sdks.catalogue import Sdk, load_sdks
from dmconform.sdks.inputs import environment_of, lint_inputs_of


def to_lint(sdks: tuple[Sdk, ...], languages: Sequence[Language] = tuple(Language)) -> tuple[Sdk, ...]:
    """Returns the reference SDKs of these languages to lint: all, but of C++ (a slow linter) only the oldest and the newest."""
    reference = [sdk for sdk in sdks if sdk.id.provider is Provider.REFERENCE and sdk.id.language in languages]
    cpp = [sdk for sdk in reference if sdk.id.language is Language.CPP]
    rest = [sdk for sdk in reference if sdk.id.language is not Language.CPP]
    return (*cpp[:1], *cpp[1:][-1:], *rest)


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns an exit code: FAIL if a linter complains, ERROR if one could not say."""
    parser = argparse.ArgumentParser(prog="lint-sdks", description="Lints the probes and the reference SDKs.")
    names = [one.value for one in Language]
    parser.add_argument("languages", nargs="*", metavar="LANGUAGE", help=f"only these: {', '.join(names)} (default: all)")
    asked = parser.parse_args(arguments).languages
    unknown = [name for name in asked if name not in names]
    if unknown:
        parser.error(f"expected languages of {', '.join(names)}, found {', '.join(unknown)}")
    sdks = to_lint(load_sdks(paths.SDKS), [Language(name) for name in asked or names])
    try:
        with engine(paths.cache_folder(), say) as client:
            toolchain = obtain_toolchain(client, paths.TOOLCHAIN, paths.cache_folder(), say)

            def lint(sdk: Sdk) -> JobResult:
                inputs = lint_inputs_of(sdk, paths.ABI)
                limits = Limits(timeout_s=LINT_S)
                script = ["sh", "/work/src/lint.sh"]
                done = run_job(client, toolchain.image_id, script, inputs, environment_of(sdk), "out", limits=limits)
                say(f"{sdk.id}: {'clean' if done.succeeded else done.how}")
                return done

            with thread_pool(os.cpu_count() or 1, "lint") as pool:
                results = list(zip(sdks, pool.map(lint, sdks), strict=True))
    except HarnessError as error:
        print(f"lint: {error}", file=sys.stderr)
        return error.exit_code
    bad = [(sdk, done) for sdk, done in results if not done.succeeded]
    for sdk, done in bad:
        print(f"{sdk.id}: lint.sh {done.how}:\n{done.log.decode(errors='replace')}", file=sys.stderr)
    print(f"{len(results) - len(bad)} clean, {len(bad)} not")
    if any(done.ending is not JobEnding.EXITED for _, done in bad):
        return ExitCode.ERROR
    return ExitCode.FAIL if bad else ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
