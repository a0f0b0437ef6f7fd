"""Combines the ES modules of the page into one script, as a page that opens from a file cannot import anything.

Three ways were tried in Chromium, with a page opened from a file under a policy that admits scripts by their hashes only:

- Modules in files beside the page: the browser refuses to load them from `file:`, and the page would no longer be one file.
- Modules as `data:` URLs in an import map: they run if the policy admits `data:`, but then it admits scripts of others, too.
  They also run if the import map has their hashes (`integrity`), which browsers know only since 2024. Sources in such an
  address cannot be read.
- One script, combined here when the page is written: runs in every browser. It needs no bundler, and so no Node.js where this
  package is installed, as the page's own modules use little of what `import` and `export` can do.

Each module becomes a function that returns what it exports. The functions are called once, in the order in which a browser runs
the modules. So each keeps a separate scope, and the result does what the modules do. For that, what is accepted is narrow.
Anything else is an error, never a guess:

- `import { name, name } from "./file.js";` at the beginning of a line, over several lines where it is long; a file's name has
  only a-z and _;
- `export` at the beginning of a line, before `function`, `async function`, `class` or `const` with one name.

Nothing is renamed, exported as default, exported and assigned anew (`let`), or imported in a circle. The type checker and the
linter read the same files as true modules.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_NAME = r"[A-Za-z_$][\w$]*"
_IMPORT = re.compile(rf'^import \{{\s*({_NAME}(?:,\s+{_NAME})*),?\s*\}} from "\./([a-z_]+\.js)";\n', re.MULTILINE)
_EXPORT = re.compile(rf"^export ((?:async function|function|class|const) ({_NAME})\b)", re.MULTILINE)
_NOT_ACCEPTED = (
    (re.compile(r"(?:^|[;}])\s*(?:import|export)\b.*", re.MULTILINE), "this form of import or export"),
    (re.compile(r"\bimport\s*[(.].*"), "import() and import.meta, also in comments (there: @import)"),
    (re.compile(r"^(?:(?:const|let) [^=\n]*=\s*)?await\b.*", re.MULTILINE), "await outside of functions"),
    (re.compile(r"</script|<!--", re.IGNORECASE), "text that could end the element the script is in"),
)


class ModuleError(ValueError):
    """An error: a module uses what `combine` does not accept, or imports what is not there."""

    def __init__(self, file: str, problem: str) -> None:
        super().__init__(f"{file}: {problem}; what is accepted is in the docstring of {__name__}")


@dataclass(frozen=True)
class Module:
    """A module: its file, the names that it imports by file, the names that it exports, and its text without the statements."""

    file: str
    imports: dict[str, tuple[str, ...]]
    exports: tuple[str, ...]
    body: str


def combine(folder: Path, entry: str) -> str:
    """Returns one script that does what the module `entry` of `folder` does, and those that it imports.

    Raises:
        ModuleError: A module uses what is not accepted, or imports what is not there.
    """
    modules = _in_order(folder, entry)
    return f'(function () {{\n"use strict";\n{"".join(_wrapped(one) for one in modules)}}})();\n'


def parse(file: str, text: str) -> Module:
    """Reads a module.

    Raises:
        ModuleError: It uses what is not accepted.
    """
    imports: dict[str, tuple[str, ...]] = {}
    for names, source in _IMPORT.findall(text):
        if source in imports:
            raise ModuleError(file, f"imports from {source} twice: write one statement")
        imports[source] = tuple(re.findall(_NAME, names))
    exports = tuple(name for _, name in _EXPORT.findall(text))
    body = _EXPORT.sub(r"\1", _IMPORT.sub("", f"{text.rstrip()}\n"))
    for pattern, what in _NOT_ACCEPTED:
        if found := pattern.search(body):
            raise ModuleError(file, f"has what is not accepted: {what}, in {found[0].strip()!r}")
    for line in body.splitlines():
        if line.count("`") % 2:  # its lines could look like statements
            raise ModuleError(file, f"has what is not accepted: a template literal over several lines, in {line.strip()!r}")
    return Module(file, imports, exports, body)


def _in_order(folder: Path, entry: str) -> list[Module]:
    """Returns the modules in the order in which a browser runs them: each after those that it imports."""
    done: dict[str, Module] = {}

    def visit(file: str, path: tuple[str, ...]) -> None:
        if file in path:
            raise ModuleError(file, f"is imported in a circle: {' -> '.join((*path[path.index(file) :], file))}")
        if file in done:
            return
        module = parse(file, (folder / file).read_text(encoding="utf-8"))
        for source, names in module.imports.items():
            if not (folder / source).is_file():
                raise ModuleError(file, f"imports from {source}, and there is no such file")
            visit(source, (*path, file))
            if missing := set(names) - set(done[source].exports):
                raise ModuleError(file, f"imports from {source} what that does not export: {', '.join(sorted(missing))}")
        done[file] = module

    visit(entry, ())
    return list(done.values())


def _wrapped(module: Module) -> str:
    """Returns a module as a call of a function."""
    imports = (f"const {{ {', '.join(names)} }} = {_variable(source)};\n" for source, names in module.imports.items())
    body = f"{''.join(imports)}{module.body}return {{ {', '.join(module.exports)} }};\n"
    return f"const {_variable(module.file)} = (function () {{ // {module.file}\n{body}}})();\n"


def _variable(file: str) -> str:
    """Returns the name of what a module exports, in the combined script."""
    return f"$from_{file.removesuffix('.js')}"
