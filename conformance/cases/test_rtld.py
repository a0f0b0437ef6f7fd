"""How modules are opened, kept apart, shared and closed."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from dmconform.casekit import (
    INITIALISED,
    PROBE,
    Cell,
    Envoy,
    GrowthLimit,
    Held,
    HttpFilter,
    Language,
    Listener,
    ModuleRef,
    assert_drained,
    assert_unloaded,
    case,
    growth,
    held,
    identity_of,
    listener,
)

ROUNDS = 50
WARM_ROUNDS = 10
# Measured with every SDK version on ten releases: from round 10 to round 50 the number of mappings stays the same to the unit,
# that of open files within two; memory that no file backs grows by up to 76 KiB, which is the Envoy's own, and all memory by up
# to 140 KiB, as what files back comes 64 KiB at a time. A module that left one page behind in each round would add 160 KiB.
MORE = GrowthLimit(own_kib=160, all_kib=320, mappings=4, files=8)


@case("rtld.local_by_default")
def test_local_by_default(cell: Cell) -> None:
    """Two modules with the same symbols stay apart, and neither's are visible to the process."""
    cell.install(name="first")
    cell.install(name="second")
    with cell.start(listener("identity", name="a", module="first"), listener("identity", name="b", module="second")) as envoy:
        for name, module, requests in (("a", "libfirst.so", 2), ("b", "libsecond.so", 1)):
            for count in range(1, requests + 1):
                answer = envoy.request("/", listener=name)
                assert identity_of(answer, "module") == module, (
                    f"expected {module} to answer, {identity_of(answer, 'module')} did"
                )
                assert identity_of(answer, "count") == str(count), (
                    f"expected {module} to count {count}, it counts {identity_of(answer, 'count')}: its state is not its own"
                )
                assert identity_of(answer, "global") == "none", (
                    f"expected no module's symbols to be visible globally, those of {identity_of(answer, 'global')} are"
                )


@case("rtld.load_globally")
def test_load_globally(cell: Cell) -> None:
    """The symbols of a module that is loaded globally are visible to another module; those of a local one are not."""
    cell.install(name="local")
    cell.install(name="global")
    first = listener("identity", name="a", module="local")
    second = listener("identity", name="b", module=ModuleRef("global", load_globally=True))
    with cell.start(first, second) as envoy:
        for name in ("a", "b"):
            seen = identity_of(envoy.request("/", listener=name), "global")
            assert seen == "libglobal.so", f"expected the symbols of libglobal.so to be visible globally, found {seen}"


@case("rtld.local_by_default", "rtld.load_globally", "rtld.do_not_close")
def test_flags_are_separate(cell: Cell) -> None:
    """do_not_close makes no symbols visible, and both flags together hold: the module stays, and its symbols with it."""
    kept, both = cell.install(name="kept"), cell.install(name="both")
    plain = listener("identity", name="plain")
    flags = {kept: ModuleRef("kept", do_not_close=True), both: ModuleRef("both", do_not_close=True, load_globally=True)}
    users = [listener("identity", name=f"uses {file.name}", module=module) for file, module in flags.items()]
    with cell.start(plain, users[0]) as envoy:
        assert_visible(envoy, plain, "none")
        cell.reconfigure(envoy, plain, *users)
        assert_visible(envoy, plain, both.name)
        cell.reconfigure(envoy, plain)
        assert_drained(envoy)
        for file in flags:
            assert envoy.has_mapped(file), f"expected {file.name} with do_not_close to stay loaded, it is gone"
        assert_visible(envoy, plain, both.name)


def assert_visible(envoy: Envoy, listener: Listener, expected: str) -> None:
    """Asserts which module's symbols a listener's filter finds globally."""
    seen = identity_of(envoy.request("/", listener=listener.name), "global")
    assert seen == expected, f"expected the symbols that are visible globally to be those of {expected}, found {seen}"


