"""Where hooks and callbacks have their arguments, as the interposer is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.mutants.generators import signatures


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, tuple[int, int]]]:
    """By function, without its beginning: the first word and the number of words of each argument."""
    folder: Path = tmp_path_factory.mktemp("generated")
    signatures.write(folder)
    text = (folder / "signatures.c").read_text()
    found = {}
    for name, places in re.findall(r'^\{"envoy_dynamic_module_(?:on|callback)_(\w+)", \{(.*)\}\},$', text, re.MULTILINE):
        found[name] = {
            each: (int(first), int(words)) for each, first, words in re.findall(r'\{"(\w+)", (\d+), (\d+)\}', places)
        }
    return found


def test_each_word_of_a_call_is_known(rows: dict[str, dict[str, tuple[int, int]]]) -> None:
    assert rows["http_filter_request_headers"] == {
        "filter_envoy_ptr": (0, 1),
        "filter_module_ptr": (1, 1),
        "end_of_stream": (2, 1),
    }
    assert rows["http_filter_config_new"]["config"] == (3, 2), "expected a text to have two words"


def test_what_does_not_fit_into_registers_is_on_the_stack(rows: dict[str, dict[str, tuple[int, int]]]) -> None:
    callout = rows["http_filter_http_callout"]
    assert callout["headers_size"] == (5, 1)
    assert callout["body"] == (6, 2)
    assert callout["timeout_milliseconds"] == (8, 1)


def test_a_result_that_is_written_to_memory_takes_the_first_register(rows: dict[str, dict[str, tuple[int, int]]]) -> None:
    assert rows["transport_socket_do_read"]["transport_socket_envoy_ptr"] == (1, 1)


def test_a_number_with_a_point_has_no_word(rows: dict[str, dict[str, tuple[int, int]]]) -> None:
    assert "value" not in rows["http_set_dynamic_metadata_number"]
