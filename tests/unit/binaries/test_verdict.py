"""What follows from the facts about a module and a host. The dynamic linker is a witness where it can be one."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import pytest
from dmconform.abi.loading import load_abi
from dmconform.abi.types import FunctionKind
from dmconform.binaries.facts import Binding, HostFacts, Known, ModuleFacts, StaticKind, Undefined
from dmconform.binaries.known import known_host_facts
from dmconform.binaries.read import read_module
from dmconform.binaries.verdict import static_verdict
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.paths import ABI, HOSTS_FILE
from dmconform.hosts.catalogue import load_hosts
from msgspec.structs import replace

from tests.unit import elf_samples
from tests.unit.elf_samples import INIT, Sample, Wanted

LOG = "envoy_dynamic_module_callback_log"
NEW = "envoy_dynamic_module_callback_http_new_thing"
HTTP = ("envoy_dynamic_module_on_http_filter_config_new", "envoy_dynamic_module_on_http_filter_new")
LOGGER = ("envoy_dynamic_module_on_access_logger_config_new", "envoy_dynamic_module_on_access_logger_log")


def host(
    *,
    abi_version: str | None = "v0.1.0",
    refuses: bool | None = False,
    hooks: Collection[str] = (*HTTP, *LOGGER),
    opens_now: bool | None = False,
) -> HostFacts:
    """A host that exports one callback and a function of Lua."""
    callbacks, looked_up, others = frozenset({LOG}), frozenset({INIT, *hooks}), frozenset({"lua_pcall"})
    return HostFacts("1.99.0", callbacks, looked_up, others, abi_version, refuses, opens_now=opens_now)


def module(
    *undefined: Undefined,
    hooks: tuple[str, ...] = HTTP,
    abi_version: str | None = "v0.1.0",
    binding: Binding = Binding.NOW,
    needed: tuple[str, ...] = ("libc.so.6",),
    known: Known = Known.READ,
) -> ModuleFacts:
    """A module with `program_init` and some hooks."""
    return ModuleFacts(
        "0" * 64, 1000, hooks=(*hooks, INIT), undefined=undefined, abi_version=abi_version, abi_version_known=known,
        needed=needed, binding=binding,
    )  # fmt: skip


def test_a_module_that_finds_everything_loads() -> None:
    good = module(Undefined(LOG), Undefined("lua_pcall"), Undefined("exit", version="GLIBC_2.2.5", library="libc.so.6"))
    verdict = static_verdict(good, host())
    assert (verdict.kind, verdict.missing, verdict.notes) == (StaticKind.LOADS, (), ())


NATIVE = platform.machine().replace("_", "-")


@pytest.mark.parametrize(
    ("name", "version", "library", "architecture", "kind"),
    [
        ("exit", "GLIBC_2.2.5", "libc.so.6", NATIVE, StaticKind.LOADS),
        ("pthread_create", "GLIBC_2.2.5", "libpthread.so.0", NATIVE, StaticKind.LOADS),  # another of its libraries has it
        ("eXit", "GLIBC_2.2.5", "libc.so.6", NATIVE, StaticKind.REFUSED),
        ("exit", "GLIBC_2.3", "libc.so.6", NATIVE, StaticKind.REFUSED),  # not of that version
        ("eXit", "GLIBC_999.1", "libc.so.6", NATIVE, StaticKind.LOADS),  # a newer glibc may have it
        ("eXit", "GLIBC_PRIVATE", "libc.so.6", NATIVE, StaticKind.LOADS),
        ("ns_parserr", "GLIBC_2.9", "libresolv.so.2", NATIVE, StaticKind.LOADS),  # not loaded here
        ("eXit", "GLIBC_2.17", "libc.so.6", "another", StaticKind.LOADS),  # its glibc is not this machine's
    ],
)
def test_a_symbol_that_no_glibc_of_its_version_has(
    name: str, version: str, library: str, architecture: str, kind: StaticKind
) -> None:
    """A version has the symbols that it came with: a glibc that knows the version, and not the symbol, says it for all."""
    wants = replace(module(Undefined(name, version=version, library=library)), architecture=architecture)
    verdict = static_verdict(wants, host())
    assert (verdict.kind, verdict.missing) == (kind, (name,) if kind is StaticKind.REFUSED else ())
    lazy = static_verdict(replace(wants, binding=Binding.LAZY), host())
    assert lazy.kind is (StaticKind.UNRESOLVED if kind is StaticKind.REFUSED else kind)


def test_what_is_no_module_is_refused_with_its_problem() -> None:
    verdict = static_verdict(ModuleFacts("", 0, "expected an ELF file, this one is empty"), host())
    assert (verdict.kind, verdict.missing) == (StaticKind.REFUSED, ())
    assert "expected an ELF file, this one is empty" in verdict.reason


def test_a_library_without_program_init_is_refused() -> None:
    verdict = static_verdict(ModuleFacts("0" * 64, 1, hooks=HTTP, abi_version="v0.1.0"), host())
    assert (verdict.kind, verdict.missing) == (StaticKind.REFUSED, (INIT,))


@pytest.mark.parametrize(
    ("binding", "at_load", "weak", "kind"),
    [
        (Binding.NOW, False, False, StaticKind.REFUSED),
        (Binding.NOW, True, False, StaticKind.REFUSED),
        (Binding.LAZY, True, False, StaticKind.REFUSED),
        (Binding.LAZY, False, False, StaticKind.UNRESOLVED),
        (Binding.NOW, True, True, StaticKind.LOADS),
        (Binding.LAZY, False, True, StaticKind.LOADS),
    ],
)
def test_a_callback_that_the_host_lacks(binding: Binding, at_load: bool, weak: bool, kind: StaticKind) -> None:
    verdict = static_verdict(module(Undefined(LOG), Undefined(NEW, weak=weak, at_load=at_load), binding=binding), host())
    assert verdict.kind is kind
    assert verdict.missing == (() if weak else (NEW,))
    assert any(NEW in note for note in verdict.notes) == weak
    assert weak or NEW in verdict.reason


def test_all_missing_symbols_are_named_and_a_few_of_them_in_the_reason_callbacks_first() -> None:
    names = [f"{NEW}_{number}" for number in range(9)]
    verdict = static_verdict(module(Undefined("AAA"), Undefined("BBB"), *map(Undefined, names)), host())
    assert verdict.missing == tuple(sorted(["AAA", "BBB", *names]))
    assert f"{names[0]}, {names[1]}, {names[2]} and 8 more" in verdict.reason
    assert "AAA" not in verdict.reason
    assert any("AAA, BBB" in note and "LD_PRELOAD" in note for note in verdict.notes)


def test_a_lazy_module_with_a_symbol_that_is_needed_at_load_names_both_kinds() -> None:
    verdict = static_verdict(module(Undefined(NEW), Undefined("data", at_load=True), binding=Binding.LAZY), host())
    assert (verdict.kind, verdict.missing) == (StaticKind.REFUSED, ("data", NEW))


class TestSymbolsThatAreNoCallbacks:
    def test_of_glibc_are_there_also_without_a_version(self) -> None:
        assert static_verdict(module(Undefined("strlen"), Undefined("sin")), host()).kind is StaticKind.LOADS

    def test_of_no_host_are_refused(self) -> None:
        verdict = static_verdict(module(Undefined("PyList_New")), host())
        assert (verdict.kind, verdict.missing) == (StaticKind.REFUSED, ("PyList_New",))

    def test_that_a_preloaded_library_brings_are_there(self) -> None:
        wanting = module(Undefined("PyList_New"), Undefined("PyDict_New"))
        assert static_verdict(wanting, host(), preloaded={"PyList_New", "PyDict_New"}).kind is StaticKind.LOADS
        assert static_verdict(wanting, host(), preloaded={"PyList_New"}).missing == ("PyDict_New",)

    def test_may_come_from_a_needed_library_that_is_not_known(self) -> None:
        verdict = static_verdict(module(Undefined("PyList_New"), needed=("libc.so.6", "libpython3.11.so.1.0")), host())
        assert verdict.kind is StaticKind.LOADS
        assert any("PyList_New" in note and "libpython3.11.so.1.0" in note for note in verdict.notes)

    def test_that_have_a_version_come_from_its_library(self) -> None:
        own = Undefined("own_function", version="OWN_1", library="libown.so")
        verdict = static_verdict(module(own, needed=("libown.so",)), host())
        assert verdict.kind is StaticKind.LOADS
        assert not any("own_function" in note for note in verdict.notes)

    def test_of_a_needed_library_do_not_hide_a_missing_callback(self) -> None:
        verdict = static_verdict(module(Undefined(NEW), needed=("libother.so",)), host())
        assert (verdict.kind, verdict.missing) == (StaticKind.REFUSED, (NEW,))

    def test_that_are_weak_need_no_host(self) -> None:
        verdict = static_verdict(module(Undefined("__gmon_start__", weak=True, at_load=True)), host())
        assert (verdict.kind, verdict.notes) == (StaticKind.LOADS, ())


@pytest.mark.parametrize("libc", ["libc.so", "libc.musl-x86_64.so.1"])
def test_a_module_for_another_c_library_has_a_verdict_of_its_own(libc: str) -> None:
    verdict = static_verdict(module(Undefined("malloc"), needed=(libc,)), host())
    assert (verdict.kind, verdict.other_target, verdict.missing, verdict.notes) == (StaticKind.UNKNOWN, True, (), ())
    assert f"(it needs {libc})" in verdict.reason
    assert "build it for glibc" in verdict.reason
    lacking = static_verdict(module(Undefined(NEW), needed=(libc,)), host())
    assert (lacking.kind, lacking.other_target, lacking.missing) == (StaticKind.UNKNOWN, True, (NEW,))
    assert any(NEW in note for note in lacking.notes), "what else is wrong with it"
    assert not static_verdict(module(needed=("libc.so.6", "libcurl.so.4")), host()).other_target


@pytest.mark.parametrize(
    ("own", "of_host", "refuses", "kind", "words"),
    [
        ("v0.1.0", "v0.1.0", True, StaticKind.LOADS, None),
        ("v0.1.0", "v0.1.0", None, StaticKind.LOADS, None),
        ("v0.1.0", "v0.2.0", True, StaticKind.REFUSED, "refuses any other"),
        ("v0.1.0", "v0.2.0", False, StaticKind.LOADS, "only warns"),
        ("v0.1.0", "v0.2.0", None, StaticKind.UNKNOWN, "is not known"),
        ("v0.1.0", None, True, StaticKind.UNKNOWN, "not known"),
        ("v0.1.0", None, False, StaticKind.LOADS, "only warns"),
        (None, "v0.1.0", True, StaticKind.UNKNOWN, "cannot be read"),
        (None, "v0.1.0", False, StaticKind.LOADS, "cannot be read"),
        (None, None, None, StaticKind.UNKNOWN, "cannot be read"),
    ],
)
def test_the_abi_string(
    own: str | None, of_host: str | None, refuses: bool | None, kind: StaticKind, words: str | None
) -> None:
    verdict = static_verdict(module(abi_version=own), host(abi_version=of_host, refuses=refuses))
    assert verdict.kind is kind
    printed = " ".join(verdict.notes) if kind is StaticKind.LOADS else verdict.reason
    assert (words in printed) if words else not printed


def test_an_inferred_abi_string_is_called_so_and_a_hash_is_shortened() -> None:
    verdict = static_verdict(module(abi_version="ab" * 32, known=Known.INFERRED), host(refuses=True))
    assert "abababababab… (inferred)" in verdict.reason


def test_how_the_host_opens_modules_decides_what_a_lazy_one_may_lack() -> None:
    lazy = module(Undefined(NEW), binding=Binding.LAZY)
    opened_lazily, opened_now, not_known = (static_verdict(lazy, host(opens_now=how)) for how in (False, True, None))
    assert (opened_lazily.kind, opened_lazily.notes) == (StaticKind.UNRESOLVED, ())
    assert (opened_now.kind, opened_now.missing) == (StaticKind.REFUSED, (NEW,))
    assert "this host opens modules with RTLD_NOW" in opened_now.reason
    assert not_known.kind is StaticKind.UNRESOLVED
    assert any("RTLD_NOW" in note for note in not_known.notes)


def test_missing_symbols_go_before_the_abi_string_and_unresolved_symbols_are_reported_beside_it() -> None:
    refusing = host(abi_version="v0.2.0", refuses=True)
    assert NEW in static_verdict(module(Undefined(NEW)), refusing).reason
    lazy = static_verdict(module(Undefined(NEW), binding=Binding.LAZY), refusing)
    assert (lazy.kind, lazy.missing) == (StaticKind.REFUSED, ())
    assert "v0.2.0" in lazy.reason
    assert any(NEW in note for note in lazy.notes)
    unknown = static_verdict(module(Undefined(NEW), binding=Binding.LAZY, abi_version=None), refusing)
    assert unknown.kind is StaticKind.UNKNOWN
    assert any(NEW in note for note in unknown.notes)


class TestHooksOfExtensionPoints:
    REQUIRED = {  # noqa: RUF012  # a constant
        ExtensionPoint.HTTP_FILTER: {*HTTP, "envoy_dynamic_module_on_http_filter_destroy"},
        ExtensionPoint.ACCESS_LOGGER: set(LOGGER),
    }

    def test_that_are_missing_at_the_point_asked_for_are_a_refusal(self) -> None:
        verdict = static_verdict(module(), host(), points={ExtensionPoint.HTTP_FILTER}, required_hooks=self.REQUIRED)
        assert verdict.kind is StaticKind.REFUSED
        assert verdict.missing == ("envoy_dynamic_module_on_http_filter_destroy",)
        assert "refused when configured at http_filter" in verdict.reason

    def test_count_for_the_points_that_a_module_clearly_serves(self) -> None:
        assert static_verdict(module(), host(), required_hooks=self.REQUIRED).kind is StaticKind.REFUSED
        # Some hook of a point is no sign that it is meant.
        other = module(hooks=("envoy_dynamic_module_on_http_filter_scheduled", *LOGGER))
        assert static_verdict(other, host(), required_hooks=self.REQUIRED).kind is StaticKind.LOADS

    def test_are_a_note_where_another_point_works(self) -> None:
        verdict = static_verdict(module(hooks=(*HTTP, *LOGGER)), host(), required_hooks=self.REQUIRED)
        assert verdict.kind is StaticKind.LOADS
        assert any("http_filter: hook missing" in note for note in verdict.notes)

    def test_nothing_is_required_where_nothing_was_measured(self) -> None:
        assert static_verdict(module(), host(), points={ExtensionPoint.HTTP_FILTER}).kind is StaticKind.LOADS

    def test_a_point_that_the_host_has_not_got_is_a_refusal(self) -> None:
        verdict = static_verdict(module(), host(), points={ExtensionPoint.TRACER})
        assert verdict.kind is StaticKind.REFUSED
        assert "no extension point tracer" in verdict.reason
        assert static_verdict(module(), host(hooks=LOGGER)).kind is StaticKind.REFUSED

    def test_a_module_without_any_point_is_judged_by_its_symbols_alone(self) -> None:
        assert static_verdict(module(hooks=()), host(), required_hooks=self.REQUIRED).kind is StaticKind.LOADS


@pytest.mark.parametrize("bind_now", [True, False])
@pytest.mark.parametrize(
    "wanted",
    [
        Wanted(LOG),
        Wanted(LOG, called=False),
        Wanted(LOG, weak=True, called=False),
        Wanted("strlen"),
        Wanted("strlen", called=False),
        Wanted("no_such_function"),
        Wanted("no_such_variable", called=False),
        Wanted("malloc", version="GLIBC_2.2.5"),
    ],
    ids=str,
)
def test_the_dynamic_linker_agrees(tmp_path: Path, wanted: Wanted, bind_now: bool) -> None:
    """Loads the library lazily, as a host does, into a process that has no callbacks at all."""
    path = tmp_path / "sample.so"
    path.write_bytes(elf_samples.write(Sample(wanted=(wanted,), bind_now=bind_now)))
    bare = HostFacts("0", frozenset(), frozenset({INIT}), frozenset(), "v0.1.0", False)
    verdict = static_verdict(read_module(path), bare)
    code = "import ctypes, sys; ctypes.CDLL(sys.argv[1], mode=1)"
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, timeout=30, check=False)
    refused = re.search(r"undefined symbol: (\w+)", done.stderr)
    assert done.returncode == 0 or refused, done.stderr
    assert (verdict.kind is StaticKind.REFUSED) == (refused is not None), (verdict, done.stderr)
    if refused:
        assert refused[1] in verdict.missing


class TestKnownHosts:
    def test_all_are_known_by_data_alone(self) -> None:
        for known in load_hosts(HOSTS_FILE):
            facts = known_host_facts(known.release)
            assert facts is not None
            abi = load_abi(ABI, str(known.version.minor))
            assert facts.callbacks == (abi.names(FunctionKind.CALLBACK) | set(known.adds)) - set(known.lacks), known.release
            assert {"malloc", "lua_pcall"} <= facts.other_exports
            assert INIT in facts.hooks
            assert set(known.lacks) <= {function.name for function in abi.functions}, "what it lacks must be in the ABI file"
            assert not set(known.adds) & {function.name for function in abi.functions}

    def test_others_are_not(self) -> None:
        assert known_host_facts("1.0.0") is None

    def test_patches_of_a_minor_can_differ(self) -> None:
        body = "envoy_dynamic_module_callback_http_get_request_body_vector"
        old, new = known_host_facts("1.36.2"), known_host_facts("1.36.3")
        assert old is not None
        assert new is not None
        assert body in old.callbacks - new.callbacks