@case("rtld.load_globally", languages=(Language.CPP,), supported_for=(), own_minor=True)
def test_global_symbols_first(cell: Cell) -> None:
    """A module finds a symbol that it has itself in one that was loaded globally before: it is not bound deeply."""
    cell.install(name="first")
    first = listener("identity", name="first", module=ModuleRef("first", load_globally=True))
    with cell.start(first, listener("any", name="second", module="witness"), module="witness") as envoy:
        pass
    seen = re.findall(r"finds its marker in \S*/(\S+)$", envoy.read_log(), re.MULTILINE)
    assert seen == ["libfirst.so"], f"expected the module to find the marker in libfirst.so, it finds it in {seen}"


def dependent(cell: Cell, *, load_globally: bool) -> Listener:
    """Returns a listener whose module opens a library that needs a symbol of the module."""
    library = cell.install("dependent", folder="libraries")
    return listener("dependent", str(library), module=ModuleRef(PROBE, load_globally=load_globally))


@case("rtld.global_for_a_library", languages=(Language.CPP,))
def test_global_for_a_library(cell: Cell) -> None:
    """The document's example: module X, loaded globally, opens a library Y that finds the symbols of X."""
    with cell.start(dependent(cell, load_globally=True)) as envoy:
        found = identity_of(envoy.request("/"), "dependent")
        assert found == cell.language, f"expected the library to call the module, which says {cell.language}; it says {found}"


@case("rtld.global_for_a_library", "rtld.local_by_default", languages=(Language.CPP,))
def test_local_for_a_library(cell: Cell) -> None:
    """With X loaded locally Y does not find them: it cannot be opened, and X goes on with that as it likes."""
    with cell.start(listener("identity")) as envoy:
        update = envoy.update(dependent(cell, load_globally=False))
        assert not update.accepted, "expected the module to refuse its configuration, it was accepted"
        logged = envoy.wait_for_log("undefined symbol: dmconform_marker")
        assert logged is not None, (
            "expected the library not to be opened for the symbol dmconform_marker, the log has nothing of it"
        )
        cell.assert_still_serves(envoy)


@case("rtld.closed_at_last_reference")
def test_unloaded_at_last_reference(cell: Cell) -> None:
    """The module is unloaded when the last configuration that uses it goes, without a restart, and not before."""
    cell.needs(cell.sdk.unloads, cell.sdk.unloads_reason or "")
    module = cell.install()
    canary = cell.install(name="canary")
    first, second = listener("identity", name="a"), listener("identity", name="b")
    with cell.start(first, second, listener("identity", name="c", module="canary")) as envoy:
        first_count = identity_of(envoy.request("/", listener="a"), "count")
        assert first_count == "1", f"expected a fresh module to count 1, it counts {first_count}"
        cell.reconfigure(envoy, second)
        # The canary went with the same update: it shows that a module that nothing uses is unloaded by now.
        assert_drained(envoy, canary)
        assert envoy.has_mapped(module), "expected the module to stay loaded while a listener uses it, it is gone"
        count = identity_of(envoy.request("/", listener="b"), "count")
        assert count == "2", f"expected its state to live on and count 2, it counts {count}"
        cell.reconfigure(envoy)
        assert_unloaded(envoy, module)
        cell.reconfigure(envoy, first)
        count = identity_of(envoy.request("/", listener="a"), "count")
        assert count == "1", f"expected a module that was loaded anew to count from 1, it counts {count}"


def assert_outlives_its_users(cell: Cell, envoy: Envoy, module: Path, canary: Path, again: Listener) -> None:
    """Asserts that a module that has counted once stays, with its state, when all listeners go and one comes again."""
    cell.reconfigure(envoy)
    assert_drained(envoy, canary)
    assert envoy.has_mapped(module), "expected a module with do_not_close to stay loaded, it is gone"
    cell.reconfigure(envoy, again)
    count = identity_of(envoy.request("/", listener=again.name), "count")
    assert count == "2", f"expected the module to have kept its state and count 2, it counts {count}"


@case("rtld.do_not_close")
def test_do_not_close(cell: Cell) -> None:
    """With do_not_close the module stays loaded, with its state, when nothing uses it any more."""
    cell.needs(cell.sdk.unloads, f"nothing to tell apart: {cell.sdk.unloads_reason}")
    module = cell.install(name="kept")
    canary = cell.install(name="canary")
    kept = listener("identity", name="a", module=ModuleRef("kept", do_not_close=True))
    with cell.start(kept, listener("identity", name="b", module="canary")) as envoy:
        first_count = identity_of(envoy.request("/", listener="a"), "count")
        assert first_count == "1", f"expected a fresh module to count 1, it counts {first_count}"
        assert_outlives_its_users(cell, envoy, module, canary, kept)


