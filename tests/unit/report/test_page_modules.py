"""The page's modules become one script, and what it could not keep is refused. That a browser agrees is in tests/browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from dmconform.report.page.document import ASSETS, SCRIPT
from dmconform.report.page.modules import Module, ModuleError, combine, parse


def written(folder: Path, **modules: str) -> Path:
    """Writes modules, each under its name with `.js`."""
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
    return folder


def test_a_module_is_its_imports_its_exports_and_the_rest() -> None:
    text = """\
// First.
import { one, $two } from "./a.js";
import {
  three,
  four,
} from "./b_c.js";

export const five = one + three;
export async function six() {}
  export_me();
export class Seven {}
const exported = "export const no = 1";"""
    assert parse("m.js", text) == Module(
        file="m.js",
        imports={"a.js": ("one", "$two"), "b_c.js": ("three", "four")},
        exports=("five", "six", "Seven"),
        body="""\
// First.

const five = one + three;
async function six() {}
  export_me();
class Seven {}
const exported = "export const no = 1";
""",
    )


def test_each_module_comes_once_after_those_that_it_imports(tmp_path: Path) -> None:
    written(
        tmp_path,
        main='import { b } from "./b.js";\nimport { a } from "./a.js";\na(b);\n',
        b='import { a } from "./a.js";\nexport const b = a(1); // the last line',
        a="export function a(x) {\n  return x;\n}\n",
        other="nobody();\n",
    )
    assert (
        combine(tmp_path, "main.js")
        == """\
(function () {
"use strict";
const $from_a = (function () { // a.js
function a(x) {
  return x;
}
return { a };
})();
const $from_b = (function () { // b.js
const { a } = $from_a;
const b = a(1); // the last line
return { b };
})();
const $from_main = (function () { // main.js
const { b } = $from_b;
const { a } = $from_a;
a(b);
return {  };
})();
})();
"""
    )


REFUSED = [
    'import x from "./a.js";\n',
    'import * as x from "./a.js";\n',
    'import { a as b } from "./a.js";\n',
    "import { a } from './a.js';\n",
    'import { a } from "../a.js";\n',
    'import { a } from "a";\n',
    'import { a } from "./a.js"\n',
    'import "./a.js";\n',
    'import data from "./a.json" with { type: "json" };\n',
    'start(); import { a } from "./a.js";\n',
    'const a = await import("./a.js");\n',
    "const here = import.meta.url;\n",
    'function f() {\n  return import ("./a.js");\n}\n',
    "export default function f() {}\n",
    "export default 1;\n",
    "export let a = 1;\n",
    "export var a = 1;\n",
    "export const { a, b } = c;\n",
    "export function* a() {}\n",
    "export { a };\n",
    'export * from "./a.js";\n',
    'export { a } from "./a.js";\n',
    "  export const a = 1;\n",
    "f();export const a = 1;\n",
    "await f();\n",
    "const a = await f();\n",
    "const a = `\nexport const b = 1;\n`;\n",
    'const a = "</SCRIPT>";\n',
    'const a = "<!--";\n',
    'import { a } from "./a.js";\nimport { b } from "./a.js";\n',
]


@pytest.mark.parametrize("text", REFUSED)
def test_anything_else_is_refused_by_the_name_of_its_file(text: str) -> None:
    with pytest.raises(ModuleError, match=r"^m\.js: "):
        parse("m.js", text)


def test_what_is_imported_has_to_be_there(tmp_path: Path) -> None:
    written(tmp_path, main='import { a, b } from "./a.js";\n', a="export const a = 1;\nconst b = 2;\n")
    with pytest.raises(ModuleError, match=r"^main\.js: imports from a\.js what that does not export: b;"):
        combine(tmp_path, "main.js")
    written(tmp_path, main='import { a } from "./gone.js";\n')
    with pytest.raises(ModuleError, match=r"^main\.js: imports from gone\.js, and there is no such file"):
        combine(tmp_path, "main.js")


def test_a_circle_is_refused_with_its_way(tmp_path: Path) -> None:
    written(
        tmp_path,
        main='import { a } from "./a.js";\n',
        a='import { b } from "./b.js";\nexport const a = 1;\n',
        b='import { a } from "./a.js";\nexport const b = 1;\n',
    )
    with pytest.raises(ModuleError, match=r"^a\.js: is imported in a circle: a\.js -> b\.js -> a\.js;"):
        combine(tmp_path, "main.js")


def test_the_pages_script_has_every_module_and_no_statement_of_one() -> None:
    script = combine(ASSETS, SCRIPT)
    assert set(re.findall(r"\(function \(\) \{ // (\S+)$", script, re.MULTILINE)) == {file.name for file in ASSETS.glob("*.js")}
    assert not re.search(r"^\s*(?:import|export)\b", script, re.MULTILINE)
