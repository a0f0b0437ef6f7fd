"""Where a host looks for a module. Who built the module does not matter, so one language is enough."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from dmconform.casekit import (
    NEEDED_LIBRARY,
    PROBE,
    SYSTEM_FOLDER,
    Cell,
    Envoy,
    HttpFilter,
    Language,
    Listener,
    LocalFile,
    Minor,
    ModuleRef,
    PerRoute,
    Update,
    accepted,
    case,
    listener,
    system_folder_prefix,
    unprivileged_prefix,
    write_module_that_needs_it,
    write_needed_library,
)

ONE = (Language.CPP,)
LOCAL_FILE_SINCE = Minor.parse("1.38")
LONG = "a" * 300  # more than a file's name may have


def assert_loaded_only(envoy: Envoy, expected: Path, *others: Path) -> None:
    """Asserts that the Envoy accepted its configuration and has mapped the expected copy, and none of the others."""
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
        assert_loaded_only(envoy, wanted, here, library)


@case("discovery.current_directory", languages=ONE)
def test_current_directory_when_unset(cell: Cell) -> None:
    """Without the variable a module in the current directory is taken, before LD_LIBRARY_PATH."""
    here, library = cell.install(folder="here"), cell.install(folder="library")
    with cell.start_anyhow(
        listener("identity"), working_folder=here.parent, environment={"LD_LIBRARY_PATH": str(library.parent)}
    ) as envoy:
        assert_loaded_only(envoy, here, library)


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
        assert_loaded_only(envoy, here)  # else the rejection above would say nothing


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
        prefix=system_folder_prefix(cell.folder, system.parent),
    ) as envoy:
        assert_loaded_only(envoy, library, SYSTEM_FOLDER / system.name)


@case("discovery.standard_paths", languages=ONE)
def test_system_folder_last(cell: Cell) -> None:
    """A module that is in no other folder is taken from the system's library folder."""
    system = cell.install(folder="system")
    empty = cell.folder / "empty"
    empty.mkdir()
    with cell.start_anyhow(
        listener("identity"),
        search_path=empty,
        environment={"LD_LIBRARY_PATH": str(empty)},
        prefix=system_folder_prefix(cell.folder, system.parent),
    ) as envoy:
        assert_loaded_only(envoy, SYSTEM_FOLDER / system.name)


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
        # [date][thread][level][logger]
        lines = re.findall(r"^\[[^\]]*\]\[\d+\]\[(\w+)\]\[(\w+)\].*libabsent\.so", envoy.read_log(), re.MULTILINE)
        cell.facts["lines that name the module"] = ", ".join(f"{level} of {logger}" for level, logger in lines)
        cell.assert_still_serves(envoy)


def assert_rejected(update: Update, *names: str) -> None:
    """Asserts that a configuration was rejected, with a message that names one of these."""
    assert not update.accepted, "expected the configuration to be rejected, it was accepted"
    assert any(name in update.message for name in names), (
        f"expected the rejection to name {' or '.join(names)}, it says: {update.message}"
    )


def one_each(*modules: str) -> tuple[Listener, ...]:
    """Returns a listener for each module."""
    return tuple(listener("identity", name=f"uses {module}", module=module) for module in modules)


@case("discovery.search_path", "discovery.standard_paths", languages=ONE)
def test_every_step_when_set(cell: Cell) -> None:
    """With the variable set: its folder, then LD_LIBRARY_PATH, then the system's folder, each before all that come later."""
    searched = cell.install(name="in_all", folder="searched")
    library = [cell.install(name=name, folder="library") for name in ("in_all", "in_two")]
    system = [cell.install(name=name, folder="system") for name in ("in_all", "in_two", "in_one")]
    here = [cell.install(name=name, folder="here") for name in ("in_all", "in_two", "in_one")]
    with cell.start_anyhow(
        *one_each("in_all", "in_two", "in_one"),
        search_path=searched.parent,
        working_folder=here[0].parent,
        environment={"LD_LIBRARY_PATH": str(library[0].parent)},
        prefix=system_folder_prefix(cell.folder, system[0].parent),
    ) as envoy:
        mounted = [SYSTEM_FOLDER / file.name for file in system]
        assert_loaded_only(envoy, searched, library[0], mounted[0], here[0])
        assert_loaded_only(envoy, library[1], mounted[1], here[1])
        assert_loaded_only(envoy, mounted[2], here[2])


