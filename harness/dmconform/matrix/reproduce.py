"""One cell again, verbosely: everything that is known of it, and its folder kept with the modules in it."""

from __future__ import annotations

from pathlib import Path

from dmconform.binaries.facts import StaticVerdict
from dmconform.core.errors import ExitCode, UsageError
from dmconform.core.nearest import unknown
from dmconform.core.values import CellId
from dmconform.matrix.cells import run_cells
from dmconform.matrix.prepare import EVIDENCE, Prepared, Selection, prepare
from dmconform.matrix.pytest_plugin import read_results
from dmconform.matrix.run_cell import CellResult
from dmconform.spec.catalogue import Catalogue, load_catalogue
from dmconform.spec.judgement import exit_code, judge
from dmconform.spec.mismatch import mismatch

LOG_TAIL_LINES = 25


def _known_cell(cell_id: str, hosts: tuple[str, ...], catalogue: Catalogue) -> CellId:
    """A cell's id by its name, which is looked at before anything is downloaded or built for it.

    Raises:
        UsageError: there is no such cell; the message has names that are like it.
    """
    try:
        wanted = CellId.parse(cell_id)
    except ValueError as error:
        raise UsageError(str(error)) from None
    _check_name(cell_id, "case", wanted.case, [case.id for case in catalogue.cases])
    _check_name(cell_id, "SDK version", wanted.sdk, [str(sdk.id) for sdk in catalogue.sdks])
    if not hosts and "~" in wanted.host:
        raise UsageError(f"{cell_id}: {wanted.host} is no known release; say where it is with --host path:FILE or image:REF")
    if not hosts:
        _check_name(cell_id, "host", wanted.host, [host.release for host in catalogue.hosts])
    languages = [one.value for one in catalogue.case(wanted.case).declaration.languages]
    if wanted.sdk.partition("@")[0] not in languages:
        raise UsageError(f"{cell_id}: there is no such cell: the case runs with SDKs of {', '.join(languages)} only")
    return wanted


def _check_name(cell_id: str, what: str, name: str, names: list[str]) -> None:
    if name not in names:
        raise UsageError(f"{cell_id}: {unknown(what, name, names, more='dmconform list cells shows all cells')}")


def prepare_cell(cell_id: str, hosts: tuple[str, ...], sdk_source: str | None, folder: Path) -> Prepared:
    """The plan of one cell whose evidence is kept, in a folder that exists.

    Raises:
        UsageError: there is no such cell.
    """
    wanted = _known_cell(cell_id, hosts, load_catalogue())
    selection = Selection(hosts or (wanted.host,), (wanted.sdk,), (wanted.case,), sdk_source, everywhere=True)
    prepared = prepare(selection, folder, keep_evidence=True, cell=cell_id)
    if not prepared.plan.cells:
        raise UsageError(f"{cell_id}: there is no such cell; dmconform list cells shows them all")
    return prepared


def reproduce(cell_id: str, hosts: tuple[str, ...], sdk_source: str | None, folder: Path) -> int:
    """Runs a cell and prints what came of it; returns the exit code.

    Raises:
        UsageError: there is no such cell.
    """
    prepared = prepare_cell(cell_id, hosts, sdk_source, folder)
    catalogue = load_catalogue()
    planned = prepared.plan.cells[0]
    wanted = planned.id
    case = catalogue.case(wanted.case)
    print(f"cell:        {cell_id}")
    print(f"case:        {case.title}")
    for one in case.declaration.requirements:
        requirement = catalogue.requirements[one]
        print(f"requirement: {requirement.statement} ({requirement.document}, {requirement.section})")
    print(f"relation:    {planned.relation.value}: {planned.relation_reason}")
    for module in prepared.plan.sdk(wanted.sdk).modules.values():
        print(f"module:      {module.name} sha256:{module.sha256}")
    trouble = run_cells(prepared, folder, "0")
    result = read_results(folder).get(cell_id)
    if result is None:
        print(f"no result:   {trouble}")
        return ExitCode.ERROR
    static = prepared.plan.static_verdict(wanted.sdk, wanted.host)
    disputed = mismatch(static, result.probe_load)
    named = prepared.plan.official_named
    judgement, record = judge(planned, result.outcome, result.detail, catalogue.known_failures, named, disputed)
    print(f"outcome:     {result.outcome.value} ({judgement.value}{f', {record.id}' if record else ''})")
    print(f"ABI verdict: {result.abi_verdict.value}")
    _print_halves(static, result, disputed)
    for name, value in result.facts.items():
        print(f"{name + ':':12} {value}")
    if result.detail:
        print(f"detail:      {result.detail}")
    if result.evidence:
        place = folder / EVIDENCE / result.evidence
        log = place / "envoy.log"
        if log.exists():
            print(f"the end of {log}:")
            print("\n".join(f"  {line}" for line in log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]))
        for script in sorted(place.rglob("run-again.sh")):
            print(f"by hand:     sh {script}")
        print(f"folder:      {place}")
    return exit_code([judgement], trouble is None)


def _print_halves(static: StaticVerdict | None, result: CellResult, disputed: str | None) -> None:
    """What the probe's file says, what the host did with it, and where they disagree."""
    print(f"static:      {f'{static.kind.value}: {static.reason}' if static else 'not known'}")
    for symbol in static.missing if static else ():
        print(f"  missing    {symbol}")
    for note in static.notes if static else ():
        print(f"  note       {note}")
    symbol = f": {result.probe_load.symbol}" if result.probe_load.symbol else ""
    print(f"the probe:   {result.probe_load.load.value}{symbol}")
    if disputed is not None:
        print(f"MISMATCH:    {disputed}")
