"""`README.txt` of an archive."""

from __future__ import annotations

import textwrap

from dmconform.bundle.steps import BundledCell, StartStep
from dmconform.bundle.vendored import MINIMAL_PYTHON

_WIDTH = 100


def readme(cell: BundledCell) -> str:
    """Returns the text of the file: what the archive is, how it is run, and what its replay leaves out."""
    starts = [step for step in cell.steps if isinstance(step, StartStep)]
    variables = sorted({f"{name}={value}" for step in starts for name, value in step.environment.items()})
    sections = (
        ("", [cell.cell, cell.title]),
        ("What the documents say", [*cell.requirements, f"This cell is {cell.relation}"]),
        ("What came of it", [f"{cell.outcome} ({cell.judgement})", cell.detail, *_facts(cell)]),
        ("The Envoy (not in this archive)", _host(cell)),
        ("Run it", _run(cell)),
        ("Variables given to Envoy", variables),
        ("Modules of the SDK", _modules(cell)),
        ("What is in the archive", list(_CONTENTS)),
        ("What is not replayed, or needs something", [*cell.limits, *_ALWAYS]),
    )
    return "\n".join(_section(title, lines) for title, lines in sections)


def _section(title: str, lines: list[str]) -> str:
    heading = f"{title}\n{'-' * len(title)}\n" if title else ""
    return heading + "".join(_wrapped(line) + "\n" for line in lines if line)


def _wrapped(line: str) -> str:
    if line.startswith("  "):  # a command, or columns
        return line
    return textwrap.fill(line, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _facts(cell: BundledCell) -> list[str]:
    return [f"{name}: {value}" for name, value in cell.facts.items()]


def _host(cell: BundledCell) -> list[str]:
    host = cell.host
    return [
        f"  release  {host.release}",
        f"  build    {host.build}",
        f"  SHA-256  {host.sha256}",
        f"  from     {host.origin}",
        f"Recorded on {cell.recorded_on}.",
    ]


def _modules(cell: BundledCell) -> list[str]:
    def where(is_here: bool) -> str:
        return "in files/" if is_here else "not used, or only in copies that the case changed"

    return [f"  {one.sdk}  {one.name}  sha256:{one.sha256}  {where(one.is_here)}" for one in cell.modules]


def _run(cell: BundledCell) -> list[str]:
    python = ".".join(map(str, MINIMAL_PYTHON))
    return [
        "  python3 run.py /path/to/envoy",
        f"It needs Linux on x86-64 with util-linux and Python {python} or newer, nothing else. {_RUNS_CODE}",
        _ENDS,
    ]


_RUNS_CODE = (
    "It RUNS THE CODE of the modules in files/, inside of that Envoy, with your rights: run it where that does no harm. It "
    "refuses another binary than the recorded one (--any-envoy takes it), and an archive that was changed. All it writes is in "
    "a new temporary folder, which it removes."
)
_ENDS = (
    "For each step it prints what was recorded and what happens now. Exit code 0: all is as recorded; 1: something is not; "
    "2: it could not be told: wrong usage, another Envoy, a changed archive, an interruption."
)
_CONTENTS = (
    "  run.py, dmconform/ the program",
    "  cell.json        the cell, and all steps in their order: files, updates, requests with answers, ends",
    "  envoy-N/         bootstrap configuration, each version of the listeners, and log of the cell's N-th Envoy",
    "  files/           modules and other files that the case placed, by SHA-256; cell.json says where and when",
    "  vendored/        the libraries that it speaks HTTP with: h11, h2, hpack and hyperframe (MIT)",
    "  SHA256SUMS       as `sha256sum --check` reads it",
    "{{CELL}} stands for the cell's folder, {{ENVOY}} for the binary, {{PORT upstream}} for the port of the server behind "
    "Envoy. Other words in double braces are folders of the machine where it was recorded.",
)
_ALWAYS = (
    "What Envoy does is compared, not what the case concluded from it: statuses, headers, bodies, trailers and resets of "
    "answers; whether configurations were accepted; whether Envoy lived, and how it ended; files that the case expected to be "
    "mapped or not, statistics and lines of the log that it asked for by name. Left out of that: request ids, dates, "
    "durations, ports, addresses, the order of names in JSON, the texts of rejections, how much of an answer came before it "
    "was cut, and whether HTTP/1.1's connection was to be closed after a whole one.",
    "What was done at the same time is done one after another. Where the case waited for something, the replay waits twice as "
    "long as it took then, at most 2 s; what the case asked or looked for again and again, it asks and looks for until all is "
    "as recorded, or the time is over.",
)
