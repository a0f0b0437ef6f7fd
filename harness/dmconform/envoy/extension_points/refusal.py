"""How an Envoy refuses what it only finds out late: when it starts, or when it first needs a module."""

from __future__ import annotations

import re

from dmconform.envoy.envoy import Envoy

_CONFIG_ERROR = re.compile(r"\]\[critical\]\[main\] \[[^\]]*\] error `(?P<message>.*?)` initializing config ", re.DOTALL)
_REFUSED_EXIT_CODE = 1


def refused_at_start(envoy: Envoy) -> str | None:
    """Returns why an Envoy has ended by itself to refuse its bootstrap configuration; None if it has not."""
    return config_error(envoy.printed()) if envoy.exit_code == _REFUSED_EXIT_CODE else None


def config_error(log: str) -> str | None:
    """Returns the text of an Envoy that ends because of its configuration; None if there is none."""
    found = list(_CONFIG_ERROR.finditer(log))
    return found[-1]["message"] if found else None


def late_refusals(envoy: Envoy, pattern: str) -> list[str]:
    """Returns the texts so far of an Envoy that refuses modules when it first needs them.

    Args:
        envoy: has accepted the configurations.
        pattern: `late_refusal` of the extension point; empty where there is no such thing.
    """
    return [found["message"] for found in re.finditer(pattern, envoy.printed())] if pattern else []
