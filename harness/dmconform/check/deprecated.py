"""A remark on functions that a module uses and that headers of the ABI mark as deprecated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from dmconform.abi.deprecations import Deprecated
from dmconform.binaries.facts import ModuleFacts
from dmconform.core.extension_point import CALLBACK_PREFIX, HOOK_PREFIX
from dmconform.core.versions import Minor

_SHOWN: Final = 5  # functions in one remark


def deprecated_notes(facts: ModuleFacts, known: Mapping[str, Deprecated]) -> Iterator[str]:
    """Yields a remark for each release since which functions that the module calls or defines are deprecated.

    Args:
        facts: what was read of the module.
        known: what headers mark as deprecated, by name.
    """
    groups: dict[tuple[Minor, Minor], list[Deprecated]] = defaultdict(list)
    for name in sorted({*(one.name for one in facts.callbacks), *facts.hooks} & known.keys()):
        groups[known[name].since, known[name].earliest_removal].append(known[name])
    for (since, removal), functions in sorted(groups.items()):
        names = [f"{_short(one.name)}{_instead(one)}" for one in functions[:_SHOWN]]
        more = f" and {len(functions) - _SHOWN} more" if len(functions) > _SHOWN else ""
        what = "a function" if len(functions) == 1 else f"{len(functions)} functions"
        yield (
            f"it uses {what} that the ABI's header marks as deprecated since {since}, and that Envoy {removal} may be the "
            f"first to lack: {', '.join(names)}{more}"
        )


def _instead(one: Deprecated) -> str:
    functions = [_short(name) for name in one.replacement if name.startswith((CALLBACK_PREFIX, HOOK_PREFIX))]
    return f" (now {', '.join(functions)})" if functions else ""


def _short(name: str) -> str:
    return name.removeprefix(CALLBACK_PREFIX).removeprefix(HOOK_PREFIX)
