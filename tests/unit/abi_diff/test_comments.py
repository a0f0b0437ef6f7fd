"""What the comments of declarations say, through the parser of headers."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.abi.types import Abi, Deprecation, Documented
from dmconform.abi_diff.comments import deprecation, documented
from dmconform.abi_diff.extract import extract

_NEW = "envoy_dynamic_module_callback_http_get_v2"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"/**\n * @deprecated Use\n * {_NEW} instead.\n *\n * Since 1.38 it is fast.\n */", Deprecation((_NEW,))),
        ("/** DEPRECATED since v1.41.0, to be removed in Envoy 1.46 at the earliest. */", Deprecation((), "1.41", "1.46")),
        ("/// Deprecated: in release 1.41.\n/// @param x 1.39", Deprecation()),
        ("/**\n * \\deprecated as of version 1.40; earliest removal: v1.44\n */", Deprecation((), "1.40", "1.44")),
        ("/** Nothing here is deprecated. */", None),
        ("/** Gets it.\n *\n * @note the DEPRECATED way */", None),
        ("", None),
        (None, None),
    ],
)
def test_a_deprecation_is_read_from_its_paragraph(text: str | None, found: Deprecation | None) -> None:
    assert deprecation(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("/** Called at the end.\n *\n * This\n * hook is optional. */", Documented.OPTIONAL),
        ("/** This is optional but required for modules that publish. */", Documented.OPTIONAL),
        ("/** This event hook is mandatory. */", Documented.MANDATORY),
        ("/** This is required. */", Documented.MANDATORY),
        ("/** @param details is optional. */", None),
        (None, None),
    ],
)
def test_what_is_said_of_a_hook(text: str | None, found: Documented | None) -> None:
    assert documented(text) is found


def _extracted(tmp_path: Path, text: str) -> Abi:
    header = tmp_path / "abi.h"
    header.write_text(text)
    return extract(header).abi


def test_comments_belong_to_the_declaration_after_them(tmp_path: Path) -> None:
    abi = _extracted(
        tmp_path,
        f"""\
/** @deprecated Use envoy_dynamic_module_type_new. */
typedef int envoy_dynamic_module_type_old;
typedef int envoy_dynamic_module_type_new;
/** @deprecated Use {_NEW}. This is optional. */
void envoy_dynamic_module_callback_http_get(envoy_dynamic_module_type_old x);
void {_NEW}(envoy_dynamic_module_type_new x);
/** This is optional. */
void envoy_dynamic_module_on_http_filter_idle(void);
void envoy_dynamic_module_on_http_filter_busy(void);
""",
    )
    marks = {one.name.rpartition("_module_")[2]: one.deprecated for one in (*abi.types, *abi.functions)}
    assert {name for name, mark in marks.items() if mark} == {"type_old", "callback_http_get"}
    assert marks["callback_http_get"] == Deprecation((_NEW,))
    hooks = {one.name.rpartition("_on_")[2]: one.documented for one in abi.functions}
    assert hooks["http_filter_idle"] is Documented.OPTIONAL
    assert hooks["http_filter_busy"] is None
    assert hooks[f"{_NEW}".rpartition("_on_")[2]] is None, "expected that only hooks have it"


def test_a_comment_that_is_no_text_says_nothing_and_does_no_harm(tmp_path: Path) -> None:
    header = tmp_path / "abi.h"
    header.write_bytes(b"/** @deprecated caf\xe9 */\nvoid envoy_dynamic_module_callback_log(void);\n")
    (one,) = extract(header).abi.functions
    assert one.deprecated is None


def test_a_comment_of_many_names_and_of_a_whole_header_s_size_is_read_in_time(tmp_path: Path) -> None:
    names = "".join(f" * envoy_dynamic_module_callback_n{number}\n" for number in range(60_000))
    abi = _extracted(tmp_path, f"/**\n * @deprecated\n{names} */\nvoid envoy_dynamic_module_callback_log(void);\n")
    (one,) = abi.functions
    assert one.deprecated is not None
    assert len(one.deprecated.replacement) == 8
