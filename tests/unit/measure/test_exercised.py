"""What exercises which callbacks and hooks follows from the data, and the page has it."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.abi.types import FunctionKind
from dmconform.cli.main import main
from dmconform.core import paths
from dmconform.measure.exercised import Exercised, exercised, exercised_page, modules_of_cases, names_in

from tests.recorded import assert_page

CALLBACK, HOOK = "envoy_dynamic_module_callback_", "envoy_dynamic_module_on_"


@pytest.fixture(scope="module")
def minors() -> tuple[Exercised, ...]:
    """All of them."""
    return exercised()


def test_the_page_is_the_one_of_the_data(
    minors: tuple[Exercised, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert_page("docs/exercised.md", exercised_page(minors), "dmconform coverage --exercised --write")
    monkeypatch.setattr("dmconform.measure.exercised.exercised", lambda: minors)
    assert main(["coverage", "--exercised"]) == 0
    assert capsys.readouterr().out.rstrip() == exercised_page(minors).rstrip()


def test_only_functions_of_the_minor_count(minors: tuple[Exercised, ...]) -> None:
    for one in minors:
        for name, used in one.methods.items():
            assert (used.callbacks or frozenset()) <= one.callbacks, (one.minor, name)
            assert (used.hooks or frozenset()) <= one.hooks, (one.minor, name)


def test_each_method_exercises_something_of_each_minor_with_signatures(minors: tuple[Exercised, ...]) -> None:
    for one in minors[1:]:
        for name, used in one.methods.items():
            assert used.hooks, (one.minor, name)
            assert used.callbacks is None or used.callbacks, (one.minor, name)
        assert len(one.by_none(FunctionKind.CALLBACK)) < len(one.callbacks) / 20, one.minor


def test_what_is_known_of_the_newest_minor(minors: tuple[Exercised, ...]) -> None:
    """Looked up by hand in the sources and records."""
    methods = next(one for one in minors if one.minor == "1.40").methods
    storm = methods["storm"]
    called = ("scheduler_new", "scheduler_commit", "scheduler_delete", "continue_decoding")
    assert set(storm.callbacks or ()) == {f"http_filter_{name}" for name in called}
    assert storm.hooks is not None
    assert "http_filter_scheduled" in storm.hooks
    assert "http_filter_response_headers" not in storm.hooks
    for name, hook in (("recorder", "udp_listener_filter_on_data"), ("recorder", "cluster_new"), ("threads", "cluster_new")):
        assert hook in (methods[name].hooks or ()), (name, hook)
    assert "http_get_header" in (methods["modules in C"].callbacks or ())
    assert "http_get_header" in (methods["views"].callbacks or ())


def test_names_are_read_with_macros_and_headers(tmp_path: Path) -> None:
    (tmp_path / "a.h").write_text(f'#include "b.h"\n#define CALL(what) {CALLBACK}http_##what\n')
    (tmp_path / "b.h").write_text(f'#include "a.h"\n#define ON(name) {HOOK}##name\n')
    source = tmp_path / "a.c"
    source.write_text(f'#include "abi.h"\n#include "a.h"\nvoid ON(http_filter_new)(void) {{ CALL(one)(); {CALLBACK}two(); }}\n')
    assert names_in(source) == {f"{CALLBACK}http_one", f"{CALLBACK}two", f"{HOOK}http_filter_new"}


def test_modules_of_cases_are_there() -> None:
    files = modules_of_cases()
    assert {"recorder.c", "callbacks_http.c"} <= {file.name for file in files}
    assert all(file.parent == paths.SDKS / "cpp" / "reproducers" for file in files)
