"""Ways to make the cases of formatters wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest
from dmconform.casekit.at_points import formatter
from dmconform.core.extension_point import ExtensionPoint

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong
from tests.hosts.wrong.points import soon, used, wrong_at

at_formatter = partial(wrong_at, ExtensionPoint.FORMATTER)


def file_has(change: Callable[[str], str]) -> Sabotage:
    """The access log has other lines."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        read = Path.read_text

        def changed(file: Path, **options: str) -> str:
            text = read(file, **options)
            return change(text) if file.name == formatter.ACCESS_LOG else text

        patch.setattr(Path, "read_text", changed)
        return bench

    return soon(apply)


def writes(old: str, new: str) -> Sabotage:
    """The access log has another text in the place of one."""
    return file_has(lambda text: text.replace(old, new))


def body(old: str, new: str) -> Sabotage:
    """Clients get another text in the place of one in bodies."""
    return sabotage.answers(lambda one: replace(one, body=one.body.replace(old, new)))


TABLE: tuple[Wrong, ...] = (
    at_formatter("works", "it has another text", used(config="another"), "expected one line of the access log .*, saw 0"),
    at_formatter(
        "works", "it writes nothing", used(name="panic", config="none"), "expected one line of the access log .*, saw 0"
    ),
    at_formatter(
        "works", "all is written twice", file_has(lambda text: text * 2), "expected one line of the access log .*, saw 2"
    ),
    at_formatter(
        "works", "another method", writes("method=POST", "method=PUT"), "expected the formatter to write of /http1.status"
    ),
    at_formatter("works", "no second value", writes("second=another", "second=-"), "expected .* 'second': 'another'"),
    at_formatter("works", "no trailer", writes("trailer=yes", "trailer=-"), "expected .* 'trailer': 'yes'"),
    at_formatter("works", "another client", writes("address=127", "address=128"), "it wrote .*'address': '128"),
    at_formatter("works", "another status beside it", writes(" 503\n", " 500\n"), "expected Envoy to write 503 beside it"),
    at_formatter(
        "works", "not in bodies", body("dmconform command", "another"), "expected the answer to /direct/local to hold"
    ),
    at_formatter("works", "no body", body("reply=direct", "reply=x"), "expected the formatter to write of /direct/local"),
    at_formatter("works", "a length too much", body("|ru|", "|rust|"), "expected the commands after the first to write"),
    at_formatter(
        "ends", "is not served", sabotage.answers(lambda one: replace(one, status=503)), "expected traffic to be served"
    ),
)