@case("rtld.closed_at_last_reference")
def test_unloaded_one_by_one(cell: Cell) -> None:
    """Filters of one module go one by one, from one listener and then another; it is unloaded with the last, not before."""
    cell.needs(cell.sdk.unloads, cell.sdk.unloads_reason or "")
    module = cell.install()
    # Each step takes a canary away too, which shows that a module that nothing uses is unloaded by then.
    canaries = [cell.install(name=f"canary{number}") for number in (1, 2, 3)]

    def chain(name: str, *modules: str) -> Listener:
        return Listener(name, tuple(HttpFilter(ModuleRef(one), "identity") for one in modules))

    steps = (
        (chain("a", "probe", "canary2"), chain("b", "probe", "probe", "canary3")),
        (chain("b", "probe", "probe", "canary3"),),
        (chain("b", "probe"),),
    )
    with cell.start(chain("a", "probe", "probe", "canary1", "canary2"), steps[0][1]) as envoy:
        for canary, step in zip(canaries, steps, strict=True):
            cell.reconfigure(envoy, *step)
            assert_drained(envoy, canary)
            assert envoy.has_mapped(module), f"expected the module to stay loaded after {canary.name}, it is gone"
            identity_of(envoy.request("/", listener="b"), "count")
        cell.reconfigure(envoy)
        assert_unloaded(envoy, module, "with its last user")


@case("rtld.closed_at_last_reference")
def test_global_unloaded_too(cell: Cell) -> None:
    """A module that is loaded globally is unloaded at the last reference like any other, and its symbols go with it."""
    cell.needs(cell.sdk.unloads, cell.sdk.unloads_reason or "")
    module = cell.install(name="global")
    cell.install(name="local")
    witness = listener("identity", name="a", module="local")
    with cell.start(witness, listener("identity", name="b", module=ModuleRef("global", load_globally=True))) as envoy:
        seen = identity_of(envoy.request("/", listener="a"), "global")
        assert seen == "libglobal.so", f"expected the symbols of libglobal.so to be visible globally, found {seen}"
        cell.reconfigure(envoy, witness)
        assert_unloaded(envoy, module)
        seen = identity_of(envoy.request("/", listener="a"), "global")
        assert seen == "none", f"expected no symbols to be visible globally any more, those of {seen} are"


@case("rtld.closed_at_last_reference")
def test_rejected_configuration_lets_go(cell: Cell) -> None:
    """A configuration that the module refuses takes nothing from its other users, and keeps no reference to it."""
    cell.needs(cell.sdk.unloads, cell.sdk.unloads_reason or "")
    module = cell.install()
    user = listener("identity", name="a")
    with cell.start(user) as envoy:
        count = identity_of(envoy.request("/", listener="a"), "count")
        assert count == "1", f"expected a fresh module to count 1, it counts {count}"
        update = envoy.update(user, listener("refuse", name="b"))
        assert not update.accepted, "expected the configuration that the module refuses to be rejected, it was accepted"
        count = identity_of(envoy.request("/", listener="a"), "count")
        assert count == "2", f"expected the module to serve its other user on and count 2, it counts {count}"
        cell.reconfigure(envoy)
        assert_unloaded(envoy, module, "with its last user")


@case("rtld.load_globally", supported_for=())
def test_global_then_local(cell: Cell) -> None:
    """A module that is loaded globally stays so when another configuration names it without the flag."""
    cell.install(name="both")
    cell.install(name="witness")
    witness = listener("identity", name="a", module="witness")
    first, second = (listener("identity", name=name, module=ModuleRef("both", load_globally=name == "b")) for name in "bc")
    with cell.start(witness, first) as envoy:
        cell.reconfigure(envoy, witness, first, second)
        cell.reconfigure(envoy, witness, second)
        count = identity_of(envoy.request("/", listener="c"), "count")
        assert count == "1", f"expected the local user to be served, it counts {count}"
        seen = identity_of(envoy.request("/", listener="a"), "global")
        assert seen == "libboth.so", f"expected the symbols of libboth.so to stay visible globally, found {seen}"


