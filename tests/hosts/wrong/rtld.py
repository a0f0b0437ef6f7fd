"""Ways to make the cases of `rtld` wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from types import ModuleType
from typing import Any

import pytest
from dmconform.casekit.identity import Held, held
from dmconform.casekit.unloading import assert_unloaded
from dmconform.core.values import Outcome
from dmconform.envoy.config import HttpFilter, Listener, ModuleRef
from dmconform.envoy.envoy import Envoy
from dmconform.matrix.cell import Cell

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong


def before_second_attempt(do: Callable[[Cell], object]) -> Sabotage:
    """Something happens between two attempts to load a module."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        assert_still_serves = Cell.assert_still_serves

        def then(cell: Cell, envoy: Envoy) -> None:
            assert_still_serves(cell, envoy)
            do(cell)

        patch.setattr(Cell, "assert_still_serves", then)
        return bench

    return apply


def first_attempt_with(really: str) -> Sabotage:
    """The first attempt meets another of the built modules."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        start_anyhow = Cell.start_anyhow

        def starting(cell: Cell, *listeners: Listener, **options: Any) -> Envoy:  # noqa: ANN401 - as they come
            cell.install(really, "probe")
            return start_anyhow(cell, *listeners, **options)

        patch.setattr(Cell, "start_anyhow", starting)
        return before_second_attempt(lambda cell: cell.install())(bench, case, patch)

    return apply


def leaves_modules(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """Every update leaves a module behind that is never unloaded."""
    numbers, reconfigure = count(), Cell.reconfigure

    def leaving(cell: Cell, envoy: Envoy, *listeners: Listener) -> None:
        name = f"left{next(numbers)}"
        cell.install(name=name)
        left = Listener("left", (HttpFilter(ModuleRef(name, do_not_close=True), "identity"),))
        reconfigure(cell, envoy, *listeners, left)

    patch.setattr(Cell, "reconfigure", leaving)
    return bench


def canary_goes_first(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """When all listeners go, the one with the canary is gone while the others have a second left."""
    reconfigure = Cell.reconfigure
    before: list[Listener] = []

    def one_by_one(cell: Cell, envoy: Envoy, *listeners: Listener) -> None:
        if before and not listeners:
            reconfigure(cell, envoy, *before[:-1])
            assert_unloaded(envoy, cell.modules_folder / "libcanary.so")
        reconfigure(cell, envoy, *listeners)
        before[:] = listeners

    patch.setattr(Cell, "reconfigure", one_by_one)
    return sabotage.start_with(lambda _, options: options.update(drain_s=1))(bench, case, patch)


def ever_larger(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """Every configuration is larger than the one before."""
    numbers, to_json = count(), HttpFilter.to_json
    patch.setattr(HttpFilter, "to_json", lambda one: to_json(replace(one, config="x" * (next(numbers) << 13))))
    return bench


def holds_more(files: int = 0, in_all: int = 0) -> Sabotage:
    """Each time it is asked what it holds, a process says more."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        numbers, really = count(), held

        def more(envoy: Envoy) -> Held:
            seen, number = really(envoy), next(numbers)
            own, resident = seen.memory
            return replace(seen, files=seen.files + number * files, memory=(own, resident + number * in_all))

        patch.setattr(case, "held", more)
        return bench

    return apply


