"""Runs a cell once again while everything that is done is recorded, and makes its archive."""

from __future__ import annotations

import os
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

from dmconform.bundle.archive import Content, unpack, with_sums, write_archive
from dmconform.bundle.collect import Collected, collect
from dmconform.bundle.readme import readme
from dmconform.bundle.rewrite import CELL, ENVOY, Rewriter
from dmconform.bundle.steps import FORMAT, BundledCell, BundledHost, BundledModule, FilesStep
from dmconform.bundle.vendored import libraries
from dmconform.core import paths
from dmconform.core.errors import HarnessError, UsageError
from dmconform.core.process import run_program
from dmconform.core.progress import say
from dmconform.core.timeouts import REPLAY_S
from dmconform.envoy.placed import recording
from dmconform.envoy.temporary import temporary_folder
from dmconform.matrix.cell import PROBE
from dmconform.matrix.cells import run_cells
from dmconform.matrix.classification import classify
from dmconform.matrix.plan import Plan
from dmconform.matrix.prepare import EVIDENCE
from dmconform.matrix.reproduce import prepare_cell
from dmconform.matrix.run_cell import CellResult
from dmconform.spec.catalogue import Catalogue, load_catalogue
from dmconform.spec.cells import PlannedCell

REPLAY = paths.PACKAGE / "bundle" / "replay"
_PROGRAM = "run.py"
_CELL_DEPTH = 4
"""How many folders are above a cell's, up to the evidence folder: as of `CellId.folder`."""
TRAVELS = (
    *("__init__", "bundle/__init__", "core/__init__", "envoy/__init__"),
    *(f"core/{name}" for name in ("regular", "removal", "timeouts", "waiting")),
    *(
        f"envoy/{name}"
        for name in ("cgroups", "client", "connected", "connection", "descendants", "driver", "headers", "http1", "http2")
    ),
    *(f"envoy/{name}" for name in ("http_server", "launch", "listening", "mapped", "minder", "observer", "output", "process")),
    *(f"envoy/{name}" for name in ("source_server", "upstream", "usage", "warden")),
)
"""What a replay has in common with the harness: modules that need nothing but the standard library and `vendored/`."""


@dataclass(frozen=True)
class Bundle:
    """An archive that was made, and the result of its replay on this machine."""

    cell: BundledCell
    file: Path
    replay_exit_code: int
    replay_output: str


def default_name(cell_id: str) -> str:
    """Returns the name of the folder in a cell's archive, of letters, digits, dots, dashes and underscores."""
    return "cell-" + re.sub(r"[^A-Za-z0-9._-]+", "-", cell_id).strip("-.")


def make_bundle(cell_id: str, hosts: tuple[str, ...], sdk_source: str | None, file: Path) -> Bundle:
    """Runs a cell, writes its archive, and replays the archive once in another folder.

    Args:
        cell_id: as reports write it.
        hosts: where the cell's host is, if it is no known release; else empty.
        sdk_source: the repository with the official SDKs; None for the default.
        file: the archive; it must not exist, and its folder must.

    Raises:
        UsageError: there is no such cell, or the file exists.
        HarnessError: the cell could not be run, or cannot be an archive.
    """
    catalogue = load_catalogue()
    if file.exists():
        raise UsageError(f"--out {file}: exists already; name another file, or remove it")
    if not file.parent.is_dir():
        raise UsageError(f"--out {file}: there is no folder {file.parent}")
    with temporary_folder("bundle") as folder:
        prepared = prepare_cell(catalogue, cell_id, hosts, sdk_source, folder)
        cell = prepared.plan.cells[0].id
        evidence = folder / EVIDENCE / cell.folder
        say(f"running {cell_id}, and then its replay; the modules' code runs on this machine, with your rights")
        with recording(evidence) as files:
            ran = run_cells(prepared, folder, "0", files)
        result = ran.results.get(str(cell))
        if result is None:
            raise HarnessError(f"{cell_id}: the cell has no result: {ran.trouble}")
        if not result.outcome.is_verdict:
            raise HarnessError(f"{cell_id}: nothing to replay, the cell is {result.outcome.value}: {result.detail}")
        bundled, contents = contents_of(catalogue, prepared.plan, prepared.plan.cells[0], result, evidence)
    write_archive(file, default_name(cell_id), contents)
    say("the archive is written; its replay, unpacked into a folder of its own")
    exit_code, output = replay(file, Path(prepared.plan.host(cell.host).host.binary))
    return Bundle(bundled, file, exit_code, output)