@case("rtld.load_globally")
def test_local_then_global(cell: Cell) -> None:
    """A module that is loaded locally becomes global when another configuration asks for that."""
    cell.install(name="both")
    cell.install(name="witness")
    witness = listener("identity", name="a", module="witness")
    first, second = (listener("identity", name=name, module=ModuleRef("both", load_globally=name == "c")) for name in "bc")
    with cell.start(witness, first) as envoy:
        seen = identity_of(envoy.request("/", listener="a"), "global")
        assert seen == "none", f"expected no module's symbols to be visible globally yet, those of {seen} are"
        cell.reconfigure(envoy, witness, first, second)
        seen = identity_of(envoy.request("/", listener="a"), "global")
        assert seen == "libboth.so", (
            f"expected the symbols of libboth.so to be visible globally once a configuration asks for it, found {seen}"
        )


@case("rtld.global_conflicts", supported_for=())
def test_same_symbols_both_global(cell: Cell) -> None:
    """Two modules with the same symbols, both loaded globally, each run their own code; the first one's symbols are found."""
    cell.install(name="first")
    cell.install(name="second")
    first = listener("identity", name="a", module=ModuleRef("first", load_globally=True))
    second = listener("identity", name="b", module=ModuleRef("second", load_globally=True))
    with cell.start(first, second) as envoy:
        for name, module, requests in (("a", "libfirst.so", 2), ("b", "libsecond.so", 1)):
            for count in range(1, requests + 1):
                answer = envoy.request("/", listener=name)
                assert identity_of(answer, "module") == module, (
                    f"expected {module} to answer, {identity_of(answer, 'module')} did"
                )
                assert identity_of(answer, "count") == str(count), (
                    f"expected {module} to count {count}, it counts {identity_of(answer, 'count')}: its state is not its own"
                )
                seen = identity_of(answer, "global")
                assert seen == "libfirst.so", f"expected the symbols of libfirst.so, loaded first, to be found, found {seen}"


@case("rtld.global_conflicts", supported_for=())
def test_next_global_takes_over(cell: Cell) -> None:
    """Of two modules loaded globally the second one's symbols are found once the first is unloaded."""
    cell.needs(cell.sdk.unloads, cell.sdk.unloads_reason or "")
    module = cell.install(name="first")
    cell.install(name="second")
    first = listener("identity", name="a", module=ModuleRef("first", load_globally=True))
    second = listener("identity", name="b", module=ModuleRef("second", load_globally=True))
    with cell.start(first, second) as envoy:
        seen = identity_of(envoy.request("/", listener="b"), "global")
        assert seen == "libfirst.so", f"expected the symbols of libfirst.so, loaded first, to be found, found {seen}"
        cell.reconfigure(envoy, second)
        assert_unloaded(envoy, module)
        answer = envoy.request("/", listener="b")
        found = identity_of(answer, "global"), identity_of(answer, "count")
        assert found == ("libsecond.so", "2"), f"expected the symbols of libsecond.so, and it to count 2; saw {found}"


@case("rtld.do_not_close")
def test_do_not_close_given_first(cell: Cell) -> None:
    """With do_not_close the module stays loaded, also if a later user, without the flag, is the last to go."""
    cell.needs(cell.sdk.unloads, f"nothing to tell apart: {cell.sdk.unloads_reason}")
    assert_stays_loaded(cell, flags=(True, False))


@case("rtld.do_not_close")
def test_do_not_close_given_later(cell: Cell) -> None:
    """With do_not_close the module stays loaded, also if it was loaded before by a user without the flag."""
    cell.needs(cell.sdk.unloads, f"nothing to tell apart: {cell.sdk.unloads_reason}")
    assert_stays_loaded(cell, flags=(False, True))


