"""Ways to make the cases of `discovery` wrong."""

from __future__ import annotations

from harness.model import Outcome
from tests.hosts import sabotage
from tests.hosts.wrong import Wrong

TABLE = (
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
)
