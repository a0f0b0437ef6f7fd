"""What a check of several modules found, on a terminal: one table, what is against each, the range in which all work."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dmconform.check.console import LONGEST_TEXT, VERDICT_WORDS, isolated_words
from dmconform.check.result import CheckSet, HostVerdict
from dmconform.core.terminal import SafeOutput


def print_checks(found: CheckSet, console: Console) -> None:
    """Prints the findings about several modules; a check of one alone shows more."""
    out = SafeOutput(console, LONGEST_TEXT, "with --json")
    console.print(_table(found, out))
    for name, check in zip(_names(found), found.modules, strict=True):
        against = [f"{host.id}: {host.reason}" for host in check.hosts if host.verdict is not HostVerdict.WORKS]
        if against:
            out.line(f"{name}:", style="bold")
        for line in against:
            out.line(line, before="  ")
    apart = [f"{entry.id}: {entry.reason}" for entry in found.together if entry.verdict is not HostVerdict.WORKS]
    if apart:
        out.line("All in one Envoy:", style="bold")
    for line in apart:
        out.line(line, before="  ")
    for by in dict.fromkeys(check.isolated_by for check in found.modules):
        if by is not None:
            out.line(f"Isolated {isolated_words(by)}.")
    out.line("")
    how = "" if any(check.ran for check in found.modules) else " (expected, nothing was run)"
    if found.works:
        out.line(f"All {len(found.modules)} work on {', '.join(found.works)}{how}.")
    else:
        out.line(f"There is no host on which all {len(found.modules)} work{how}.")
    if found.min_envoy_version is not None:
        out.line(f'minEnvoyVersion: "{found.min_envoy_version}"', style="bold")
        out.line(f'maxEnvoyVersion: "{found.max_envoy_version}"', style="bold")


def _names(found: CheckSet) -> list[str]:
    """Returns the names of the files; of several with one name, with their numbers."""
    names = [check.module_file for check in found.modules]
    return [name if names.count(name) == 1 else f"{name} ({number})" for number, name in enumerate(names, 1)]


def _table(found: CheckSet, out: SafeOutput) -> Table:
    """Returns a row per host, a column per module."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    together = {entry.id: entry.verdict for entry in found.together}
    for heading in ("Host", *_names(found), *(("all in one Envoy",) if together else ())):
        table.add_column(out.text(heading), overflow="fold")
    for row in zip(*(check.hosts for check in found.modules), strict=True):
        verdicts: list[HostVerdict] = [host.verdict for host in row]
        cells: list[Text] = [out.text(*VERDICT_WORDS[verdict]) for verdict in verdicts]
        if together:
            cells.append(out.text(*VERDICT_WORDS[together[row[0].id]]))
        table.add_row(out.text(row[0].id), *cells)
    return table
