"""Ways to make the cases of `discovery` wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dmconform.casekit import needed_library
from dmconform.core.values import Language, Outcome
from dmconform.envoy.config import LocalFile
from dmconform.envoy.envoy import Envoy
from dmconform.matrix.cell import Cell

from tests.hosts import sabotage
from tests.hosts.sabotage import Sabotage, both
from tests.hosts.wrong import Wrong
from tests.hosts.wrong.configuration import serves_no_more

ELSEWHERE = sabotage.searching("elsewhere")
NOWHERE = sabotage.modules(lambda one: replace(one, local=LocalFile("/nowhere.so")))
BY_NAME = sabotage.modules(lambda one: replace(one, local=None))


def named(name: str) -> Sabotage:
    """Each configuration names a module of this name."""
    return sabotage.modules(lambda one: replace(one, name=name))


def allowed(cell: Cell, _: dict[str, Any]) -> None:
    """The host may look into the folder that is forbidden."""
    (cell.folder / "forbidden").chmod(0o700)


def with_probe(cell: Cell, options: dict[str, Any]) -> None:
    """The folder that is searched has a right module."""
    options["search_path"] = cell.install().parent


def in_third_folder(cell: Cell, options: dict[str, Any]) -> None:
    """The variable names a folder with a right module."""
    options["search_path"] = cell.install(folder="third").parent


def in_modules_folder(cell: Cell, options: dict[str, Any]) -> None:
    """The host runs in the folder that it should not look into."""
    options["working_folder"] = cell.modules_folder


def library_given(cell: Cell, options: dict[str, Any]) -> None:
    """LD_LIBRARY_PATH has the library that the module needs."""
    options["environment"] = {"LD_LIBRARY_PATH": str(needed_library.write_needed_library(cell.folder / "given").parent)}


def library_path_is_modules_folder(cell: Cell, options: dict[str, Any]) -> None:
    """LD_LIBRARY_PATH is the module's own folder."""
    options["environment"] = {"LD_LIBRARY_PATH": str(cell.modules_folder)}


def none_in_current_directory(cell: Cell, _: dict[str, Any]) -> None:
    """The current directory has no broken module."""
    (cell.folder / "here" / "libhere.so").unlink()


def not_in_second_folder(cell: Cell, _: dict[str, Any]) -> None:
    """One of the modules does not stand in the second folder."""
    (cell.folder / "second" / "libword_size.so").unlink()


def right_in_first_folder(cell: Cell, _: dict[str, Any]) -> None:
    """The first folder has right modules."""
    for name in ("machine", "word_size"):
        cell.install(name=name, folder="first")


def library_not_beside(cell: Cell, _: dict[str, Any]) -> None:
    """The library that the module needs does not stand next to it."""
    (cell.modules_folder / needed_library.NEEDED_LIBRARY).unlink()


def without_text(envoy: Envoy) -> None:
    """The text that is no module is not there."""
    (envoy.folder / "searched" / "libtext.so").unlink(missing_ok=True)


def rejections(case: str, names: str, accepted: Sabotage, unnamed: Sabotage) -> tuple[Wrong, ...]:
    """A case that wants a configuration rejected by name."""
    return (
        Wrong(case, "accepted", accepted, "expected the configuration to be rejected, it was accepted"),
        Wrong(case, "not named", unnamed, f"expected the rejection to name {names}"),
    )


def local_on_route(local: LocalFile | None) -> Sabotage:
    """Routes name a module in another way than the case says."""
    return sabotage.routes(lambda given: tuple(replace(one, module=replace(one.module, local=local)) for one in given))


