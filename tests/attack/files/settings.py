"""Changed TOML files that a user writes: known failures, findings, requirements, policies, hosts, settings of `check`."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from dmconform.core import paths
from dmconform.report.schema import write_report

from tests.attack.attack import Attack, Try
from tests.attack.files.commands import attacked, imported
from tests.attack.files.data import mutated_toml
from tests.unit import elf_samples, mutated_elf, report_samples

_SETTINGS = """
sdk_minor = "1.39"
[environment]
LD_PRELOAD = "/nothing.so"
[[use]]
extension_point = "http_filter"
name = "my_filter"
config = "any text"
environment = { MY_VARIABLE = "1" }
[[use]]
extension_point = "access_logger"
config = { "@type" = "type.googleapis.com/google.protobuf.Struct", value = { a = 1 } }
"""
_POLICIES = tuple(f"{name}-release.toml" for name in ("sdk", "host"))


@dataclass(frozen=True)
class _Kept:
    """A file of a checkout: the name that the harness has for it, and commands that read it."""

    constant: str
    commands: tuple[tuple[str, ...], ...]


_OF_CHECKOUT = (
    _Kept("KNOWN_FAILURES_FILE", (("expectations",), ("findings",), ("list", "cells", "--sdk", "rust@1.39"))),
    _Kept("FINDINGS_DATA", (("findings",), ("list", "cases"))),
    _Kept("SPEC_FILE", (("coverage",), ("list", "cases"))),
    _Kept("HOSTS_FILE", (("list", "hosts"), ("expectations",), ("abi", "diff", "1.38.2", "1.39.3"))),
)


@cache
def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _of_checkout(chance: random.Random, folder: Path) -> Try:
    kept = chance.choice(_OF_CHECKOUT)
    file: Path = getattr(paths, kept.constant)
    changed = folder / file.name
    changed.write_bytes(mutated_toml(_text(file), chance))
    return attacked(*chance.choice(kept.commands), folder=folder, before=lambda: setattr(paths, kept.constant, changed))


def _policy(chance: random.Random, folder: Path) -> Try:
    policy = folder / chance.choice(_POLICIES)
    policy.write_bytes(mutated_toml(_text(paths.CONFORMANCE / "policies" / policy.name), chance))
    report = folder / "report.json"
    write_report(report_samples.report(report_samples.ALL_KINDS), report)
    subject = ("--sdk", "rust@1.39") if policy.name == _POLICIES[0] else ("--host", "1.40.0")
    return attacked("gate", report, "--policy", policy, *subject, folder=folder)


def _settings(chance: random.Random, folder: Path) -> Try:
    module, file = folder / "libgood.so", folder / "uses.toml"
    module.write_bytes(elf_samples.write(mutated_elf.SAMPLE))
    file.write_bytes(mutated_toml(_SETTINGS, chance))
    return attacked("check", module, "--no-run", "--host", "1.39.3", "--settings", file, folder=folder)


_WAYS: tuple[Callable[[random.Random, Path], Try], ...] = (_of_checkout, _of_checkout, _policy, _settings)


def _attempt(chance: random.Random, folder: Path) -> Try:
    imported("check.work", "check.console", "report.answers.judge", "release.gate.show", "spec.listing", "cli.output")
    return chance.choice(_WAYS)(chance, folder)


SETTINGS = Attack("mutated TOML files", 1_000, 2, _attempt)