@case("discovery.current_directory", "discovery.standard_paths", languages=ONE)
def test_every_step_when_unset(cell: Cell) -> None:
    """With the variable unset: the current directory, then LD_LIBRARY_PATH, then the system's folder, each before the later."""
    here = cell.install(name="in_all", folder="here")
    library = [cell.install(name=name, folder="library") for name in ("in_all", "in_two")]
    system = [cell.install(name=name, folder="system") for name in ("in_all", "in_two", "in_one")]
    with cell.start_anyhow(
        *one_each("in_all", "in_two", "in_one"),
        working_folder=here.parent,
        environment={"LD_LIBRARY_PATH": str(library[0].parent)},
        prefix=system_folder_prefix(cell.folder, system[0].parent),
    ) as envoy:
        mounted = [SYSTEM_FOLDER / file.name for file in system]
        assert_loaded_only(envoy, here, library[0], mounted[0])
        assert_loaded_only(envoy, library[1], mounted[1])
        assert_loaded_only(envoy, mounted[2])


@case("discovery.search_path", languages=ONE)
def test_relative_folder(cell: Cell) -> None:
    """A relative folder in the variable, with a slash at its end, is one below the current directory."""
    wanted = cell.install(folder="here/below")
    here, library = cell.install(folder="here"), cell.install(folder="library")
    with cell.start_anyhow(
        listener("identity"),
        search_path="below/",
        working_folder=here.parent,
        environment={"LD_LIBRARY_PATH": str(library.parent)},
    ) as envoy:
        assert_loaded_only(envoy, wanted, here, library)


@case("discovery.search_path", languages=ONE)
def test_spaces_and_accents(cell: Cell) -> None:
    """The variable's folder may have spaces and letters outside ASCII in its name, and a slash at its end."""
    wanted = cell.install(folder="süß und 模块")
    library = cell.install(folder="library")
    with cell.start_anyhow(
        listener("identity"), search_path=f"{wanted.parent}/", environment={"LD_LIBRARY_PATH": str(library.parent)}
    ) as envoy:
        assert_loaded_only(envoy, wanted, library)


@case("discovery.search_path", languages=ONE)
def test_no_list_of_folders(cell: Cell) -> None:
    """The variable names one folder, whose name may have a colon: it is no list."""
    wanted = cell.install(folder="first:second")
    first, second = cell.install(folder="first"), cell.install(folder="here/second")
    with cell.start_anyhow(
        listener("identity"), search_path=cell.folder / "first:second", working_folder=second.parent.parent
    ) as envoy:
        assert_loaded_only(envoy, wanted, first, second)


@case("discovery.standard_paths", languages=ONE)
def test_missing_folder(cell: Cell) -> None:
    """Where the variable's folder is missing, the search goes on in LD_LIBRARY_PATH, not in the current directory."""
    here, library = cell.install(folder="here"), cell.install(folder="library")
    with cell.start_anyhow(
        listener("identity"),
        search_path=cell.folder / "missing",
        working_folder=here.parent,
        environment={"LD_LIBRARY_PATH": str(library.parent)},
    ) as envoy:
        assert_loaded_only(envoy, library, here)


@case("discovery.search_path", languages=ONE)
def test_symlinked_folder(cell: Cell) -> None:
    """The variable may name a symbolic link to a folder."""
    wanted = cell.install(folder="real")
    library = cell.install(folder="library")
    link = cell.folder / "link"
    link.symlink_to("real")
    with cell.start_anyhow(
        listener("identity"), search_path=link, environment={"LD_LIBRARY_PATH": str(library.parent)}
    ) as envoy:
        assert_loaded_only(envoy, wanted, library)


def forbidden(cell: Cell) -> Path:
    """Installs a module in a folder that hosts may not look into."""
    file = cell.install(name="hidden", folder="forbidden")
    file.parent.chmod(0)
    return file


@case("loading.failure_rejects", languages=ONE)
def test_forbidden_folder(cell: Cell) -> None:
    """Where the host may not look into the variable's folder, a module in it is rejected by name."""
    hidden = forbidden(cell)
    with cell.start_anyhow(
        listener("identity", module="hidden"), search_path=hidden.parent, prefix=unprivileged_prefix()
    ) as envoy:
        assert_rejected(envoy.first_update, hidden.name)
        cell.assert_still_serves(envoy)


@case("loading.failure_rejects", languages=ONE)
def test_forbidden_folder_as_update(cell: Cell) -> None:
    """Where the host may not look into the variable's folder, an update with a module in it is rejected by name."""
    hidden = forbidden(cell)
    with cell.start_anyhow(Listener("main"), search_path=hidden.parent, prefix=unprivileged_prefix()) as envoy:
        assert_rejected(envoy.update(listener("identity", module="hidden")), hidden.name)
        cell.assert_still_serves(envoy)