def assert_stays_loaded(cell: Cell, flags: tuple[bool, bool]) -> None:
    """Asserts that a module is still there, with its state, after a second user came, and the first and the second left."""
    module = cell.install(name="kept")
    canary = cell.install(name="canary")
    first, second = (
        listener("identity", name=name, module=ModuleRef("kept", do_not_close=flag))
        for name, flag in zip("ab", flags, strict=True)
    )
    last = listener("identity", name="c", module="canary")
    with cell.start(first, last) as envoy:
        cell.reconfigure(envoy, first, second, last)
        cell.reconfigure(envoy, second, last)
        count = identity_of(envoy.request("/", listener="b"), "count")
        assert count == "1", f"expected a fresh module to count 1, it counts {count}"
        assert_outlives_its_users(cell, envoy, module, canary, second)


@case("rtld.closed_at_last_reference")
def test_many_rounds(cell: Cell) -> None:
    """Loading and unloading again and again lets neither mappings nor memory grow."""
    cell.needs(cell.sdk.unloads, cell.sdk.unloads_reason or "")
    files = {name: cell.install(name=name) for name in ("one", "two")}
    with cell.start(listener("identity", module="two")) as envoy:
        for number in range(1, ROUNDS + 1):
            new, old = ("one", "two") if number % 2 else ("two", "one")
            cell.reconfigure(envoy, listener("identity", module=new))
            assert_unloaded(envoy, files[old], f"in round {number}")
            count = identity_of(envoy.request("/"), "count")
            assert count == "1", f"expected a module that was loaded anew to count 1 in round {number}, it counts {count}"
            if number == WARM_ROUNDS:
                before = held(envoy)
        assert_no_growth(cell, before, held(envoy))


def assert_no_growth(cell: Cell, before: Held, after: Held) -> None:
    """Asserts that from round `WARM_ROUNDS` to round `ROUNDS` a process came to hold next to nothing more."""
    rounds = f"{ROUNDS - WARM_ROUNDS} rounds"
    cell.facts["growth"] = f"{growth(before, after)} in {rounds}"
    MORE.assert_kept(before, after, rounds)


@case("rtld.do_not_close")
def test_many_rounds_kept(cell: Cell) -> None:
    """Nor does a module that do_not_close keeps, when users of it come and go again and again."""
    kept = listener("identity", name="kept", module=ModuleRef(PROBE, do_not_close=True))
    always = Listener("always")
    with cell.start(always, kept) as envoy:
        for number in range(1, ROUNDS + 1):
            count = identity_of(envoy.request("/", listener="kept"), "count")
            assert count == str(number), f"expected the module to count {number} in round {number}, it counts {count}"
            cell.reconfigure(envoy, always)
            cell.reconfigure(envoy, always, kept)
            if number == WARM_ROUNDS:
                before = held(envoy)
        assert_no_growth(cell, before, held(envoy))


@case("loading.exact_match", "window.forward", "policy.result")
def test_second_attempt(cell: Cell) -> None:
    """What a host makes of a module's ABI string at the first attempt, it makes of it at the second."""
    # Not `cell.install`: a probe that is refused and then loaded fits no static verdict, and would be flagged besides.
    cell.modules_folder.mkdir()
    shutil.copyfile(cell.sdk.modules[PROBE].path, cell.modules_folder / "libprobe.so")
    with cell.start_anyhow(listener("identity"), search_path=cell.modules_folder) as envoy:
        first = envoy.first_update
        cell.assert_still_serves(envoy)
        second = envoy.update(listener("identity"))
    notices = ["accepted" if one.accepted else f"rejected: {one.message}" for one in (first, second)]
    same = notices[0] == notices[1]
    assert same, f"expected the second attempt to end as the first, {notices[0]}; it was {notices[1]}"


@case("identity.reuse", "rtld.local_by_default")
def test_same_file_initialised_once(cell: Cell) -> None:
    """A file that two configurations name is loaded and initialised once, and its state is shared."""
    with cell.start(listener("identity", name="a"), listener("identity", name="b")) as envoy:
        counts = [identity_of(envoy.request("/", listener=name), "count") for name in ("a", "b")]
        assert counts == ["1", "2"], f"expected both listeners to use one module and count 1, 2; they count {counts}"
        seen = identity_of(envoy.request("/", listener="b"), "global")
        assert seen == "none", f"expected no module's symbols to be visible globally for its second user, those of {seen} are"
    # Asked once it has ended: only then is all that it printed there.
    times = envoy.read_log().count(INITIALISED)
    assert times == 1, f"expected the module to be initialised once, it was {times} times"
