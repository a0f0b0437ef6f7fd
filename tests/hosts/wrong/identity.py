"""Ways to make the cases of `identity` wrong."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from dmconform.core.values import Language, Outcome
from dmconform.envoy.config import LocalFile, ModuleRef

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong


def links_are_copies(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """What the case takes for a link to a file is a copy of it."""
    patch.setattr(Path, "symlink_to", lambda link, target: shutil.copyfile(target, link))
    patch.setattr(os, "link", shutil.copyfile)
    return bench


def replacing_is(what: str) -> Sabotage:
    """A file that the case replaces is not: `nothing` happens, or the new file is put `beside` it."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        def pretend(module: Path, _: bytes = b"") -> tuple[int, int]:
            beside = module.with_suffix(".new")
            shutil.copyfile(module, beside)
            return module.stat().st_ino, (module if what == "nothing" else beside).stat().st_ino

        patch.setattr(case, "replace_file", pretend)
        return bench

    return apply


def in_one_folder(module: ModuleRef) -> ModuleRef:
    """Returns a reference to the file in the first of two folders."""
    there = module.local.filename if module.local is not None else ""
    return replace(module, local=LocalFile(there.replace("/there/", "/here/")))


NEVER_CLOSED = sabotage.impatient(sabotage.modules(lambda module: replace(module, do_not_close=True)))
NEVER_UNLOADS = sabotage.recorded_of_sdk(unloads=False, unloads_reason="for a test")

TABLE = (
    Wrong(
        "identity/copy_is_another",
        "one file",
        sabotage.same_file("first", "second"),
        "expected each copy to count for itself and say 1, 2, 1",
    ),
    Wrong(
        "identity/copy_is_another",
        "a further copy",
        sabotage.listener_uses_copy("b", also=True),
        "expected 2 initialisations in all, there were 3",
    ),
    Wrong(
        "identity/same_name_elsewhere",
        "one file",
        sabotage.modules(in_one_folder),
        "expected each file to count for itself and say 1, 2, 1",
    ),
    Wrong(
        "identity/same_name_elsewhere",
        "a further copy",
        sabotage.listener_uses_copy("there", also=True),
        "expected 2 initialisations in all, there were 3",
    ),
    Wrong(
        "identity/symbolic_link_is_the_same",
        "a copy",
        links_are_copies,
        "expected the listeners to share one module",
    ),
    Wrong(
        "identity/symbolic_link_is_the_same",
        "a further copy",
        sabotage.listener_uses_copy("b", also=True),
        "expected 1 initialisation in all, there were 2",
    ),
    Wrong(
        "identity/hard_link_is_the_same",
        "a copy",
        links_are_copies,
        "expected the listeners to share one module",
    ),
    Wrong(
        "identity/hard_link_is_the_same",
        "a further copy",
        sabotage.listener_uses_copy("b", also=True),
        "expected 1 initialisation in all, there were 2",
    ),
    Wrong(
        "identity/initialised_again_after_unload",
        "never closed",
        NEVER_CLOSED,
        "expected libprobe.so to be unloaded when nothing uses it",
    ),
    Wrong(
        "identity/initialised_again_after_unload",
        "two files",
        sabotage.listener_uses_copy("b"),
        "expected the listeners to share one module",
    ),
    Wrong(
        "identity/initialised_again_after_unload",
        "a further copy",
        sabotage.listener_uses_copy("b", also=True),
        "expected 2 initialisations in all, there were [34]",
    ),
    Wrong(
        "identity/initialised_again_after_unload",
        "never unloads",
        NEVER_UNLOADS,
        "for a test",
        Outcome.NOT_APPLICABLE,
    ),
    Wrong(
        "identity/kept_not_initialised_again",
        "flag not set",
        sabotage.modules(lambda module: replace(module, do_not_close=False)),
        "expected the module to have kept its state and count 2, it counts 1",
    ),
    Wrong(
        "identity/kept_not_initialised_again",
        "a copy too",
        sabotage.listener_uses_copy("main", also=True),
        "expected 1 initialisation in all, there were [23]",
    ),
    Wrong(
        "identity/replaced_after_unload",
        "never closed",
        NEVER_CLOSED,
        "expected libprobe.so to be unloaded when nothing uses it",
    ),
    Wrong(
        "identity/replaced_after_unload",
        "not replaced",
        replacing_is("beside"),
        "expected the file that has the name now to be loaded, it is not",
    ),
    Wrong(
        "identity/replaced_after_unload",
        "counts on",
        sabotage.filters_twice,
        "expected the new module to count 1, it counts 2",
    ),
    Wrong(
        "identity/replaced_by_the_same",
        "another file",
        sabotage.listener_uses_copy("b"),
        "expected the listeners to share one module",
    ),
    Wrong(
        "identity/replaced_by_the_same",
        "a further copy",
        sabotage.listener_uses_copy("b", also=True),
        "expected 1 initialisation in all, there were 2",
    ),
    Wrong(
        "identity/replaced_while_used",
        "not replaced",
        replacing_is("nothing"),
        "expected the new file's module to count 1, it counts 3",
    ),
    Wrong(
        "identity/replaced_while_used",
        "counts in twos",
        sabotage.filters_twice,
        "expected a fresh module to count 1, it counts 2",
    ),
    Wrong(
        "identity/kept_by_its_linker",
        "is unloaded",
        sabotage.recorded_of_sdk(unloads=False),
        "expected a module that is marked NODELETE to stay loaded, it is gone",
    ),
    Wrong(
        "identity/kept_by_its_linker",
        "unloads",
        sabotage.recorded_of_sdk(unloads=True),
        "modules of this SDK are unloaded",
        Outcome.NOT_APPLICABLE,
        Language.GO,
    ),
    Wrong(
        "identity/kept_by_its_linker",
        "counts in twos",
        sabotage.filters_twice,
        "expected a fresh module to count 1, it counts 2",
        language=Language.GO,
    ),
)
