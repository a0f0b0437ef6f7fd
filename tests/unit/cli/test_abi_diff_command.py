"""`dmconform abi diff`, `drift` and `findings` from a command line: what they print and end with."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from dmconform.abi.loading import abi_json, load_abi
from dmconform.abi_diff.changes import AbiBreaks, Diff, Drift
from dmconform.cli.main import main
from dmconform.core import paths
from dmconform.core.errors import ExitCode

from tests.unit.abi_samples import abi, callback, hook

FORMS = ("json", "markdown", "github")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with `old.json`, a `same.json` that differs in its name only, a `more.json` and a `less.json`."""
    both = (callback("http_f"), hook("http_filter_new"))
    for name, found in {
        "old": abi(*both),
        "same": abi(*both),
        "more": abi(*both, callback("http_g")),
        "less": abi(hook("http_filter_new")),
    }.items():
        (tmp_path / f"{name}.json").write_text(abi_json(found))
    return tmp_path


@pytest.mark.parametrize(("new", "code"), [("same", 0), ("more", 0), ("less", 1)])
@pytest.mark.parametrize("how", [[], *(["--format", form] for form in FORMS), ["--all"]], ids=["text", *FORMS, "all"])
def test_diff_ends_with_1_if_a_built_module_breaks(
    files: Path, new: str, code: int, how: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["abi", "diff", str(files / "old.json"), str(files / f"{new}.json"), *how]) == code

    assert capsys.readouterr().out


@pytest.mark.parametrize(("new", "code"), [("same", 0), ("more", 0), ("less", 1)])
def test_drift_ends_as_diff(files: Path, new: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["abi", "drift", str(files / f"{new}.json"), "--since", str(files / "old.json"), "--format", "json"]) == code

    found = msgspec.json.decode(capsys.readouterr().out, type=Drift)
    assert found.diff.breaks_built == bool(code)


def test_drift_compares_with_the_newest_known_minor(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["abi", "drift", str(paths.ABI / "1.40.json"), "--format", "json"]) == ExitCode.OK

    assert msgspec.json.decode(capsys.readouterr().out, type=Drift).diff.old.label == "Envoy 1.40"


@pytest.mark.parametrize("how", [[], ["--format", "markdown"], ["--format", "github"]], ids=["text", "markdown", "github"])
def test_findings_name_each_break(how: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["abi", "findings", *how]) == ExitCode.FAIL

    printed = capsys.readouterr().out
    assert "envoy_dynamic_module_callback_transport_socket_get_io_handle" in printed
    pair = "1.38 on 1.39" if "github" in how else "1.38 → 1.39 (supported by window; hosts 1.39.0, 1.39.1, 1.39.3)"
    assert pair in printed


def test_findings_outside_the_window_are_more(capsys: pytest.CaptureFixture[str]) -> None:
    main(["abi", "findings", "--format", "json"])
    promised = msgspec.json.decode(capsys.readouterr().out, type=AbiBreaks)
    main(["abi", "findings", "--format", "json", "--unsupported"])
    everything = msgspec.json.decode(capsys.readouterr().out, type=AbiBreaks)

    assert set(promised.findings) < set(everything.findings)


@pytest.mark.parametrize(
    "operand", ["1.99", "1.39.99", "nothing-of-the-kind", "/dev/null", ".", "pyproject.toml"], ids=lambda text: text.strip("/")
)
def test_what_is_no_abi_is_wrong_usage(operand: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["abi", "diff", "1.39", operand]) == ExitCode.USAGE

    assert operand in capsys.readouterr().err


def test_a_file_without_a_writer_is_not_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo(tmp_path / "abi.h")

    assert main(["abi", "diff", "1.39", str(tmp_path / "abi.h")]) == ExitCode.USAGE

    assert "abi.h" in capsys.readouterr().err


def test_what_is_no_form_and_no_rule_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--format", "yaml"], ["--allow", "everything"]):
        with pytest.raises(SystemExit) as ended:
            main(["abi", "diff", "1.38", "1.39", *words])

        assert ended.value.code == ExitCode.USAGE
        assert f"unknown value of {words[0]} {words[1]}: expected one of" in capsys.readouterr().err


def test_a_known_release_is_compared_without_its_binary(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["abi", "diff", "1.36", "1.36.2", "--format", "json"]) == ExitCode.FAIL

    found = msgspec.json.decode(capsys.readouterr().out, type=Diff)
    assert (found.old.callbacks, found.new.callbacks) == (70, 62)


def test_a_module_says_where_it_belongs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "module.so").write_bytes(b"\x7fELF" + bytes(100))

    assert main(["abi", "diff", "1.39", str(tmp_path / "module.so")]) == ExitCode.USAGE

    assert "module.so" in capsys.readouterr().err


