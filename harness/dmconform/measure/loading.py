"""Measures how a host loads modules: how it opens them, and what it does with an ABI string that is not its own."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dmconform.abi.bindings.stub_module import PROGRAM_INIT, stub_module
from dmconform.core.errors import HarnessError
from dmconform.core.extension_point import CALLBACK_PREFIX, HOOK_PREFIX, ExtensionPoint
from dmconform.envoy.config import ModuleRef
from dmconform.envoy.extension_points.attempt import attempt
from dmconform.envoy.extension_points.use import Attempt, AttemptEnd, ModuleUse
from dmconform.hosts.catalogue import AbiCheck, Opens
from dmconform.measure.hooks.measure import MODULE, Compile, MeasuredHost

ABSENT = f"{CALLBACK_PREFIX}of_nobody"
_POINT = ExtensionPoint.HTTP_FILTER  # every release has it
# Leaves a function undefined that no host has, and never calls it.
_LACKING = f"extern void {ABSENT}(void);\nstatic volatile int never;\nif (never) {ABSENT}();\nreturn 0;"
_OTHER_STRING = "dmconform-other"
_NAMED = re.compile(rf"ABI version mismatch: got {_OTHER_STRING}, but expected (?P<own>\S+)")
_WARNED = f"Dynamic module ABI version {_OTHER_STRING} is deprecated"


@dataclass(frozen=True)
class AbiHandling:
    """The ABI string of a host, and what it does with another one."""

    own: str
    check: AbiCheck


@dataclass(frozen=True)
class Loading:
    """A host, and the tools for trying modules on it.

    `compiler` makes them, `folder` is where Envoys work, and `upstream_port` is that of a server that answers HTTP.
    """

    host: MeasuredHost
    compiler: Compile
    folder: Path
    upstream_port: int

    def opens(self) -> Opens:
        """Returns how the host opens modules, by a module, bound lazily, that lacks a function which it never calls.

        Raises:
            HarnessError: neither does it load, nor does the host name the function when it refuses it.
        """
        seen = self._load({f"{HOOK_PREFIX}http_filter_request_headers": _LACKING}, self.host.abi_version)
        if seen.ended is AttemptEnd.NOT_DRIVEN:
            return Opens.LAZY
        if seen.ended is AttemptEnd.REFUSED and f"undefined symbol: {ABSENT}" in seen.message:
            return Opens.NOW
        raise HarnessError(
            f"Envoy {self.host.release}: expected a module that lacks {ABSENT} to load, or to be refused for that; "
            f"it was {seen.ended.value}: {seen.message}"
        )

    def abi_handling(self, known: Iterable[str]) -> AbiHandling:
        """Returns the host's ABI string and what it does with another one.

        The string is the one that the binary holds (`host.abi_version`), the one that the host names when it refuses another,
        or the one of `known` that it takes.

        Raises:
            HarnessError: its string cannot be found, what the binary holds is not what the host wants, or it does with another
                string something that `AbiCheck` has no value for.
        """
        other = self._load({}, _OTHER_STRING)
        check = self._check(other)
        named = _NAMED.search(other.message)
        candidates = [self.host.abi_version] if self.host.abi_version else [named["own"]] if named else sorted(set(known))
        if check is AbiCheck.WARN and self.host.abi_version is None:
            candidates = []  # it takes any, so that to be taken says nothing
        taken = [one for one in candidates if self._load({}, one).ended is AttemptEnd.NOT_DRIVEN]
        if len(taken) != 1 or (named and named["own"] != taken[0]):
            says = f", and says {other.message}" if named else ""
            raise HarnessError(
                f"Envoy {self.host.release}: expected its ABI string to be {' or '.join(candidates) or 'in its binary'}; "
                f"it takes {', '.join(taken) or 'none of these'}{says}. "
                "Look for the string in the ABI header of that release, and give it with --abi-string"
            )
        return AbiHandling(taken[0], check)

    def _check(self, other: Attempt) -> AbiCheck:
        if other.ended is AttemptEnd.REFUSED:
            return AbiCheck.EXACT
        if other.ended is AttemptEnd.NOT_DRIVEN and _WARNED in other.log:
            return AbiCheck.WARN
        printed = other.message or "it is loaded, and nothing is logged"
        raise HarnessError(
            f"Envoy {self.host.release}: expected a module with another ABI string to be refused, or loaded with the warning "
            f"{_WARNED!r}; it was {other.ended.value}: {printed}"
        )

    def _load(self, bodies: Mapping[str, str], abi_string: str | None) -> Attempt:
        """Loads a complete module, with some bodies replaced, that returns an ABI string."""
        init = {} if abi_string is None else {PROGRAM_INIT: f'return "{abi_string}";'}
        source = stub_module(self.host.abi, {**bodies, **init}, relatives=self.host.relatives)
        library = self.compiler(MODULE, {"stub.c": source.encode()})
        use = ModuleUse(_POINT, ModuleRef(MODULE), "name", "text")
        with tempfile.TemporaryDirectory(dir=self.folder, prefix="loading-") as folder:
            seen = attempt(
                self.host.binary,
                use,
                Path(folder),
                search_path=library.parent,
                upstream_port=self.upstream_port,
                drive=False,
            )
        if seen.ended is AttemptEnd.BLOCKED:
            raise HarnessError(f"Envoy {self.host.release}: {seen.message}")
        return seen
