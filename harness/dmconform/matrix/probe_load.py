"""What a cell's hosts did with the probe: the run-time observation of the question whether it loads.

It follows from what the hosts accepted and what they printed, never from how the case ended: a case may load a module that is
wrong on purpose, hide the probe, or fail for another reason. What is not certain is "not seen".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from pathlib import Path

from dmconform.core.values import Load, ProbeLoad
from dmconform.envoy.update import Taken

_UNDEFINED = re.compile(r"(?P<file>[^\s:]+): undefined symbol: (?P<symbol>[^\s,]+)")
# What a host says of a module that it has opened and does not want. The probe is the only one that has these to offer.
_UNWANTED = ("ABI version mismatch", "Failed to resolve symbol")


def probe_load(copies: Iterable[Path], taken: Iterable[Taken], log: str) -> ProbeLoad:
    """Returns what the host did with the probe.

    Args:
        copies: where the case has put the probe, under whatever names.
        taken: what the cell's hosts were given, and what became of it.
        log: what they printed.
    """
    copies = tuple(copies)
    names = frozenset(copy.name for copy in copies)
    loads: set[Load] = set()
    symbols: list[str] = []
    for one in taken:
        wanted = frozenset(f"lib{used.name}.so" for listener in one.listeners for used in listener.modules)
        if one.update.accepted:
            if wanted & names:
                loads.add(Load.LOADED)
        elif _refused(one.update.message, wanted, names, copies):
            loads.add(Load.REFUSED)
            symbols += _undefined(one.update.message, names)
    unresolved = _undefined("\n".join(line for line in log.splitlines() if ": symbol lookup error: " in line), names)
    if unresolved:
        return ProbeLoad(Load.UNRESOLVED, unresolved[0])
    if len(loads) > 1:
        return ProbeLoad(Load.MIXED, next(iter(symbols), None))
    return ProbeLoad(next(iter(loads), Load.NOT_SEEN), next(iter(symbols), None))


def _refused(message: str, wanted: Set[str], names: Set[str], copies: tuple[Path, ...]) -> bool:
    """Returns whether a rejection says that the host would not load the probe.

    A rejection for another reason, such as a configuration that the module itself refuses, says nothing; nor does one of a host
    that looked for the file where it is not. Envoy 1.37.0 says "not found" of files that are where it looked: those it refused.
    """
    if not wanted & names:
        return False
    if _undefined(message, names) or any(str(copy) in message and copy.exists() for copy in copies):
        return True
    return wanted <= names and any(text in message for text in _UNWANTED)


def _undefined(text: str, names: Set[str]) -> list[str]:
    """Returns the symbols that the dynamic linker missed for a probe."""
    return [found["symbol"] for found in _UNDEFINED.finditer(text) if Path(found["file"]).name in names]