TABLE = (
    Wrong(
        "discovery/local_file_on_a_route",
        "named by its name",
        local_on_route(None),
        "expected .*/any name.module to be loaded",
    ),
    Wrong(
        "discovery/local_file_on_a_route",
        "missing",
        local_on_route(LocalFile("/nowhere.so")),
        "/nowhere.so",
        Outcome.REJECTED,
    ),
    Wrong(
        "discovery/broken_module_is_not_passed_over_later",
        "none in the current directory",
        sabotage.start_with(none_in_current_directory),
        "expected second/libhere.so not to be loaded, it is",
    ),
    Wrong(
        "discovery/broken_module_is_not_passed_over_later",
        "not named",
        sabotage.log_says("libpath.so", "something"),
        "expected the rejection to name libpath.so",
    ),
    Wrong(
        "discovery/other_machine_in_library_path",
        "right in the first folder",
        sabotage.start_with(right_in_first_folder),
        "expected second/libmachine.so to be loaded",
    ),
    Wrong(
        "discovery/other_machine_in_library_path",
        "not in the second folder",
        sabotage.start_with(not_in_second_folder),
        "word_size",
        Outcome.REJECTED,
    ),
    Wrong(
        "discovery/name_with_slash_elsewhere",
        "in the variable's folder",
        sabotage.searching("library"),
        "expected libbelow/probe.so to be loaded",
    ),
    Wrong(
        "discovery/name_with_slash_elsewhere",
        "not in the current directory",
        sabotage.without("working_folder"),
        "below/probe",
        Outcome.REJECTED,
    ),
    Wrong(
        "discovery/search_path_first",
        "not where it searches",
        sabotage.without_copy_in("searched"),
        "expected searched/libprobe.so to be loaded",
    ),
    Wrong(
        "discovery/search_path_first",
        "variable unset",
        sabotage.without("search_path"),
        "expected searched/libprobe.so to be loaded",
    ),
    Wrong(
        "discovery/search_path_first",
        "nowhere at all",
        sabotage.without("search_path", "working_folder", "environment"),
        "libprobe.so",
        Outcome.REJECTED,
    ),
    Wrong(
        "discovery/current_directory_when_unset",
        "variable set",
        sabotage.searching("library"),
        "expected here/libprobe.so to be loaded",
    ),
    Wrong(
        "discovery/current_directory_when_unset",
        "not in the current directory",
        sabotage.without("working_folder"),
        "expected here/libprobe.so to be loaded",
    ),
    Wrong(
        "discovery/current_directory_only_when_unset",
        "variable unset",
        sabotage.without("search_path"),
        "expected the configuration to be rejected",
    ),
    Wrong(
        "discovery/current_directory_only_when_unset",
        "rejected anyhow",
        sabotage.without("working_folder"),
        "libprobe.so",
        Outcome.REJECTED,
    ),
    Wrong(
        "discovery/library_path_next",
        "LD_LIBRARY_PATH unset",
        sabotage.without("environment"),
        "expected library/libprobe.so to be loaded",
    ),
    Wrong(
        "discovery/library_path_next",
        "found in the variable's folder",
        sabotage.searching("system"),
        "expected library/libprobe.so to be loaded",
    ),
    Wrong(
        "discovery/system_folder_last",
        "not in the system's folder",
        sabotage.without("prefix"),
        "libprobe.so",
        Outcome.REJECTED,
    ),
    Wrong(
        "discovery/system_folder_last",
        "found elsewhere",
        sabotage.searching("system"),
        "expected lib/libprobe.so to be loaded",
    ),
    Wrong(
        "discovery/nothing_found",
        "it is there",
        sabotage.with_copy_named("absent"),
        "expected the configuration to be rejected",
    ),
    Wrong(
        "discovery/nothing_found",
        "not named",
        sabotage.log_says("absent", "something"),
        "expected the rejection to name the module absent",
    ),
    Wrong(
        "discovery/nothing_found",
        "serves no more",
        sabotage.stops_serving,
        "expected a good configuration to be accepted afterwards",
    ),
    Wrong("discovery/every_step_when_set", "no system folder", sabotage.without("prefix"), "libin_one.so", Outcome.REJECTED),
    Wrong(
        "discovery/every_step_when_set",
        "another folder",
        sabotage.searching("library"),
        "expected searched/libin_all.so to be loaded",
    ),
    Wrong("discovery/every_step_when_unset", "no system folder", sabotage.without("prefix"), "libin_one.so", Outcome.REJECTED),
    Wrong(
        "discovery/every_step_when_unset",
        "variable set",
        sabotage.searching("library"),
        "expected here/libin_all.so to be loaded",
    ),
    Wrong(
        "discovery/relative_folder",
        "in another directory",
        sabotage.without("working_folder"),
        "expected below/libprobe.so to be loaded",
    ),
    Wrong(
        "discovery/relative_folder",
        "variable unset",
        sabotage.without("search_path"),
        "expected below/libprobe.so to be loaded",
    ),
    Wrong(
        "discovery/spaces_and_accents",
        "variable unset",
        sabotage.without("search_path"),
        "expected süß und 模块/libprobe.so to be loaded",
    ),
    Wrong(
        "discovery/spaces_and_accents",
        "not there",
        sabotage.without_copy_in("süß und 模块"),
        "expected süß und 模块/libprobe.so to be loaded",
    ),
    Wrong(
        "discovery/no_list_of_folders",
        "first folder",
        sabotage.searching("first"),
        "expected first:second/libprobe.so to be loaded",
    ),
    Wrong(
        "discovery/no_list_of_folders", "not there", sabotage.without_copy_in("first:second"), "libprobe.so", Outcome.REJECTED
    ),
    Wrong(
        "discovery/missing_folder",
        "variable unset",
        sabotage.without("search_path"),
        "expected library/libprobe.so to be loaded",
    ),
    Wrong(
        "discovery/missing_folder", "LD_LIBRARY_PATH unset", sabotage.without("environment"), "libprobe.so", Outcome.REJECTED
    ),
    Wrong(
        "discovery/symlinked_folder",
        "variable unset",
        sabotage.without("search_path"),
        "expected real/libprobe.so to be loaded",
    ),
    Wrong(
        "discovery/symlinked_folder", "not there", sabotage.without_copy_in("real"), "expected real/libprobe.so to be loaded"
    ),
    Wrong(
        "discovery/empty_variable",
        "nowhere at all",
        sabotage.without("environment", "working_folder"),
        "libprobe.so",
        Outcome.REJECTED,
    ),
    Wrong(
        "discovery/empty_variable",
        "somewhere else",
        sabotage.start_with(in_third_folder),
        "expected one of here/libprobe.so and library/libprobe.so",
    ),
    Wrong(
        "discovery/broken_module_is_not_passed_over",
        "not there",
        sabotage.before_updates(without_text),
        "expected library/libtext.so not to be loaded",
    ),
    Wrong(
        "discovery/broken_module_is_not_passed_over",
        "not named",
        sabotage.log_says("searched/libtext.so", "something"),
        "expected the rejection to name .*searched/libtext.so",
    ),
    Wrong(
        "discovery/broken_module_is_not_passed_over",
        "serves no more",
        serves_no_more,
        "expected the Envoy to serve afterwards",
    ),
    Wrong(
        "discovery/nothing_else_is_searched",
        "it is there",
        sabotage.with_copy_named("wanted"),
        "expected the configuration to be rejected",
    ),
    Wrong(
        "discovery/nothing_else_is_searched",
        "not named",
        sabotage.log_says("libwanted.so", "something"),
        "expected the rejection to name libwanted.so",
    ),
    Wrong(
        "discovery/nothing_else_is_searched",
        "serves no more",
        sabotage.stops_serving,
        "expected a good configuration to be accepted afterwards",
    ),
    Wrong(
        "discovery/names_are_taken_as_they_are",
        "plain names",
        named("probe"),
        "expected modules/libwith.dots.1.so to be loaded",
    ),
    Wrong(
        "discovery/names_are_taken_as_they_are",
        "not there",
        sabotage.without("search_path"),
        "libwith.dots.1.so",
        Outcome.REJECTED,
    ),
    Wrong(
        "discovery/empty_name",
        "not empty",
        both(sabotage.start_with(with_probe), named("probe")),
        "expected the configuration to be rejected, it was accepted",
    ),
    Wrong(
        "discovery/empty_name",
        "serves no more",
        sabotage.stops_serving,
        "expected a good configuration to be accepted afterwards",
    ),
    Wrong("discovery/local_file", "named only", BY_NAME, "expected [^/]+/any name.module to be loaded"),
    Wrong("discovery/local_file", "not there", NOWHERE, "/nowhere.so", Outcome.REJECTED),
    Wrong(
        "discovery/local_file_is_relative_to_the_current_directory",
        "in the searched folder",
        sabotage.start_with(in_modules_folder),
        "expected below/libprobe.so to be loaded",
    ),
    Wrong(
        "discovery/local_file_is_relative_to_the_current_directory",
        "in another directory",
        sabotage.without("working_folder"),
        "below/libprobe.so",
        Outcome.REJECTED,
    ),
    Wrong(
        "discovery/bare_local_file",
        "nowhere at all",
        sabotage.without("environment", "working_folder"),
        "libprobe.so",
        Outcome.REJECTED,
    ),
    Wrong("discovery/bare_local_file", "not there", NOWHERE, "/nowhere.so", Outcome.REJECTED),
    Wrong(
        "discovery/needed_library_in_library_path",
        "LD_LIBRARY_PATH unset",
        sabotage.without("environment"),
        "libneeds.so.1",
        Outcome.REJECTED,
        language=Language.RUST,
    ),
    Wrong(
        "discovery/needed_library_in_library_path",
        "found beside",
        sabotage.start_with(library_path_is_modules_folder),
        "expected library/libneeds.so.1 to be loaded",
        language=Language.RUST,
    ),
    Wrong(
        "discovery/needed_library_by_runpath",
        "not beside",
        sabotage.start_with(library_not_beside),
        "libneeds.so.1",
        Outcome.REJECTED,
        language=Language.RUST,
    ),
    Wrong(
        "discovery/needed_library_by_runpath",
        "found elsewhere",
        sabotage.start_with(library_given),
        "expected modules/libneeds.so.1 to be loaded",
        language=Language.RUST,
    ),
    Wrong(
        "discovery/needed_library_missing",
        "not missing",
        sabotage.start_with(library_given),
        "expected the configuration to be rejected, it was accepted",
        language=Language.RUST,
    ),
    Wrong(
        "discovery/needed_library_missing",
        "not named",
        sabotage.log_says(needed_library.NEEDED_LIBRARY, "something"),
        "expected the rejection to name libneeds.so.1",
        language=Language.RUST,
    ),
    *(
        wrong
        for case in ("discovery/forbidden_folder", "discovery/forbidden_folder_as_update")
        for wrong in rejections(
            case,
            "libhidden.so",
            sabotage.start_with(allowed),
            both(ELSEWHERE, sabotage.log_says("libhidden.so", "something")),
        )
    ),
    *(
        wrong
        for case in ("discovery/long_name", "discovery/long_name_as_update")
        for wrong in rejections(case, "aaa", both(sabotage.start_with(with_probe), named("probe")), named("b"))
    ),
    *rejections("discovery/missing_local_file", ".*/missing.so", BY_NAME, sabotage.log_says("missing.so", "something")),
    Wrong(
        "discovery/missing_local_file",
        "serves no more",
        sabotage.stops_serving,
        "expected a good configuration to be accepted afterwards",
    ),
)