def contents_of(
    catalogue: Catalogue, plan: Plan, planned: PlannedCell, result: CellResult, evidence: Path
) -> tuple[BundledCell, dict[str, Content]]:
    """Returns the content of `cell.json`, and the files of an archive by name, from the folder of a cell that ran.

    Args:
        catalogue: the project's data.
        plan: of the run.
        planned: the cell as it was planned.
        result: how it ended.
        evidence: the cell's folder.

    Raises:
        HarnessError: it cannot be an archive.
    """
    host = plan.host(result.id.host).host
    rewriter = rewriter_for(evidence, Path(host.binary))
    collected = collect(evidence, rewriter, host.sha256)
    cell = _described(catalogue, plan, planned, result, collected, rewriter)
    contents = {
        **collected.contents,
        "cell.json": Content(msgspec.json.format(msgspec.json.encode(cell), indent=1) + b"\n"),
        "README.txt": Content(readme(cell).encode()),
        _PROGRAM: Content((REPLAY / _PROGRAM).read_bytes(), is_program=True),
        "LICENSE": Content(paths.LICENSE.read_bytes()),
    }
    for source in program_files():
        contents[str(source.relative_to(paths.IMPORT_ROOT))] = Content(source.read_bytes())
    return cell, with_sums(contents | libraries())


def program_files() -> list[Path]:
    """Returns the modules that travel, without the program itself."""
    return [
        *(paths.PACKAGE / f"{name}.py" for name in TRAVELS),
        *(file for file in REPLAY.glob("*.py") if file.name != _PROGRAM),
    ]


def rewriter_for(evidence: Path, binary: Path) -> Rewriter:
    """Returns the rewriter of this machine's paths: the cell's folder, the Envoy, and other places that a text may name."""
    run = evidence.parents[_CELL_DEPTH]
    further = {
        run: "{{RUN}}",
        paths.CHECKOUT or paths.PACKAGE: "{{PROJECT}}",
        paths.cache_folder(): "{{CACHE}}",
        Path.home(): "{{HOME}}",
    }
    further.pop(Path("/"), None)
    return Rewriter({**further, evidence: CELL, binary: ENVOY, binary.resolve(): ENVOY})


def _described(
    catalogue: Catalogue, plan: Plan, planned: PlannedCell, result: CellResult, collected: Collected, rewriter: Rewriter
) -> BundledCell:
    host = plan.host(result.id.host).host
    case = catalogue.case(result.id.case)
    requirements = (catalogue.requirements[one] for one in case.declaration.requirements)
    classified = classify(plan, planned, result, catalogue.known_failures)
    placed = {one.sha256 for step in collected.steps if isinstance(step, FilesStep) for one in step.changes}
    sdks = (plan.sdk(result.id.sdk), *(one for one in plan.companions if one.id != result.id.sdk))
    who = "root" if os.geteuid() == 0 else "a plain user"
    return BundledCell(
        format=FORMAT,
        cell=str(result.id),
        title=case.title,
        requirements=tuple(f"{one.statement} ({one.document}, {one.section})" for one in requirements),
        relation=f"{planned.relation.value}: {planned.relation_reason}",
        outcome=result.outcome.value,
        judgement=classified.judgement.value,
        detail=rewriter.text(result.detail),
        facts={name: rewriter.text(value) for name, value in result.facts.items()},
        host=BundledHost(host.release_text, host.build, host.sha256, host.origin),
        modules=tuple(
            BundledModule(sdk.id, module.name, module.sha256, module.sha256 in placed)
            for sdk in sdks
            for module in sdk.modules.values()
            if module.sha256 in placed or (sdk.id == result.id.sdk and module.name == PROBE)
        ),
        recorded_on=f"{platform.system()} {platform.machine()}, {'-'.join(platform.libc_ver())}, as {who}",
        limits=tuple(sorted(collected.limits)),
        servers=tuple(collected.servers.values()),
        other_clusters=tuple(sorted(collected.other_clusters)),
        steps=tuple(collected.steps),
    )


def replay(file: Path, envoy: Path) -> tuple[int, str]:
    """Unpacks an archive into a new folder and runs it there, as on another machine; returns exit code and output.

    Raises:
        HarnessError: it is not done in time.
    """
    with temporary_folder("bundle") as folder:
        unpack(file, folder)
        (program,) = folder.glob(f"*/{_PROGRAM}")
        # Where it must be killed, what it has written goes with this folder.
        done = run_program(
            [sys.executable, "-I", program, envoy.resolve()], timeout_s=REPLAY_S, env={"TMPDIR": str(folder)}, cwd=folder
        )
    return done.exit_code, done.output
