"""One cell again, verbosely: everything that is known of it, and its folder kept with the modules in it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import msgspec

from dmconform.binaries.facts import StaticVerdict
from dmconform.core import paths
from dmconform.core.errors import ExitCode, UsageError
from dmconform.core.nearest import unknown
from dmconform.core.values import CellId, SdkId
from dmconform.envoy.temporary import temporary_folder
from dmconform.matrix.cells import run_cells
from dmconform.matrix.classification import classify
from dmconform.matrix.pause import Pause
from dmconform.matrix.plan import write_plan
from dmconform.matrix.prepare import EVIDENCE, Prepared, Selection, prepare
from dmconform.matrix.run_cell import CellResult
from dmconform.report.host_log import shown_lines
from dmconform.sdks.inputs import Variant
from dmconform.spec.catalogue import Catalogue, load_catalogue
from dmconform.spec.judgement import exit_code


def _known_cell(cell_id: str, hosts: tuple[str, ...], catalogue: Catalogue) -> CellId:
    """Parses a cell's id, before anything is downloaded or built for it.

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
        raise UsageError(f"{cell_id}: {wanted.host} is not a known release; say where it is with --host path:FILE or image:REF")
    if not hosts:
        _check_name(cell_id, "host", wanted.host, [host.release for host in catalogue.hosts])
    languages = [one.value for one in catalogue.case(wanted.case).declaration.languages]
    if SdkId.parse(wanted.sdk).language.value not in languages:
        raise UsageError(f"{cell_id}: there is no such cell: the case runs with SDKs of {', '.join(languages)} only")
    return wanted


def _check_name(cell_id: str, what: str, name: str, names: list[str]) -> None:
    if name not in names:
        raise UsageError(f"{cell_id}: {unknown(what, name, names, more='dmconform list cells shows all cells')}")


def prepare_cell(
    catalogue: Catalogue,
    cell_id: str,
    hosts: tuple[str, ...],
    sdk_source: str | None,
    folder: Path,
    variant: Variant = Variant.RELEASE,
) -> Prepared:
    """Prepares the plan of one cell whose evidence is kept, in a folder that exists.

    Args:
        catalogue: the project's data.
        cell_id: its id.
        hosts: where its host is, if that is not a known release.
        sdk_source: the repository with the official SDKs.
        folder: of the run.
        variant: how its modules are built.

    Raises:
        UsageError: there is no such cell.
    """
    wanted = _known_cell(cell_id, hosts, catalogue)
    selection = Selection(hosts or (wanted.host,), (wanted.sdk,), (wanted.case,), sdk_source, everywhere=True, variant=variant)
    prepared = prepare(catalogue, selection, folder, keep_evidence=True, cell=cell_id)
    if not prepared.plan.cells:
        raise UsageError(f"{cell_id}: there is no such cell; dmconform list cells shows them all")
    return prepared


def reproduce(
    cell_id: str,
    hosts: tuple[str, ...],
    sdk_source: str | None,
    folder: Path,
    *,
    variant: Variant = Variant.RELEASE,
    wait: bool = False,
) -> int:
    """Runs a cell and prints its result; returns the exit code.

    Args:
        cell_id: the cell's id.
        hosts: where its host is, if that is not a known release.
        sdk_source: the repository with the official SDKs.
        folder: of the run.
        variant: how its modules are built.
        wait: whether to start the cell once more afterwards, and let a person look at its Envoy.

    Raises:
        UsageError: there is no such cell.
    """
    catalogue = load_catalogue()
    prepared = prepare_cell(catalogue, cell_id, hosts, sdk_source, folder, variant)
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
    ran = run_cells(prepared, folder, "0")
    trouble, result = ran.trouble, ran.results.get(cell_id)
    if result is None:
        print(f"no result:   {trouble}")
        return ExitCode.ERROR
    static = prepared.plan.static_verdict(wanted.sdk, wanted.host)
    classified = classify(prepared.plan, planned, result, catalogue.known_failures)
    judgement, record = classified.judgement, classified.record
    print(f"outcome:     {result.outcome.value} ({judgement.value}{f', {record.id}' if record else ''})")
    print(f"ABI verdict: {result.abi_verdict.value}")
    _print_observations(static, result, classified.mismatch)
    for name, value in result.facts.items():
        print(f"{name + ':':12} {value}")
    for change in classified.changed:
        print(f"CHANGED:     {change.words}, since {change.since}")
    if classified.chance:
        print(f"fact:        {classified.fact.value}: {classified.chance}")
    if result.detail:
        print(f"detail:      {result.detail}")
    if result.evidence:
        place = folder / EVIDENCE / result.evidence
        log = place / "envoy.log"
        if log.exists():
            print(f"the end of {log}:")
            print("\n".join(f"  {line}" for line in shown_lines(log)))
        for script in sorted(place.rglob("run-again.sh")):
            print(f"by hand:     sh {script}")
        print(f"folder:      {place}")
    if wait:
        _wait(prepared, folder, result, variant)
    return exit_code([judgement], trouble is None)


def _wait(prepared: Prepared, folder: Path, result: CellResult, variant: Variant) -> None:
    """Starts the cell once more, in a folder that goes away, up to where a person can look at it."""
    before = folder / EVIDENCE / (result.evidence or result.id.folder)
    sources = paths.SDKS / SdkId.parse(result.id.sdk).language.value if variant is Variant.DEBUG else None
    pause = Pause(before, sources, sys.stdout, sys.stdin)
    with temporary_folder("waiting", folder) as place:
        (place / EVIDENCE).mkdir()
        plan = msgspec.structs.replace(prepared.plan, evidence_folder=str(place / EVIDENCE))
        ran = run_cells(replace(prepared, plan=plan, plan_file=write_plan(plan, place)), place, "0", pause)
        if not pause.is_over:
            again = ran.results.get(str(result.id))
            why = ran.trouble or (again and again.detail) or "it starts no Envoy"
            print(f"waiting:     nothing to wait for: {why}")


def _print_observations(static: StaticVerdict | None, result: CellResult, difference: str | None) -> None:
    """Prints what the probe's file contains, what the host did with it, and how they contradict each other."""
    print(f"static:      {f'{static.kind.value}: {static.reason}' if static else 'not known'}")
    for symbol in static.missing if static else ():
        print(f"  missing    {symbol}")
    for note in static.notes if static else ():
        print(f"  note       {note}")
    symbol = f": {result.probe_load.symbol}" if result.probe_load.symbol else ""
    print(f"the probe:   {result.probe_load.load.value}{symbol}")
    if difference is not None:
        print(f"MISMATCH:    {difference}")
