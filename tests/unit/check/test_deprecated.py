"""What `check` says of a module that uses something deprecated."""

from __future__ import annotations

from pathlib import Path

from dmconform.abi.deprecations import Deprecated
from dmconform.abi_diff.uses import load_sdk_uses
from dmconform.binaries.facts import ModuleFacts, Undefined
from dmconform.check.deprecated import deprecated_notes
from dmconform.check.prepare import KnownData
from dmconform.core.values import Provider
from dmconform.core.versions import Minor

from tests.check_cli import checked
from tests.unit.elf_samples import Sample, Wanted, write

_CALLBACK = "envoy_dynamic_module_callback_"
_HOOK = "envoy_dynamic_module_on_"


def _facts(*callbacks: str, hooks: tuple[str, ...] = ()) -> ModuleFacts:
    return ModuleFacts("00", 1, hooks=hooks, undefined=tuple(Undefined(name) for name in callbacks))


def _known(*names: str, minor: int = 41) -> dict[str, Deprecated]:
    since = Minor(1, minor)
    return {name: Deprecated(name, since, Minor(since.major, since.minor + 4), (f"{name}_v2",)) for name in names}


def test_a_function_is_named_with_its_replacement_and_the_release_that_may_lack_it() -> None:
    name = f"{_CALLBACK}http_get"
    (note,) = deprecated_notes(_facts(name, f"{_CALLBACK}log"), _known(name, f"{_CALLBACK}http_set"))
    assert "a function that the ABI's header marks as deprecated since 1.41" in note
    assert "Envoy 1.45 may be the first to lack: http_get (now http_get_v2)" in note
    assert "http_set" not in note


def test_hooks_count_and_many_are_counted() -> None:
    names = tuple(f"{_CALLBACK}http_{letter}" for letter in "abcdefg")
    hook = f"{_HOOK}http_filter_old"
    later = _known(hook, minor=42)
    first, second = deprecated_notes(_facts(*names, hooks=(hook,)), _known(*names) | later)
    assert first.endswith("http_e (now http_e_v2) and 2 more")
    assert "7 functions" in first
    assert "http_filter_old" in second


def test_nothing_is_reported_where_nothing_is_deprecated() -> None:
    assert not list(deprecated_notes(_facts(f"{_CALLBACK}log"), _known(f"{_CALLBACK}http_get")))


def test_check_tells_a_module_that_uses_what_the_real_header_marks(tmp_path: Path) -> None:
    module = tmp_path / "libold.so"
    hooks = ("program_init", "access_logger_config_new", "access_logger_log")
    used = (f"{_CALLBACK}access_logger_is_mtls", f"{_CALLBACK}access_logger_get_attribute_bool")
    sample = Sample(tuple(f"{_HOOK}{name}" for name in hooks), tuple(Wanted(name) for name in used))
    module.write_bytes(write(sample))
    (note,) = [note for note in checked(module, "--no-run").notes if "deprecated" in note]
    assert "since 1.38" in note
    assert "Envoy 1.42 may be the first to lack: access_logger_is_mtls (now access_logger_get_attribute_bool)" in note


def test_the_official_rust_sdk_of_1_37_uses_some_of_what_was_deprecated_after_it() -> None:
    known = KnownData.load().deprecated
    using = {one.sdk for one in load_sdk_uses().sdks if one.provider is Provider.OFFICIAL and set(one.some) & known.keys()}
    assert using == {"rust@1.37:official"}