@case("discovery.empty_variable", languages=ONE, supported_for=())
def test_empty_variable(cell: Cell) -> None:
    """With the variable empty, a host does one of two: as if it were unset, or as if it named the root folder."""
    here, library = cell.install(folder="here"), cell.install(folder="library")
    with cell.start_anyhow(
        listener("identity"), search_path="", working_folder=here.parent, environment={"LD_LIBRARY_PATH": str(library.parent)}
    ) as envoy:
        accepted(envoy)
        found = [folder for folder, file in (("here", here), ("library", library)) if envoy.has_mapped(file)]
    assert len(found) == 1, f"expected one of here/libprobe.so and library/libprobe.so to be loaded, seen: {found or 'none'}"
    cell.facts["an empty variable"] = "counts as unset" if found == ["here"] else "names the root folder"


@case("discovery.search_path", "discovery.standard_paths", "loading.failure_rejects", languages=ONE)
def test_nothing_else_is_searched(cell: Cell) -> None:
    """No folder near the variable's is searched, and no other name is tried: a module that is only there is rejected."""
    near = ("searched/modules/libwanted.so", "libwanted.so", "here/libwanted.so", "home/libwanted.so")
    named = ("wanted.so", "libwanted", "wanted", "libwanted.so.1", "libwanted.a", "LIBWANTED.SO", "wanted.d/module.so")
    probe = cell.install()
    decoys = [cell.folder / one for one in (*near, "first/libwanted.so", *(f"searched/{one}" for one in named))]
    for decoy in decoys:
        decoy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(probe, decoy)
    wanted = listener("identity", module="wanted")
    first, second, searched = (str(cell.folder / name) for name in ("first", "second", "searched"))
    for search_path in (searched, f"{first}:{second}", f"{searched}:{first}"):  # no folder has such a name as the last two
        with cell.start_anyhow(
            wanted,
            search_path=search_path,
            working_folder=cell.folder / "here",
            environment={"HOME": str(cell.folder / "home")},
        ) as envoy:
            assert_rejected(envoy.first_update, "libwanted.so")
            cell.assert_still_serves(envoy)


@case("discovery.first_found_decides", languages=ONE)
def test_broken_module_is_not_passed_over(cell: Cell) -> None:
    """A text, an empty file or a folder in the variable's folder is rejected by path, though LD_LIBRARY_PATH has a module."""
    good = cell.install(folder="searched")
    makers: dict[str, Callable[[Path], object]] = {
        "text": lambda file: file.write_text("no library\n", encoding="utf-8"),
        "empty": Path.touch,
        "folder": Path.mkdir,
    }
    plain = listener("identity")
    libraries = {name: cell.install(name=name, folder="library") for name in makers}
    with cell.start_anyhow(
        plain, search_path=good.parent, environment={"LD_LIBRARY_PATH": str(cell.folder / "library")}
    ) as envoy:
        accepted(envoy)
        for name, make in makers.items():
            library, broken = libraries[name], good.with_name(f"lib{name}.so")
            make(broken)
            update = envoy.update(plain, listener("identity", name=name, module=name))
            assert not envoy.has_mapped(library), f"expected library/{library.name} not to be loaded, it is"
            assert_rejected(update, str(broken))
        cell.assert_still_serves(envoy)


@case("discovery.first_found_decides", languages=ONE)
def test_broken_module_is_not_passed_over_later(cell: Cell) -> None:
    """So it is in the current directory, and in the first of LD_LIBRARY_PATH's folders, though the next one has a good one."""
    here = cell.folder / "here" / "libhere.so"
    first = cell.folder / "first" / "libpath.so"
    good = [cell.install(name=name, folder="second") for name in ("here", "path")]
    for broken in (here, first):
        broken.parent.mkdir()
        broken.write_text("no library\n", encoding="utf-8")
    with cell.start_anyhow(
        Listener("main"),
        working_folder=here.parent,
        environment={"LD_LIBRARY_PATH": f"{first.parent}:{good[0].parent}"},
    ) as envoy:
        for broken, passed in zip((here, first), good, strict=True):
            name = broken.stem.removeprefix("lib")
            update = envoy.update(listener("identity", module=name))
            assert not envoy.has_mapped(passed), f"expected second/{passed.name} not to be loaded, it is"
            assert_rejected(update, broken.name)
        cell.assert_still_serves(envoy)


