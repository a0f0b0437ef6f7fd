"""What a check found, on a terminal."""

from __future__ import annotations

import io
import re

import pytest
from dmconform.check.console import print_check
from dmconform.check.result import Check, RunKind
from rich.console import Console

from tests.unit.check_samples import check, point_run


def printed(of: Check, *, terminal: bool = False, encoding: str = "utf-8") -> str:
    sink = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    print_check(of, Console(file=sink, width=140, force_terminal=terminal, color_system="truecolor" if terminal else None))
    sink.flush()
    return sink.buffer.getvalue().decode(encoding)


def test_a_row_per_host_with_prediction_and_observation() -> None:
    text = printed(check())
    rows = {line.split()[0]: line for line in text.splitlines() if re.match(r" *1\.\d+\.\d+ +\w", line)}
    assert list(rows) == ["1.36.4", "1.37.0", "1.38.3", "1.39.0", "1.39.3", "1.40.0"]
    assert re.search(r"refused +http_filter +refused .*✗ does not work$", rows["1.36.4"].rstrip())
    assert re.search(r"unresolved +http_filter +works .*✓ works$", rows["1.38.3"].rstrip())
    assert re.search(r"loads +http_filter +crashed .*✗ does not work !!$", rows["1.40.0"].rstrip())


def test_the_range_can_be_pasted() -> None:
    lines = printed(check()).splitlines()
    assert 'minEnvoyVersion: "1.39.0"' in lines
    assert 'maxEnvoyVersion: "1.39.3"' in lines
    assert any("1.38.3 only as far as it was driven" in line for line in lines)


def test_a_range_with_a_gap_is_none() -> None:
    text = printed(check(runs={"1.39.0": point_run(RunKind.CRASHED, "SIGSEGV"), "1.38.3": point_run(RunKind.REFUSED)}))
    assert "maxEnvoyVersion" in text  # 1.39.3 alone
    text = printed(
        check(("1.39.0", "1.39.3", "1.40.0"), runs={"1.39.3": point_run(RunKind.HUNG), "1.40.0": point_run(RunKind.WORKS)})
    )
    assert "EnvoyVersion" not in text
    assert "no single range: it works on 1.39.0, 1.40.0, and not on what lies between" in text


def test_a_reason_that_the_file_shows_is_printed_once() -> None:
    text = printed(check())
    assert text.count("it lacks 40 callbacks") == 2, "1.36.4 and 1.37.0 report different messages"
    assert "1.36.4: http_filter: refused at load: it lacks 40 callbacks; the host reports: undefined symbol" in text
    static_only = printed(check(("1.36.4", "1.37.0", "1.39.0"), ran=False))
    assert static_only.count("1.36.4, 1.37.0: it lacks 40 callbacks") == 1


def test_mismatches_are_loud() -> None:
    assert "!! 1.40.0: static/run-time mismatch: nothing is missing, and yet the host ends, as another does not" in printed(
        check()
    )


@pytest.mark.parametrize(
    ("releases", "sdk", "expected"),
    [
        (
            ("1.39.0", "1.39.3"),
            ("1.39",),
            "SDK 1.39: works on Envoy 1.39, 1.40 (window); 1.40 and later (frozen). kept on 1.39.0, 1.39.3; it works nowhere",
        ),
        (("1.38.3", "1.39.3"), ("1.39",), "kept on 1.39.3; it also works where nothing is promised: 1.38.3."),
        (("1.39.3", "1.40.0"), ("1.39",), "BROKEN on 1.40.0 (window, frozen); kept on 1.39.3"),
        (
            ("1.39.3",),
            ("1.38", "1.39"),
            "of SDK 1.38: works on Envoy 1.38, 1.39 (window); 1.40 and later (frozen). kept on 1.39.3",
        ),
        (
            ("1.39.3",),
            ("1.37",),
            "so Envoy 1.37 at most. it also works where nothing is promised: 1.39.3",
        ),
        (("1.39.3",), (), "--sdk-minor"),
    ],
)
def test_the_promise_in_words(releases: tuple[str, ...], sdk: tuple[str, ...], expected: str) -> None:
    assert expected in printed(check(releases, sdk=sdk))


def test_what_was_not_run_is_called_expected() -> None:
    text = printed(check(("1.39.0", "1.39.3"), ran=False))
    assert "expected, nothing was run" in text
    assert "works (expected)" in text


@pytest.mark.parametrize("terminal", [True, False])
def test_text_of_a_module_does_nothing_to_the_terminal(terminal: bool) -> None:
    text = printed(check(), terminal=terminal)
    assert "\x1b]8" not in text
    assert "\x1b[31mred" not in text
    assert "\u202e" not in text
    assert "\x08" not in text
    assert "[bold]rich[/bold]" in text, "markup is printed as text"


def test_a_terminal_without_unicode_is_no_reason_to_fail() -> None:
    assert "\\u2713 works" in printed(check(), encoding="ascii")
