"""Callbacks that probes really call are all among those that the analysis of their code takes for reached."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.binaries.facts import ReachFacts
from dmconform.binaries.read import read_module, read_reach
from dmconform.check.result import HostVerdict
from dmconform.core.extension_point import CALLBACK_PREFIX, ExtensionPoint
from dmconform.matrix.plan import Plan
from dmconform.measure.hooks.run import compiler

from tests.check_cli import checked

pytestmark = pytest.mark.host
HOST = "1.39.3"
FILTERS = {
    "transform": "text",
    "local_reply": "418",
    "identity": "text",
    "metadata": "text",
    "filter_state": "text",
    "metrics": "text",
    "log": "text",
    "scheduled": "text",
}
SEEN = "DMCONFORM_TEST_SEEN"
OWN_PREFIX = "E" + CALLBACK_PREFIX[1:]  # of the same length: names are changed where they are
# Notes that it was called, and goes on to the host's function with all arguments untouched.
STUB = r"""
__asm__(".globl {own}\n.type {own}, @function\n{own}: movq seen(%rip), %r11\n"
        "movb $1, {number}(%r11)\n jmp *targets+8*{number}(%rip)");
"""
TRACER = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
static char none[{count}];
__attribute__((visibility("hidden"))) char *seen = none;
__attribute__((visibility("hidden"))) void *targets[{count}];
static const char *const names[] = {{{names}}};
__attribute__((constructor)) static void begin(void) {{
  const char *path = getenv("{seen}");
  int file = path ? open(path, O_RDWR) : -1;
  void *place = file < 0 ? MAP_FAILED : mmap(0, {count}, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (place != MAP_FAILED) seen = place;
  if (file >= 0) close(file);
  for (int at = 0; at < {count}; at++) targets[at] = dlsym(RTLD_DEFAULT, names[at]);
}}
"""


def called_and_reached(module: Path, folder: Path) -> tuple[set[str], ReachFacts]:
    """Which callbacks a probe's filters call, and which its hooks can reach."""
    facts = read_module(module)
    names = [one.name for one in facts.callbacks]
    quoted = ", ".join(f'"{name}"' for name in names)
    source = TRACER.format(count=len(names), names=quoted, seen=SEEN) + "".join(
        STUB.format(own=name.replace(CALLBACK_PREFIX, OWN_PREFIX), number=number) for number, name in enumerate(names)
    )
    with compiler() as compiled:
        tracer = compiled("tracer", {"tracer.c": source.encode()})
    traced, seen = folder / "libtraced.so", folder / "seen"
    traced.write_bytes(module.read_bytes().replace(b"\0" + CALLBACK_PREFIX.encode(), b"\0" + OWN_PREFIX.encode()))
    seen.write_bytes(b"\0" * len(names))
    environment = ("--env", f"LD_PRELOAD={tracer}", "--env", f"{SEEN}={seen}")
    for name, config in FILTERS.items():
        found = checked(
            traced,
            "--host",
            HOST,
            "--extension-point",
            "http_filter",
            "--filter-name",
            name,
            "--filter-config",
            config,
            *environment,
        )
        expected = HostVerdict.ERRORS if name == "log" else HostVerdict.WORKS  # one of its lines is an error
        assert found.hosts[0].verdict is expected, (name, found.hosts[0].reason)
    called = {name for name, byte in zip(names, seen.read_bytes(), strict=True) if byte}
    return called, read_reach(module, facts, [ExtensionPoint.HTTP_FILTER])


@pytest.mark.parametrize("language", ["cpp", "rust"])
def test_what_is_called_is_reached(everything: Plan, tmp_path: Path, language: str) -> None:
    """Of both providers; the official SDK's names callbacks of all extension points."""
    for sdk in everything.sdks:
        if sdk.language.value != language:
            continue
        folder = tmp_path / sdk.id
        folder.mkdir()
        called, reach = called_and_reached(Path(sdk.modules["probe"].path), folder)
        assert reach.problem is None
        assert len(called) >= 10, f"expected the tracer to see calls of {sdk.id}, it saw {sorted(called)}"
        assert called <= set(reach.reached), f"{sdk.id}: called, and taken for out of reach"