@case("discovery.first_found_decides", languages=ONE, supported_for=())
def test_other_machine_in_library_path(cell: Cell) -> None:
    """The linker passes over a library for another machine, or of another word size, in LD_LIBRARY_PATH, and takes the next."""
    header = {"machine": (18, 183), "word_size": (4, 1)}  # where the file's header says so, and AArch64 and 32 bits
    good = [cell.install(name=name, folder="second") for name in header]
    first = cell.folder / "first"
    first.mkdir()
    for file, (offset, value) in zip(good, header.values(), strict=True):
        data = bytearray(file.read_bytes())
        data[offset] = value
        (first / file.name).write_bytes(data)
    with cell.start_anyhow(
        *one_each(*header), environment={"LD_LIBRARY_PATH": f"{first}:{good[0].parent}"}, working_folder=cell.folder
    ) as envoy:
        for file in good:
            assert_loaded_only(envoy, file, first / file.name)


@case("discovery.current_directory", languages=ONE, supported_for=())
def test_name_with_slash_elsewhere(cell: Cell) -> None:
    """A name with a slash is a path to the linker: after the variable's folder it is tried below the current directory."""
    here, library = (cell.install(name="below/probe", folder=folder) for folder in ("here", "library"))
    with cell.start_anyhow(
        listener("identity", module="below/probe"),
        search_path=cell.folder / "missing",
        working_folder=cell.folder / "here",
        environment={"LD_LIBRARY_PATH": str(cell.folder / "library")},
    ) as envoy:
        assert_loaded_only(envoy, here, library)


@case("discovery.search_path", languages=ONE)
def test_names_are_taken_as_they_are(cell: Cell) -> None:
    """Whatever a name holds, the file is libNAME.so: dots, `lib`, `.so`, spaces, letters outside ASCII, slashes."""
    names = ("with.dots.1", "libprobe", "probe.so", "with space", "über", "below/probe")
    decoys = (cell.install(), cell.install(folder="modules/below"))
    wanted = [cell.install(name=name) for name in names]
    with cell.start_anyhow(*one_each(*names), search_path=cell.modules_folder) as envoy:
        for file in wanted:
            assert_loaded_only(envoy, file, *decoys)


@case("discovery.name_required", languages=ONE)
def test_empty_name(cell: Cell) -> None:
    """An empty name is rejected, also where there is a file lib.so."""
    decoy = cell.install(name="")
    with cell.start_anyhow(listener("identity", module=""), search_path=decoy.parent) as envoy:
        assert not envoy.first_update.accepted, "expected the configuration to be rejected, it was accepted"
        assert not envoy.has_mapped(decoy), "expected lib.so not to be loaded, it is"
        cell.assert_still_serves(envoy)


@case("loading.failure_rejects", languages=ONE)
def test_long_name(cell: Cell) -> None:
    """A name that is too long for any file is rejected, and the process serves on."""
    with cell.start_anyhow(listener("identity", module=LONG), search_path=cell.folder) as envoy:
        assert_rejected(envoy.first_update, LONG)
        cell.assert_still_serves(envoy)


@case("loading.failure_rejects", languages=ONE)
def test_long_name_as_update(cell: Cell) -> None:
    """An update with a name that is too long for any file is rejected, and the process serves on."""
    with cell.start_anyhow(Listener("main"), search_path=cell.folder) as envoy:
        assert_rejected(envoy.update(listener("identity", module=LONG)), LONG)
        cell.assert_still_serves(envoy)


def local_file(filename: str, name: str) -> Listener:
    """Returns a listener with a module that is named by its file, and by a name."""
    return listener("identity", module=ModuleRef(name, local=LocalFile(filename)))


@case("discovery.local_file", languages=ONE)
def test_local_file(cell: Cell) -> None:
    """`module.local.filename` with an absolute path loads that file, whatever it is called, and beats the name."""
    cell.needs(cell.host_minor >= LOCAL_FILE_SINCE, "hosts before 1.38 know modules by their name only")
    decoy = cell.install(name="decoy")
    wanted = cell.folder / "any name.module"
    shutil.copyfile(decoy, wanted)
    with cell.start_anyhow(local_file(str(wanted), "decoy"), search_path=decoy.parent) as envoy:
        assert_loaded_only(envoy, wanted, decoy)


@case("discovery.local_file", languages=ONE)
def test_local_file_is_relative_to_the_current_directory(cell: Cell) -> None:
    """`module.local.filename` with a relative path is one below the current directory; the variable does not matter."""
    cell.needs(cell.host_minor >= LOCAL_FILE_SINCE, "hosts before 1.38 know modules by their name only")
    wanted = cell.install(folder="here/below")
    decoy = cell.install(folder="modules/below")
    with cell.start_anyhow(
        local_file("below/libprobe.so", "below"), search_path=cell.modules_folder, working_folder=wanted.parent.parent
    ) as envoy:
        assert_loaded_only(envoy, wanted, decoy)


