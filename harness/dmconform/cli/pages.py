"""The pages of the documentation that are generated from data."""

from __future__ import annotations

from collections.abc import Collection

from dmconform.cli.output import put
from dmconform.core import paths
from dmconform.core.errors import ExitCode
from dmconform.matrix.assemble import envoy_test_entries, requirement_entries
from dmconform.report.coverage import coverage_page
from dmconform.report.defects import defects_page
from dmconform.report.findings import findings_page, of_known_failure
from dmconform.report.points_page import points_page
from dmconform.sdks.catalogue import reproducers_of
from dmconform.spec.catalogue import Catalogue
from dmconform.spec.cells import plan_cells
from dmconform.spec.defects import Referable, check_references, load_answers, load_defects
from dmconform.spec.documents import load_documents
from dmconform.spec.facts import known_facts
from dmconform.spec.findings import load_findings
from dmconform.spec.inconsistencies import CellIndex
from dmconform.spec.mutation_score import load_mutation_score


def coverage_text(catalogue: Catalogue) -> str:
    """Returns what `docs/coverage.md` has to be."""
    documents = load_documents(paths.DOCUMENTS_FILE).values()
    return coverage_page(requirement_entries(catalogue), documents, envoy_test_entries())


def points_text(catalogue: Catalogue) -> str:
    """Returns what `docs/points.md` has to be.

    Raises:
        DataFileError: a data file has a mistake.
    """
    return points_page(catalogue, known_facts())


def findings_text(catalogue: Catalogue) -> str:
    """Returns what `docs/findings.md` has to be.

    Raises:
        DataFileError: the data file has a mistake.
    """
    index = CellIndex(catalogue.supported)
    known = [of_known_failure(one, index, catalogue.cases, catalogue.requirements) for one in catalogue.known_failures]
    findings = load_findings(paths.FINDINGS_DATA, {one.id for one in catalogue.known_failures})
    return findings_page(known, findings, catalogue.requirements)


def defects_text(catalogue: Catalogue) -> str:
    """Returns what `docs/defects.md` has to be.

    Raises:
        DataFileError: a data file has a mistake.
    """
    defects = load_defects(paths.DEFECTS)
    releases = [host.release for host in catalogue.hosts]
    reproducers = reproducers_of(paths.SDKS / "cpp")
    check_references(paths.DEFECTS, defects, _referable(catalogue, releases, reproducers))
    return defects_page(defects, load_answers(paths.DEFECTS), releases, load_mutation_score(paths.MUTATION_SCORE_FILE))


def _referable(catalogue: Catalogue, releases: Collection[str], reproducers: Collection[str]) -> Referable:
    """Returns what defects may refer to."""
    hosts = [(host.release, host.version.minor) for host in catalogue.hosts]
    cells = {str(cell.id) for cell in plan_cells(catalogue.cases, catalogue.sdks, hosts, everywhere=True)}
    folders = {paths.SDKS.name: paths.SDKS, paths.CONFORMANCE.name: paths.CONFORMANCE}
    examples = {
        f"{name}/{file.relative_to(folder).as_posix()}"
        for name, folder in folders.items()
        for glob in ("*/probe/**/*.*", "defects/configurations/*.yaml")
        for file in folder.glob(glob)
    }
    return Referable(releases, {case.id for case in catalogue.cases}, reproducers, cells, examples)


def write_or_print(text: str, name: str, *, write: bool) -> int:
    """Writes `docs/NAME.md`, or prints the text; returns the exit code.

    Raises:
        UsageError: it is to be written, and this is not a checkout.
        HarnessError: it cannot be written.
    """
    if write:
        file = paths.checkout(f"{name} --write writes docs/{name}.md") / "docs" / f"{name}.md"
        put(text, file)
        print(f"written: {file}")
    else:
        print(text, end="")
    return ExitCode.OK
