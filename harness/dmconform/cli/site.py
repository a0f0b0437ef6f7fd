"""`dmconform site`."""

from __future__ import annotations

import argparse
from pathlib import Path
from urllib.parse import urlsplit

from dmconform.cli.command import Command, Group
from dmconform.core import paths
from dmconform.core.errors import ExitCode, UsageError

_PUBLISHED = "reports/published"


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "out", type=Path, metavar="OUT", help="a new folder, or one that has a site of this command, which is replaced"
    )
    parser.add_argument(
        "folders",
        type=Path,
        nargs="*",
        metavar="FOLDER",
        help="the folder of a run, its report.json, plain or compressed, or a folder of such folders",
    )
    parser.add_argument(
        "--without-published", action="store_true", help=f"leave out {_PUBLISHED}, which is taken besides in a checkout"
    )
    parser.add_argument(
        "--url",
        default="",
        metavar="URL",
        help="where the site will be, for the feed and for previews of links (default: links are relative)",
    )


def _run(arguments: argparse.Namespace) -> int:
    from dmconform.core.progress import say
    from dmconform.core.terminal import safe_message
    from dmconform.core.text import counted
    from dmconform.release.publish.publish import FOLDER
    from dmconform.release.site.build import build_site

    address = _address(arguments.url)
    places = list(arguments.folders)
    for place in places:
        if not place.exists():
            raise UsageError(f"FOLDER {place}: there is no such folder or file; expected that of a run, or one of several runs")
    if not arguments.without_published and paths.CHECKOUT is not None and FOLDER.is_dir():
        places.insert(0, FOLDER)
    elif arguments.without_published and not places:
        raise UsageError(f"--without-published: without {_PUBLISHED} and without a FOLDER there is nothing to make a site of")
    site = build_site(arguments.out, places, address, say)
    for one in site.left_out:
        say(f"left out: {one.name}: {one.why}")
    worse = sum(len(run.turns.regressions) for run in site.runs)
    lost = sum(len(run.turns.lost) for run in site.runs)
    left_out = f", {counted(len(site.left_out), 'report')} left out" if site.left_out else ""
    print(safe_message(f"{site.newest.verdict.glyph} {site.newest.headline}"))
    print(safe_message(f"The answer is that of {site.newest.source.name}, {site.newest.day}."))
    print(f"{counted(len(site.runs), 'run')}{left_out}; since the first: {worse} regressions, {lost} answers lost")
    print(f"written: {arguments.out / 'index.html'}")
    return ExitCode.OK


def _address(text: str) -> str:
    """Returns the address of a site with a slash at its end; empty if there is none.

    Raises:
        UsageError: it is no address of the web.
    """
    if not text:
        return ""
    try:
        parts = urlsplit(text)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.query or parts.fragment)
    except ValueError:
        is_web = False
    if not is_web or not text.isascii() or any(character in text for character in " \"'<>\\\n\t"):
        raise UsageError(f"--url {text!r}: expected an address such as https://envoy.example/conformance/")
    return text if text.endswith("/") else f"{text}/"


COMMAND = Command(
    name="site",
    group=Group.RELEASE_MANAGERS,
    summary="Make a static site of reports: the answer, a page for each run, trends, since when what fails, badges, a feed.",
    examples="""
dmconform site site  # of reports/published
dmconform site site nights report/report.json --without-published
dmconform site site --url https://envoy.example/conformance/
""",
    notes="The newest run that was whole decides: one that ended, of all SDKs and cases, on the default hosts or on all. "
    "OUT is put in its place when it is whole. A report that cannot be read ends the command if it was named by itself; "
    "in a folder of several it is left out, and the site says so. The pages need no server, run no script but that of a run's "
    "page, and fetch nothing. docs/site.md has more.",
    exit_codes={
        0: "the site is made, whatever it says",
        2: "wrong usage, a report that is none, or OUT has something that dmconform site has not made",
        3: "there is no report to make a site of",
        4: "a report cannot be read, the site cannot be written, or the command was interrupted",
    },
    add_arguments=_add_arguments,
    run=_run,
)
