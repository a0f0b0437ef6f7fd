"""Folders of reports for the tests of a site, and what is in a page that was made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec
from dmconform.core.values import Judgement, Outcome, Severity
from dmconform.report.schema import CellEntry, KnownFailureEntry, Report, write_report

from tests.unit.report_samples import broken, cell, host, known, report, unreachable

FIRST = datetime(2026, 11, 1, 2, 17, tzinfo=UTC)
SDK = "rust@1.39:official"
HELD, OTHER, THIRD = "window/loads", "window/local_reply", "guard/panic"
EVIL = (
    '<script>alert("x")<img src=x onerror=alert(1)>\x1b[31mred\x1b]8;;http:evil.example\x07\x00\u202e'
    "{{ 7*7 }} \" onload='alert(2)' javascript:alert(3) ]]> \ufffe &amp; @everyone"
)
"""Text that was written to do harm, without a slash, so that it can be a part of a cell's id."""


def keep(folder: Path, day: int, made: Report, *, name: str = "", **more: object) -> Path:
    """Writes a report that began on a day into a folder of its own below another one."""
    started = (FIRST + timedelta(days=day)).isoformat()
    place = folder / (name or f"night-{day}")
    place.mkdir(parents=True)
    whole = {"started_at": started, "selection": {"host": (), "sdk": (), "case": ()}}
    write_report(msgspec.structs.replace(made, **(whole | more)), place / "report.json")
    return place


def night(*cells: CellEntry) -> Report:
    """A report with the record that `known` cells fail by."""
    record = KnownFailureEntry(
        "known-1",
        "The SDK is at fault: it has no guard.",
        "evidence/known.md",
        1,
        0,
        issue="https://x.example/known?a=1",
        workaround="Catch it.",
    )
    made = report(cells, known_failures=[record], exit_code=0)
    return msgspec.structs.replace(
        made, cases=tuple(msgspec.structs.replace(one, severity=Severity.WRONG) for one in made.cases)
    )


def holds(case: str = HELD, **more: object) -> CellEntry:
    return cell(case, sdk=SDK, **more)  # type: ignore[arg-type]


def fails(case: str = HELD, **more: object) -> CellEntry:
    return broken(case, sdk=SDK, **more)  # type: ignore[arg-type]


def two_nights(folder: Path) -> None:
    """What held fails, in two ways, and another answer is lost; a cell of the control holds."""
    keep(folder, 0, night(holds(HELD), holds(OTHER), holds(THIRD), cell(HELD)))
    second = night(fails(HELD), known(OTHER, sdk=SDK), unreachable(THIRD, SDK, host="1.39.3"), cell(HELD))
    keep(folder, 1, second)


def hostile_night() -> Report:
    """Every text that passes the reader of reports is `EVIL`."""
    evil = cell(
        f"{EVIL}/{EVIL}",
        sdk=EVIL,
        host=EVIL,
        outcome=Outcome.CRASH,
        judgement=Judgement.FAIL,
        detail=EVIL,
        reproduce=EVIL,
        relation_reason=EVIL,
        evidence=None,
    )
    of_record = cell(
        f"{EVIL}/two",
        sdk=SDK,
        host=EVIL,
        outcome=Outcome.FAIL,
        judgement=Judgement.XFAIL,
        known_failure=EVIL,
        detail=EVIL,
        evidence=None,
    )
    made = report(
        [evil, of_record],
        known_failures=[
            KnownFailureEntry(EVIL, EVIL, EVIL, 1, 0, EVIL, EVIL, "https://x.example/\" onclick='alert(1)", EVIL, EVIL)
        ],
    )
    return msgspec.structs.replace(
        made,
        command=EVIL,
        sdks=tuple(msgspec.structs.replace(one, build_log=None, source=EVIL) for one in made.sdks),
        hosts=(msgspec.structs.replace(host("1.39.3"), id=EVIL, build=EVIL, origin=EVIL),),
        environment=msgspec.structs.replace(made.environment, suite_commit=EVIL),
    )


@dataclass
class Seen(HTMLParser):
    """The elements of a page, as a browser takes them."""

    tags: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("href", "src", "action", "data", "srcset", "poster"):
                self.links.append(value or "")
            if name == "id":
                self.ids.append(value or "")
            if name.startswith("on") or name == "style":
                self.events.append(name)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All text, with single blanks."""
        return " ".join(" ".join(self.texts).split())


def seen(file: Path) -> Seen:
    page = Seen()
    page.feed(file.read_text(encoding="utf-8"))
    page.close()
    return page


def own_pages(out: Path) -> list[Path]:
    """The pages of the site itself, without those of runs."""
    return sorted(out.glob("*.html"))


def broken_links(out: Path, pages: Iterable[Path]) -> list[str]:
    """Links that lead out of the site, to nothing, or to a part that a page of the site does not have."""
    found = []
    for page in pages:
        for link in seen(page).links:
            parts = urlsplit(link)
            if link.startswith("data:") or (parts.scheme == "https" and page.name == "failures.html"):
                continue
            if parts.scheme or parts.netloc or link.startswith("/"):
                found.append(f"{page.name}: {link}: leads elsewhere")
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            if out.resolve() not in target.parents or not target.is_file():
                found.append(f"{page.name}: {link}: is not there")
            elif parts.fragment and target.parent == out.resolve() and parts.fragment not in seen(target).ids:
                found.append(f"{page.name}: {link}: no such part")
    return found
