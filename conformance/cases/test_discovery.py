"""Where a host looks for a module. Who built the module does not matter, so one language is enough."""

from __future__ import annotations

from pathlib import Path

from harness.model import Language
from harness.plan.cases import case
from harness.run import system_folder
from harness.run.cell import Cell, listener
from harness.run.envoy import Envoy, accepted

ONE = (Language.CPP,)


def loaded_only(envoy: Envoy, expected: Path, *others: Path) -> None:
    """The Envoy accepted its configuration and has mapped the expected copy, and none of the others."""
    accepted(envoy)
    assert envoy.has_mapped(expected), f"expected {expected.parent.name}/{expected.name} to be loaded, it is not"
    for other in others:
        assert not envoy.has_mapped(other), f"expected {other.parent.name}/{other.name} not to be loaded, it is"


@case("discovery.search_path", languages=ONE)
def test_search_path_first(cell: Cell) -> None:
    """A module in the folder of the search-path variable is taken before all others."""
    wanted = cell.install(folder="searched")
    here, library = cell.install(folder="here"), cell.install(folder="library")
    with cell.start_anyhow(
        listener("identity"),
        search_path=wanted.parent,
        working_folder=here.parent,
        environment={"LD_LIBRARY_PATH": str(library.parent)},
    ) as envoy:
        loaded_only(envoy, wanted, here, library)


@case("discovery.current_directory", languages=ONE)
def test_current_directory_when_unset(cell: Cell) -> None:
    """Without the variable a module in the current directory is taken, before LD_LIBRARY_PATH."""
    here, library = cell.install(folder="here"), cell.install(folder="library")
    with cell.start_anyhow(
        listener("identity"), working_folder=here.parent, environment={"LD_LIBRARY_PATH": str(library.parent)}
    ) as envoy:
        loaded_only(envoy, here, library)


@case("discovery.current_directory", "loading.failure_rejects", languages=ONE)
def test_current_directory_only_when_unset(cell: Cell) -> None:
    """With the variable set, the current directory is not searched."""
    here = cell.install(folder="here")
    empty = cell.folder / "empty"
    empty.mkdir()
    with cell.start_anyhow(listener("identity"), search_path=empty, working_folder=here.parent) as envoy:
        assert not envoy.first_update.accepted, "expected the configuration to be rejected, it was accepted"
        assert not envoy.has_mapped(here), "expected here/libprobe.so not to be loaded, it is"
    with cell.start_anyhow(listener("identity"), working_folder=here.parent) as envoy:
        loaded_only(envoy, here)  # else the rejection above would say nothing


@case("discovery.standard_paths", languages=ONE)
def test_library_path_next(cell: Cell) -> None:
    """A module that the variable's folder lacks is taken from LD_LIBRARY_PATH, before the system's folders."""
    library = cell.install(folder="library")
    system = cell.install(folder="system")
    empty = cell.folder / "empty"
    empty.mkdir()
    with cell.start_anyhow(
        listener("identity"),
        search_path=empty,
        environment={"LD_LIBRARY_PATH": str(library.parent)},
        prefix=system_folder.adds(cell.folder, system.parent),
    ) as envoy:
        loaded_only(envoy, library, system_folder.SYSTEM_FOLDER / system.name)


@case("discovery.standard_paths", languages=ONE)
def test_system_folder_last(cell: Cell) -> None:
    """A module that stands nowhere else is taken from the system's library folder."""
    system = cell.install(folder="system")
    empty = cell.folder / "empty"
    empty.mkdir()
    with cell.start_anyhow(
        listener("identity"),
        search_path=empty,
        environment={"LD_LIBRARY_PATH": str(empty)},
        prefix=system_folder.adds(cell.folder, system.parent),
    ) as envoy:
        loaded_only(envoy, system_folder.SYSTEM_FOLDER / system.name)


@case("loading.failure_rejects", languages=ONE)
def test_nothing_found(cell: Cell) -> None:
    """A module that is nowhere has its configuration rejected by name, and the process serves on."""
    empty = cell.folder / "empty"
    empty.mkdir()
    with cell.start_anyhow(listener("identity", module="absent"), search_path=empty) as envoy:
        update = envoy.first_update
        assert not update.accepted, "expected the configuration to be rejected, it was accepted"
        assert "libabsent.so" in update.message or "absent" in update.message.split(), (
            f"expected the rejection to name the module absent, it says: {update.message}"
        )
        cell.still_serves(envoy)