@case("discovery.local_file", languages=ONE)
def test_local_file_on_a_route(cell: Cell) -> None:
    """In a per-route configuration `module.local.filename` names the file as well, and beats the name."""
    cell.needs(cell.host_minor >= LOCAL_FILE_SINCE, "hosts before 1.38 know modules by their name only")
    decoy = cell.install(name="decoy")
    wanted = cell.folder / "any name.module"
    shutil.copyfile(cell.install(), wanted)
    filter_ = HttpFilter(ModuleRef(PROBE), "per_route", "T")
    of_route = PerRoute(filter_.entry, ModuleRef("decoy", local=LocalFile(str(wanted))), "per_route", "R")
    with cell.start_anyhow(Listener("main", (filter_,), (of_route,)), search_path=decoy.parent) as envoy:
        assert_loaded_only(envoy, wanted, decoy)


@case("discovery.local_file", languages=ONE)
def test_bare_local_file(cell: Cell) -> None:
    """`module.local.filename` without a slash names a file in the current directory, not one that the linker would find."""
    cell.needs(cell.host_minor >= LOCAL_FILE_SINCE, "hosts before 1.38 know modules by their name only")
    wanted, library = cell.install(folder="here"), cell.install(folder="library")
    with cell.start_anyhow(
        local_file("libprobe.so", "bare"),
        working_folder=wanted.parent,
        environment={"LD_LIBRARY_PATH": str(library.parent)},
    ) as envoy:
        assert_loaded_only(envoy, wanted, library)


@case("discovery.local_file", "loading.failure_rejects", languages=ONE)
def test_missing_local_file(cell: Cell) -> None:
    """A missing `module.local.filename` is rejected by name, though there is a module of the name."""
    cell.needs(cell.host_minor >= LOCAL_FILE_SINCE, "hosts before 1.38 know modules by their name only")
    decoy = cell.install(name="decoy")
    missing = cell.folder / "missing.so"
    with cell.start_anyhow(local_file(str(missing), "decoy"), search_path=decoy.parent) as envoy:
        assert_rejected(envoy.first_update, str(missing))
        assert not envoy.has_mapped(decoy), "expected modules/libdecoy.so not to be loaded, it is"
        cell.assert_still_serves(envoy)


# Rust's modules need a library that nothing else in a host needs.
NEEDS = (Language.RUST,)


def needing(cell: Cell, runpath: str | None = None) -> Path:
    """Writes a module that needs a library which is not on this machine."""
    cell.modules_folder.mkdir()
    module = cell.modules_folder / "libneeding.so"
    write_module_that_needs_it(Path(cell.sdk.modules[PROBE].path), module, runpath)
    return module


@case("discovery.needed_library", "loading.failure_rejects", languages=NEEDS)
def test_needed_library_missing(cell: Cell) -> None:
    """A module that needs a library which is nowhere is rejected with the name of that library."""
    module = needing(cell)
    with cell.start_anyhow(listener("identity", module="needing"), search_path=module.parent) as envoy:
        assert_rejected(envoy.first_update, NEEDED_LIBRARY)
        cell.assert_still_serves(envoy)


@case("discovery.needed_library", languages=NEEDS)
def test_needed_library_in_library_path(cell: Cell) -> None:
    """A library that the module needs is found in LD_LIBRARY_PATH, and not because it is next to the module."""
    module = needing(cell)
    library = write_needed_library(cell.folder / "library")
    beside = write_needed_library(cell.modules_folder)
    with cell.start_anyhow(
        listener("identity", module="needing"),
        search_path=module.parent,
        environment={"LD_LIBRARY_PATH": str(library.parent)},
    ) as envoy:
        assert_loaded_only(envoy, module)
        assert_loaded_only(envoy, library, beside)


@case("discovery.needed_library", languages=NEEDS)
def test_needed_library_by_runpath(cell: Cell) -> None:
    """A library that the module needs is found next to it through the RUNPATH `$ORIGIN`."""
    module = needing(cell, runpath="$ORIGIN")
    beside = write_needed_library(cell.modules_folder)
    with cell.start_anyhow(listener("identity", module="needing"), search_path=module.parent) as envoy:
        assert_loaded_only(envoy, module)
        assert_loaded_only(envoy, beside)
