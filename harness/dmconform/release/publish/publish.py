"""Publishes a report: copies what travels, and writes down hashes and how to reproduce it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from dmconform.core import paths
from dmconform.core.errors import HarnessError, UsageError
from dmconform.core.paths import REPORT_FILE
from dmconform.hosts.obtain import sha256_of
from dmconform.report.copying import copy_named
from dmconform.report.markdown import escape
from dmconform.report.reading import read_report
from dmconform.report.schema import Report
from dmconform.report.summary import summarise

FOLDER = paths.DATA / "reports" / "published"
PAGE = "README.md"
SUMS = "SHA256SUMS"
REPRODUCE = "REPRODUCE.md"
TRAVELS = (REPORT_FILE, "index.html", "matrix.md")
"""Evidence does not: it is large, and may hold paths of the machine; nor what is made for CI."""
_NAME = re.compile(r"\d{4}-\d{2}-\d{2}-[a-z0-9][a-z0-9.-]*")


def publish(source: Path, name: str, folder: Path = FOLDER) -> Path:
    """Makes `folder/NAME` of the report in a folder; returns it.

    Raises:
        UsageError: the name is none, or taken, or the report is not fit to be published.
        DataFileError: it is no report.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r}: expected DATE-WHAT in lower case, such as 2026-11-21-envoy-1.40")
    target = folder / name
    if target.exists():
        raise UsageError(f"{target}: exists already; a published report is never changed, a newer one stands beside it")
    report = read_report(source / REPORT_FILE)
    refuse_unfit(report, str(source))
    part = folder / f".{name}.part"
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        copy_named(source, named_files(report), part)
        lost = [name for name in named_files(report) if not (part / name).is_file()]
        if lost:
            raise UsageError(f"{source}: not fit to be published: {lost[0]} is not there as a file, or is a link")
        (part / REPRODUCE).write_text(how_to_reproduce(report), encoding="utf-8")
        (part / SUMS).write_text(sums_of(part), encoding="utf-8")
        part.rename(target)
    except OSError as error:
        raise HarnessError(f"{target}: cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return target


def named_files(report: Report) -> tuple[str, ...]:
    """What a published report has besides what is written for it."""
    return (*TRAVELS, *sorted({sdk.build_log for sdk in report.sdks if sdk.build_log}))


def refuse_unfit(report: Report, name: str) -> None:
    """A published report must be whole, and others must be able to make it again.

    Raises:
        UsageError: it is not so.
    """
    why = [
        (not report.complete, f"its run did not end: {report.incomplete_reason}"),
        (report.planned_cells > len(report.cells), "cells that were planned are not there"),
        (report.shard is not None, "it is a shard; join all of them with dmconform merge"),
        (report.environment.suite_commit.endswith("+changes"), "its suite had changes that no commit has: run a clean clone"),
    ]
    found = [text for unfit, text in why if unfit]
    if found:
        raise UsageError(f"{name}: not fit to be published: {found[0]}")


def sums_of(folder: Path) -> str:
    """The lines of `sha256sum` for every file in a folder but the list itself; of a link nothing is read."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink() and path != folder / SUMS)
    return "".join(f"{sha256_of(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)


_HOW = """\
# How to see this again

{headline}. Made on {day} with the suite of commit `{commit}`.

```sh
git checkout {commit}
{command}
```

{official}One cell: the `reproduce` command that `report.json` and the page have for each. Hosts, by the hash of the binary:

{hosts}
The evidence of single cells is not kept here. `sha256sum --check {sums}` tells whether a file was changed; so do the tests.
"""
_OFFICIAL = """\
The official SDKs were built too: `DMCONFORM_SDK_SOURCE` names a repository that has them (`report.json` names the commits).

"""


def how_to_reproduce(report: Report) -> str:
    """What to do to see the same, in Markdown."""
    selection = [f"--{kind} {_quoted(one)}" for kind, values in report.selection.items() for one in values]
    selection += ["--everywhere"] if "everywhere" in report.selection else []
    return _HOW.format(
        headline=escape(summarise(report).headline),
        day=report.started_at[:10],
        commit=report.environment.suite_commit,
        command=" ".join(["./toxw -e matrix", *(["--", *selection] if selection else [])]),
        official=_OFFICIAL if any(sdk.provider == "official" and sdk.modules for sdk in report.sdks) else "",
        hosts="".join(f"- Envoy {host.id}: `sha256:{host.sha256}`\n" for host in report.hosts),
        sums=SUMS,
    )


def _quoted(text: str) -> str:
    return text if re.fullmatch(r"[\w@%+=:,./-]+", text) else "'" + text.replace("'", "'\\''") + "'"
