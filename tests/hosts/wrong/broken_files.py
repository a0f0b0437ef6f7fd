"""Ways to make the cases of `broken_files` wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from dmconform.core.values import Outcome
from dmconform.envoy.envoy import Envoy
from dmconform.matrix.cell import PROBE, Cell

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage, both
from tests.hosts.wrong import Wrong

AT_START_AND_AS_UPDATE = (
    "link_to_itself",
    "unreadable",
    "fifo",
    "cut_behind_headers",
    "cut_in_half",
    "cut_near_end",
)
UNNAMED = sabotage.log_says("libbroken.so", "something")
ACCEPTED = "expected the configuration to be rejected {}, it was accepted"


def cleared(cell: Cell, name: str = "broken") -> Path:
    """Where a file stands, with nothing there any more."""
    file = cell.modules_folder / f"lib{name}.so"
    if file.is_dir():
        file.rmdir()
    file.unlink(missing_ok=True)
    return file


def right(cell: Cell, _: dict[str, Any]) -> None:
    """The file is a module that is right."""
    copy_to(cell, cleared(cell))


def right_one(name: str) -> Callable[[Cell, dict[str, Any]], None]:
    """One of several files is a module that is right."""
    return lambda cell, _: copy_to(cell, cleared(cell, name))


def copy_to(cell: Cell, file: Path) -> None:
    """Writes a module that is right."""
    shutil.copyfile(cell.sdk.modules[PROBE].path, file)


def text(cell: Cell, _: dict[str, Any]) -> None:
    """The file is a text, which each host rejects."""
    cleared(cell).write_text("text")


def right_later(name: str) -> Sabotage:
    """One of several files is right by the time of an update."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        assert_still_serves = Cell.assert_still_serves

        def changed(cell: Cell, envoy: Envoy) -> None:
            assert_still_serves(cell, envoy)
            copy_to(cell, cleared(cell, name))

        patch.setattr(Cell, "assert_still_serves", changed)
        return bench

    return apply


def becomes_right(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """The file is a text when the host starts, and a module that is right by the time of an update."""
    written: list[tuple[Path, Path]] = []

    def remember(cell: Cell, options: dict[str, Any]) -> None:
        text(cell, options)
        written.append((Path(cell.sdk.modules[PROBE].path), cell.modules_folder / "libbroken.so"))

    def write(_: Envoy) -> None:
        for source, target in written:
            target.with_name("right").write_bytes(source.read_bytes())
            target.with_name("right").replace(target)

    return sabotage.before_updates(write)(sabotage.start_with(remember)(bench, case, patch), case, patch)


def used_no_more(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """Updates leave out what uses the module."""
    update = Envoy.update
    patch.setattr(Envoy, "update", lambda envoy, *listeners: update(envoy, *(one for one in listeners if not one.filters)))
    return bench


def overwriting(do: Callable[[Path, bytes], object]) -> Sabotage:
    """Something else is done than to overwrite a file."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        patch.setattr(case, "overwrite", do)
        return bench

    return apply


def moves(file: Path, data: bytes) -> None:
    """Puts a new file in the place of one."""
    new = file.with_suffix(".new")
    new.write_bytes(data)
    new.replace(file)


TABLE = (
    *(
        wrong
        for name in AT_START_AND_AS_UPDATE
        for wrong in (
            Wrong(f"broken_files/{name}", "right", sabotage.start_with(right), ACCEPTED.format("at start")),
            Wrong(
                f"broken_files/{name}",
                "not named",
                both(sabotage.start_with(text), UNNAMED),
                "expected the rejection at start to name libbroken.so",
            ),
        )
    ),
    *(
        wrong
        for case, name in (("no_library", "script"), ("other_library", "machine"), ("no_file", "folder"))
        for wrong in (
            Wrong(
                f"broken_files/{case}",
                "one right",
                sabotage.start_with(right_one(name)),
                f"expected the rejection at start to name lib{name}.so",
            ),
            Wrong(
                f"broken_files/{case}",
                "one right later",
                right_later(name),
                ACCEPTED.format("as an update"),
            ),
            Wrong(
                f"broken_files/{case}",
                "serves no more",
                sabotage.stops_serving,
                "expected a good configuration to be accepted afterwards",
            ),
        )
    ),
    Wrong("broken_files/link_to_itself_as_update", "right", becomes_right, ACCEPTED.format("as an update")),
    Wrong(
        "broken_files/link_to_itself_as_update",
        "not named",
        both(sabotage.start_with(text), UNNAMED),
        "expected the rejection as an update to name libbroken.so",
    ),
    Wrong(
        "broken_files/cut_in_headers",
        "one is right",
        sabotage.start_with(right_one("first_16")),
        "expected the rejection at start to name libfirst_16.so",
    ),
    Wrong(
        "broken_files/cut_in_headers",
        "not named",
        sabotage.log_says("libfirst_64.so", "something"),
        "expected the rejection at start to name libfirst_64.so",
    ),
    Wrong("broken_files/overwritten_in_use", "moved there", overwriting(moves), "expected the host to end, it answers"),
    Wrong(
        "broken_files/overwritten_in_use",
        "not at all",
        overwriting(lambda file, _: file),
        "expected the host to end, it answers",
    ),
    Wrong("broken_files/cut_as_update", "right", sabotage.start_with(right), ACCEPTED.format("as an update")),
    Wrong(
        "broken_files/cut_as_update",
        "not named",
        both(sabotage.start_with(text), UNNAMED),
        "expected the rejection as an update to name libbroken.so",
    ),
    Wrong("broken_files/being_written", "right", sabotage.start_with(right), ACCEPTED.format("while it is empty")),
    Wrong("broken_files/being_written", "whole too soon", becomes_right, ACCEPTED.format("while it is being written")),
    Wrong(
        "broken_files/replaced_in_use",
        "another module",
        sabotage.listener_uses_copy("main"),
        "expected libbroken.so to answer, saw libcopied.so",
    ),
    Wrong("broken_files/replaced_in_use", "not used any more", used_no_more, "expected a listener 'main'"),
    Wrong(
        "broken_files/replaced_in_use",
        "answers otherwise",
        sabotage.filters(lambda one: replace(one, filter_name="local_reply", config="418")),
        "expected status 200 through the module, saw 418",
    ),
    Wrong("broken_files/replaced_in_use", "never used", sabotage.start_with(text), "libbroken.so", Outcome.REJECTED),
)