TABLE = (
    Wrong(
        "rtld/local_by_default",
        "loaded globally",
        sabotage.modules(lambda module: replace(module, load_globally=True)),
        "expected no module's symbols to be visible globally, those of libfirst.so are",
    ),
    Wrong(
        "rtld/local_by_default",
        "one file twice",
        sabotage.same_file("first", "second"),
        "expected libsecond.so to answer, libfirst.so did",
    ),
    Wrong(
        "rtld/load_globally",
        "loaded locally",
        sabotage.modules(lambda module: replace(module, load_globally=False)),
        "expected the symbols of libglobal.so to be visible globally, found none",
    ),
    Wrong(
        "rtld/load_globally",
        "the local one too",
        sabotage.modules(lambda module: replace(module, load_globally=True)),
        "expected the symbols of libglobal.so to be visible globally, found liblocal.so",
    ),
    Wrong(
        "rtld/flags_are_separate",
        "kept is global",
        sabotage.modules(lambda module: replace(module, load_globally=module.do_not_close)),
        "to be those of none, found libkept.so",
    ),
    Wrong(
        "rtld/flags_are_separate",
        "none is global",
        sabotage.modules(lambda module: replace(module, load_globally=False)),
        "to be those of libboth.so, found none",
    ),
    Wrong(
        "rtld/flags_are_separate",
        "not kept",
        sabotage.modules(lambda module: replace(module, do_not_close=False)),
        "expected libkept.so with do_not_close to stay loaded, it is gone",
    ),
    Wrong(
        "rtld/global_symbols_first",
        "the first is local",
        sabotage.modules(lambda module: replace(module, load_globally=False)),
        "expected the module to find the marker in libfirst.so, it finds it in .*libwitness.so",
    ),
    Wrong(
        "rtld/global_symbols_first",
        "says nothing",
        sabotage.log_without("finds its marker"),
        "expected the module to find the marker in libfirst.so",
    ),
    Wrong(
        "rtld/global_for_a_library",
        "loaded locally",
        sabotage.modules(lambda module: replace(module, load_globally=False)),
        "Failed to",
        Outcome.REJECTED,
    ),
    Wrong(
        "rtld/global_for_a_library",
        "another language",
        sabotage.language_is("go"),
        "expected the library to call the module, which says go; it says cpp",
    ),
    Wrong(
        "rtld/local_for_a_library",
        "loaded globally",
        sabotage.modules(lambda module: replace(module, load_globally=True)),
        "expected the module to refuse its configuration, it was accepted",
    ),
    Wrong(
        "rtld/local_for_a_library",
        "not in the log",
        sabotage.log_without("undefined symbol: dmconform_marker"),
        "expected the library not to be opened for the symbol dmconform_marker",
    ),
    Wrong(
        "rtld/unloaded_at_last_reference",
        "never closed",
        sabotage.impatient(sabotage.modules(lambda module: replace(module, do_not_close=module.name == "probe"))),
        "expected libprobe.so to be unloaded when nothing uses it",
    ),
    Wrong(
        "rtld/unloaded_at_last_reference",
        "nothing is closed",
        sabotage.impatient(sabotage.modules(lambda module: replace(module, do_not_close=True))),
        "expected libcanary.so to be unloaded when nothing uses it",
    ),
    Wrong(
        "rtld/unloaded_at_last_reference",
        "closed too early",
        sabotage.listener_uses_copy("b"),
        "expected the module to stay loaded while a listener uses it",
    ),
    Wrong(
        "rtld/unloaded_at_last_reference",
        "never unloads",
        sabotage.recorded_of_sdk(unloads=False, unloads_reason="for a test"),
        "for a test",
        Outcome.NOT_APPLICABLE,
    ),
    Wrong(
        "rtld/do_not_close",
        "flag not set",
        sabotage.modules(lambda module: replace(module, do_not_close=False)),
        "expected a module with do_not_close to stay loaded",
    ),
    Wrong(
        "rtld/do_not_close",
        "nothing is closed",
        sabotage.impatient(sabotage.modules(lambda module: replace(module, do_not_close=True))),
        "expected libcanary.so to be unloaded when nothing uses it",
    ),
    Wrong(
        "rtld/same_file_initialised_once",
        "two files",
        sabotage.listener_uses_copy("b"),
        "expected both listeners to use one module",
    ),
    Wrong(
        "rtld/same_file_initialised_once",
        "loaded globally",
        sabotage.modules(lambda module: replace(module, load_globally=True)),
        "expected no module's symbols to be visible globally for its second user",
    ),
    Wrong(
        "rtld/same_file_initialised_once",
        "initialised again",
        sabotage.listener_uses_copy("b", also=True),
        "expected the module to be initialised once, it was 2 times",
    ),
    Wrong(
        "rtld/unloaded_one_by_one",
        "never closed",
        sabotage.impatient(sabotage.modules(lambda module: replace(module, do_not_close=module.name == "probe"))),
        "expected libprobe.so to be unloaded with its last user",
    ),
    Wrong(
        "rtld/unloaded_one_by_one",
        "nothing is closed",
        sabotage.impatient(sabotage.modules(lambda module: replace(module, do_not_close=True))),
        "expected libcanary1.so to be unloaded when nothing uses it",
    ),
    Wrong(
        "rtld/unloaded_one_by_one",
        "closed too early",
        sabotage.listener_uses_copy("b"),
        "expected the module to stay loaded after libcanary2.so, it is gone",
    ),
    Wrong(
        "rtld/unloaded_one_by_one",
        "never unloads",
        sabotage.recorded_of_sdk(unloads=False, unloads_reason="for a test"),
        "for a test",
        Outcome.NOT_APPLICABLE,
    ),
    Wrong(
        "rtld/global_unloaded_too",
        "never closed",
        sabotage.impatient(sabotage.modules(lambda module: replace(module, do_not_close=module.load_globally))),
        "expected libglobal.so to be unloaded when nothing uses it",
    ),
    Wrong(
        "rtld/global_unloaded_too",
        "loaded locally",
        sabotage.modules(lambda module: replace(module, load_globally=False)),
        "expected the symbols of libglobal.so to be visible globally, found none",
    ),
    Wrong(
        "rtld/rejected_configuration_lets_go",
        "never closed",
        sabotage.impatient(sabotage.modules(lambda module: replace(module, do_not_close=True))),
        "expected libprobe.so to be unloaded with its last user",
    ),
    Wrong(
        "rtld/rejected_configuration_lets_go",
        "not refused",
        sabotage.filter_named("identity"),
        "expected the configuration that the module refuses to be rejected, it was accepted",
    ),
    Wrong(
        "rtld/rejected_configuration_lets_go",
        "counts in twos",
        sabotage.filters_twice,
        "expected a fresh module to count 1, it counts 2",
    ),
    Wrong(
        "rtld/global_then_local",
        "loaded locally",
        sabotage.modules(lambda module: replace(module, load_globally=False)),
        "expected the symbols of libboth.so to stay visible globally, found none",
    ),
    Wrong(
        "rtld/global_then_local",
        "counts in twos",
        sabotage.filters_twice,
        "expected the local user to be served, it counts 2",
    ),
    Wrong(
        "rtld/local_then_global",
        "global from the first",
        sabotage.modules(lambda module: replace(module, load_globally=module.name == "both")),
        "expected no module's symbols to be visible globally yet, those of libboth.so are",
    ),
    Wrong(
        "rtld/local_then_global",
        "another filter",
        sabotage.filter_named("transform", "text"),
        "expected the header x-dmconform-global",
    ),
    Wrong(
        "rtld/same_symbols_both_global",
        "loaded locally",
        sabotage.modules(lambda module: replace(module, load_globally=False)),
        "expected the symbols of libfirst.so, loaded first, to be found, found none",
    ),
    Wrong(
        "rtld/same_symbols_both_global",
        "one file twice",
        sabotage.same_file("first", "second"),
        "expected libsecond.so to answer, libfirst.so did",
    ),
    Wrong(
        "rtld/next_global_takes_over",
        "the second is local",
        sabotage.modules(lambda module: replace(module, load_globally=module.name == "first")),
        "expected the symbols of libsecond.so, and it to count 2; saw .'none', '2'.",
    ),
    Wrong(
        "rtld/next_global_takes_over",
        "never closed",
        sabotage.impatient(sabotage.modules(lambda module: replace(module, do_not_close=True))),
        "expected libfirst.so to be unloaded when nothing uses it",
    ),
    Wrong(
        "rtld/do_not_close_given_first",
        "flag not set",
        sabotage.modules(lambda module: replace(module, do_not_close=False)),
        "expected a module with do_not_close to stay loaded, it is gone",
    ),
    Wrong(
        "rtld/do_not_close_given_first",
        "nothing is closed",
        sabotage.impatient(sabotage.modules(lambda module: replace(module, do_not_close=True))),
        "expected libcanary.so to be unloaded when nothing uses it",
    ),
    Wrong(
        "rtld/do_not_close_given_later",
        "counts in twos",
        sabotage.filters_twice,
        "expected a fresh module to count 1, it counts 2",
    ),
    Wrong(
        "rtld/do_not_close_given_later",
        "nothing is closed",
        sabotage.impatient(sabotage.modules(lambda module: replace(module, do_not_close=True))),
        "expected libcanary.so to be unloaded when nothing uses it",
    ),
    Wrong(
        "rtld/do_not_close_given_later",
        "the canary goes first",
        canary_goes_first,
        "expected a module with do_not_close to stay loaded, it is gone",
    ),
    Wrong(
        "rtld/many_rounds",
        "never closed",
        sabotage.impatient(sabotage.modules(lambda module: replace(module, do_not_close=True))),
        "expected libtwo.so to be unloaded in round 1",
    ),
    Wrong(
        "rtld/many_rounds",
        "modules are left behind",
        leaves_modules,
        "expected at most 4 mappings more after 40 rounds",
    ),
    Wrong(
        "rtld/many_rounds",
        "memory is left behind",
        ever_larger,
        "expected its own memory to grow by at most 160 KiB in 40 rounds, it grew by",
    ),
    Wrong(
        "rtld/many_rounds", "files are left open", holds_more(files=40), "expected at most 8 open files more after 40 rounds"
    ),
    Wrong(
        "rtld/many_rounds",
        "files stay in memory",
        holds_more(in_all=1 << 20),
        "expected all its memory to grow by at most 320 KiB in 40 rounds, it grew by",
    ),
    Wrong(
        "rtld/many_rounds_kept",
        "flag not set",
        sabotage.modules(lambda module: replace(module, do_not_close=False)),
        "expected the module to count 2 in round 2, it counts 1",
    ),
    Wrong(
        "rtld/many_rounds_kept",
        "memory is left behind",
        ever_larger,
        "expected its own memory to grow by at most 160 KiB in 40 rounds, it grew by",
    ),
    Wrong(
        "rtld/second_attempt",
        "gone before the second",
        before_second_attempt(lambda cell: (cell.modules_folder / "libprobe.so").unlink()),
        "expected the second attempt to end as the first, accepted; it was rejected: ",
    ),
    Wrong(
        "rtld/second_attempt",
        "broken before the first",
        first_attempt_with("null_program_init"),
        "expected the second attempt to end as the first, rejected: .*; it was accepted",
    ),
)