def test_the_data_is_not_what_the_samples_are_named_after() -> None:
    """The minors of made-up ABIs must never be real ones: their data would stand in."""
    with pytest.raises(Exception, match="no ABI data"):
        load_abi(paths.ABI, abi().envoy)


def alias(name: str, target: str, source: str = "1.39") -> dict[str, object]:
    return {"kind": "alias", "name": name, "source": source, "type": target}


def struct(name: str, field: str) -> dict[str, object]:
    return {"kind": "struct", "name": name, "source": "1.39", "fields": [{"name": "a", "type": field}]}


def with_types(data: dict[str, Any], *types: dict[str, object]) -> None:
    """Adds types to ABI data, with a callback that uses the first."""
    data["types"] += types
    params = [{"name": "a", "type": types[0]["name"]}]
    one = {"name": "envoy_dynamic_module_callback_x", "kind": "callback", "source": "1.39", "returns": "void", "params": params}
    data["functions"].append(one)


def first(entries: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return next(one for one in entries if one["kind"] == kind)


BAD_DATA: dict[str, Callable[[dict[str, Any]], object]] = {
    "a chain of aliases": lambda d: with_types(
        d, *(alias(f"t{number}", f"t{number + 1}") for number in range(1200)), alias("t1200", "int")
    ),
    "a chain of structs": lambda d: with_types(
        d, *(struct(f"t{number}", f"t{number + 1}") for number in range(1200)), alias("t1200", "int")
    ),
    "a circle of aliases": lambda d: with_types(d, alias("t0", "t1"), alias("t1", "t0")),
    "a circle of pointers": lambda d: with_types(d, alias("t0", "t1*"), alias("t1", "t0*")),
    "a source of an alias": lambda d: with_types(d, alias("t0", "int", "none")),
    "a source of a struct": lambda d: first(d["types"], "struct").update(source="none"),
    "a source of an enum": lambda d: first(d["types"], "enum").update(source="none"),
    "a source of a pointer": lambda d: next(one for one in d["types"] if one["kind"] == "function_pointer").update(
        source="none"
    ),
    "a source of a callback": lambda d: first(d["functions"], "callback").update(source="none"),
    "a source of a hook": lambda d: first(d["functions"], "hook").update(source="none"),
    "all sources": lambda d: d.update(sources={}),
    "thousands of stars": lambda d: with_types(d, alias("t0", "int" + "*" * 3000)),
}


@pytest.mark.parametrize("what", BAD_DATA)
def test_data_that_does_not_fit_together_is_named(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On either side, and on both: what is wrong in a file never shows as a traceback, and never as a broken ABI."""
    data = json.loads((paths.ABI / "1.39.json").read_bytes())
    BAD_DATA[what](data)
    file = tmp_path / "bad.json"
    file.write_text(json.dumps(data), encoding="utf-8")
    for words in (["diff", "1.39", str(file)], ["diff", str(file), str(file)], ["drift", str(file)]):
        assert main(["abi", *words]) == ExitCode.USAGE
        assert capsys.readouterr().err.startswith(f"dmconform: {file}: ")


def test_a_rule_that_is_allowed_does_not_count(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["abi", "diff", str(files / "old.json"), str(files / "less.json")]
    assert main([*command, "--allow", "frozen"]) == ExitCode.FAIL, "expected that each of the two rules must be allowed"
    assert "✗ 1 change breaks what was released; allowed by frozen: 0" in capsys.readouterr().out

    assert main([*command, "--allow", "frozen", "--allow", "deprecation"]) == ExitCode.OK
    assert "✓ Nothing breaks what was released; allowed by frozen, deprecation: 1" in capsys.readouterr().out
    drift = ["abi", "drift", str(files / "less.json"), "--since", str(files / "old.json")]
    assert main([*drift, "--allow", "frozen", "--allow", "deprecation"]) == ExitCode.OK


def test_findings_that_are_allowed_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    allowed = [word for rule in ("frozen", "deprecation", "optional-hooks") for word in ("--allow", rule)]
    assert main(["abi", "findings", *allowed[:4]]) == ExitCode.FAIL
    assert "2 changes break the promise, in 2 of 6 supported pairs: 1.38 → 1.39, 1.38 → 1.40." in capsys.readouterr().out

    assert main(["abi", "findings", *allowed]) == ExitCode.OK
    assert "Nothing in the ABI data breaks the promise, in 6 supported pairs of minors. 16 changes are allowed." in (
        capsys.readouterr().out
    )
