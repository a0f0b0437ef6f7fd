"""Makes a site: reads the reports one by one, the oldest first, and writes their pages while it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from dmconform.core.errors import DataFileError, EmptySelection, HarnessError
from dmconform.core.trouble import not_written
from dmconform.release.site.badges import badge
from dmconform.release.site.feed import atom
from dmconform.release.site.folder import refuse_foreign, site_folder
from dmconform.release.site.ledger import Ledger
from dmconform.release.site.model import Failure, Site, SiteRun, failures, site_run
from dmconform.release.site.pages import render
from dmconform.release.site.sources import LeftOut, ReportSource, find, why_left_out
from dmconform.report.comparison.compare import compare
from dmconform.report.html import render_html
from dmconform.report.schema import Report

FEED = "feed.xml"


def build_site(
    target: Path, places: Sequence[Path], address: str = "", progress: Callable[[str], None] = lambda _: None
) -> Site:
    """Makes a site of the reports in some places, and puts it at `target` when it is whole.

    Args:
        target: a new folder, or one that has a site.
        places: folders of reports, reports, or folders of such folders.
        address: where the site will be, ending in a slash; empty: links of the feed are relative.
        progress: takes a line for each run.

    Raises:
        UsageError: `target` has something that dmconform did not make.
        EmptySelection: there is no report.
        HarnessError: a report cannot be read, or the site not be written.
    """
    refuse_foreign(target.absolute())  # before any work
    found = find(places)
    with site_folder(target) as part:
        try:
            made = _Making(part, len(found.sources), progress)
            left_out = list(found.left_out)
            for source in found.sources:
                try:
                    report = source.read()
                except DataFileError as error:
                    if source.is_named:
                        raise
                    left_out.append(why_left_out(source.file, error))
                    continue
                made.add(source, report)
            site = made.site(tuple(left_out))
            for name, text in render(site, address).items():
                (part / name).write_text(text, encoding="utf-8")
            (part / FEED).write_bytes(atom(site.runs, address))
            _write_badges(part, site)
        except OSError as error:
            raise not_written(f"OUT {target}", error) from error
    return site


class _Making:
    """A site of which some runs are there already."""

    def __init__(self, part: Path, total: int, progress: Callable[[str], None]) -> None:
        self._part, self._total, self._progress = part, total, progress
        self._ledger = Ledger()
        self._runs: list[SiteRun] = []
        self._decides: tuple[SiteRun, tuple[Failure, ...]] | None = None  # the newest whole run
        self._last: tuple[SiteRun, tuple[Failure, ...]] | None = None
        self._whole: Report | None = None  # the report that the next page is compared with

    def add(self, source: ReportSource, report: Report) -> None:
        """Adds a run, and writes its page."""
        self._progress(f"run {len(self._runs) + 1} of {self._total}: {source.name}, {len(report.cells)} cells")
        number = len(self._runs)
        run = site_run(source, number, report, self._ledger.add(number, report))
        self._last = run, failures(report, self._ledger)
        page = self._part / run.page
        page.parent.mkdir(parents=True)
        comparison = compare(self._whole, report) if self._whole is not None else None
        page.write_text(render_html(report, comparison, page.parent), encoding="utf-8")
        self._runs.append(run)
        if not run.narrowed:
            self._decides, self._whole = self._last, report

    def site(self, left_out: tuple[LeftOut, ...]) -> Site:
        """Returns what the other pages show; the newest run decides where none is whole.

        Raises:
            EmptySelection: no report could be read.
        """
        decides = self._decides or self._last
        if decides is None:
            why = f": {left_out[0].name}: {left_out[0].why}" if left_out else ""
            raise EmptySelection(f"no report to make a site of{why}")
        return Site(tuple(self._runs), decides[0], decides[1], left_out)


def _write_badges(part: Path, site: Site) -> None:
    for subject in (*site.newest.sdk_answers, *site.newest.host_answers):
        if subject.badge is None:
            continue
        file = part / subject.badge
        if file.exists():
            raise HarnessError(f"{subject.badge}: two subjects have the same badge")
        file.parent.mkdir(exist_ok=True)
        file.write_text(badge(subject.name, subject.answer), encoding="utf-8")
