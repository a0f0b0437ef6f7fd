"""How a diff reads: text, Markdown and JSON.

The golden files are what a person should see. If a change of them is wanted: python -m tests.unit.abi_diff.test_render
"""

from __future__ import annotations

import msgspec
import pytest
from dmconform.abi_diff import render
from dmconform.abi_diff.assemble import diff
from dmconform.abi_diff.changes import Diff, Drift, StringVerdict
from dmconform.abi_diff.drift import drift
from dmconform.abi_diff.operands import Operand
from dmconform.abi_diff.requirements import nothing_measured
from dmconform.abi_diff.uses import SdkUse, SdkUses
from dmconform.binaries.facts import Binding
from dmconform.core.values import Provider

from tests.checkout import ROOT
from tests.unit.abi_samples import abi, alias, callback, enum, hook, struct

GOLDEN = ROOT / "tests" / "unit" / "golden"
_CALLBACK = "envoy_dynamic_module_callback_"

_OLD = abi(
    alias("handle", "void*"),
    struct("buffer", "const char* ptr", "size_t length"),
    enum("mode", On=1, Off=2),
    callback("http_get", "bool", "$handle filter", "$buffer* result"),
    *(callback(f"tracer_get_{name}", "bool", "$buffer* result") for name in "abcd"),
    callback("http_set", "void", "$handle filter", "$mode mode"),
    callback("http_gone"),
    callback("tracer_gone"),
    callback("tracer_gone_too"),
    callback("log", None),
    hook("http_filter_new", "$handle", "$handle config"),
)
_NEW = abi(
    alias("handle", "void*"),
    struct("buffer", "const char* ptr", "size_t length", "uint8_t kind"),
    enum("mode", On=1, Off=3, Half=4),
    callback("http_get", "bool", "$handle filter", "$buffer* result"),
    *(callback(f"tracer_get_{name}", "bool", "$buffer* result") for name in "abcd"),
    callback("http_set", "void", "$handle this_filter", "$mode mode"),
    callback("http_added"),
    callback("tracer_added"),
    callback("log", None),
    hook("http_filter_new", "$handle", "$handle config", "bool per_route"),
    hook("http_filter_idle"),
    exact=False,
    abi_version="v2",
    envoy="1.51",
)
_USES = SdkUses(
    (
        SdkUse(
            "go", "1.50", Provider.OFFICIAL, "1.50.0", Binding.LAZY, (), (f"{_CALLBACK}http_gone", f"{_CALLBACK}http_get"), ()
        ),
        SdkUse("rust", "1.50", Provider.OFFICIAL, "1.50.0", Binding.NOW, (), (), (f"{_CALLBACK}http_gone",)),
        SdkUse("rust", "1.49", Provider.REFERENCE, "1.49", Binding.NOW, (), (f"{_CALLBACK}http_gone",), ()),
    )
)


def _sample() -> Diff:
    # Of a callback that no header declares nothing is missed: one more source, that is not exact, leaves that open.
    old = msgspec.structs.replace(_OLD, sources={**_OLD.sources, "other": _NEW.sources["own"]})
    return diff(
        Operand("Envoy 1.50", old, "1.50", "1.50.0"),
        Operand("header abi.h", _NEW, "1.51", None, refuses_other_abi=False),
        _USES,
        nothing_measured,
    )


def _text(*, everything: bool) -> str:
    return "".join(f"{line.text}\n" for line in render.text_lines(_sample(), everything=everything))


def _rendered() -> dict[str, str]:
    return {
        "abi_diff.txt": _text(everything=False),
        "abi_diff_all.txt": _text(everything=True),
        "abi_diff.md": render.markdown(_sample()),
        "abi_diff_all.md": render.markdown(_sample(), everything=True),
    }


@pytest.mark.parametrize("name", ["abi_diff.txt", "abi_diff_all.txt", "abi_diff.md", "abi_diff_all.md"])
def test_it_reads_as_the_golden_file(name: str) -> None:
    assert _rendered()[name] == (GOLDEN / name).read_text()


def test_json_holds_everything_and_reads_back() -> None:
    found = _sample()

    again = msgspec.json.decode(render.as_json(found), type=Diff)

    assert again == found
    assert again.schema_version == 4


@pytest.mark.parametrize(
    ("changed", "moved", "verdict", "begins"),
    [
        (False, False, StringVerdict.STAYED_RIGHTLY, "In order"),
        (True, True, StringVerdict.MOVED_RIGHTLY, "In order"),
        (True, False, StringVerdict.STAYED, "Finding"),
        (False, True, StringVerdict.MOVED, "Note"),
    ],
)
def test_drift_says_whether_the_string_moved_with_the_abi(
    changed: bool, moved: bool, verdict: StringVerdict, begins: str
) -> None:
    functions = (callback("http_f"),) if changed else (callback("http_f"), callback("http_g"))

    found = _drift("v1" if not moved else "v2", *functions)

    assert found.verdict is verdict
    assert (found.changed, found.breaking) == ((1, 1) if changed else (0, 0))
    assert next(render.drift_lines(found)).text.startswith(begins)
    assert render.drift_markdown(found).startswith(begins)
    assert msgspec.json.decode(render.as_json(found), type=Drift) == found


def test_drift_to_a_binary_says_that_only_names_were_compared() -> None:
    newer = abi(callback("http_f", None), callback("http_g", None), abi_version="unknown")
    known = Operand("Envoy 1.50", abi(callback("http_f"), callback("http_g")), "1.50")

    found = drift(known, Operand("binary", newer, "1.50"), SdkUses(()), nothing_measured)

    assert found.verdict is StringVerdict.UNKNOWN
    assert found.changed == 0
    assert "Of 2 functions only the names could be compared." in render.drift_markdown(found)


def _drift(abi_version: str, *functions: object) -> Drift:
    known = Operand("Envoy 1.50", abi(callback("http_f"), callback("http_g")), "1.50")
    newer = abi(*functions, abi_version=abi_version)  # type: ignore[arg-type]
    return drift(known, Operand("header abi.h", newer, "1.51", refuses_other_abi=False), SdkUses(()), nothing_measured)


if __name__ == "__main__":
    for file, text in _rendered().items():
        (GOLDEN / file).write_text(text)
