"""What the comment of a declaration says: that it is deprecated, and, of a hook, whether modules may lack it."""

from __future__ import annotations

import re
from typing import Final

from dmconform.abi.types import Deprecation, Documented

_MOST_NAMES: Final = 8  # of a replacement; a header may be of anybody
_FRAME = re.compile(r"^\s*(?:/\*\*?|///?!?|\*/|\*)?\s?|\s*\*/\s*$")
_MARK = re.compile(r"(?:[@\\]deprecated\b|DEPRECATED\b|Deprecated:)[\s:.,-]*")
_NEXT = re.compile(r"\s*[@\\](?:param|return|note|see|brief|deprecated)")
_NAME = re.compile(r"\benvoy_dynamic_module_(?:callback|on|type)_\w+")
_MINOR: Final = r"(?:envoy|version|release)?\s*v?(\d{1,3}\.\d{1,3})(?:\.\d{1,3})?\b"
_SINCE = re.compile(rf"\b(?:since|as of|deprecated in|superseded in)\s+{_MINOR}", re.IGNORECASE)
_REMOVAL = re.compile(rf"\b(?:remov\w+|earliest)\b\D{{0,80}}?\b{_MINOR}", re.IGNORECASE)
_DEMAND = re.compile(r"\bthis (?:event )?(?:hook |function )?is (optional|mandatory|required)\b", re.IGNORECASE)
_DEMANDS: Final = {
    "optional": Documented.OPTIONAL,
    "mandatory": Documented.MANDATORY,
    "required": Documented.MANDATORY,
}


def deprecation(comment: str | None) -> Deprecation | None:
    """Returns what a comment says of the deprecation of its declaration; None where it says nothing of it.

    The mark is `@deprecated`, `DEPRECATED` or `Deprecated:` at the start of a line. What belongs to it is the text up to
    the end of the paragraph.
    """
    lines = _lines(comment)
    for number, line in enumerate(lines):
        mark = _MARK.match(line)
        if mark is None:
            continue
        words = [line[mark.end() :]]
        for following in lines[number + 1 :]:
            if not following.strip() or _NEXT.match(following):
                break
            words.append(following)
        text = " ".join(" ".join(words).split())
        return Deprecation(
            replacement=tuple(dict.fromkeys(_NAME.findall(text)))[:_MOST_NAMES],
            since=_minor(_SINCE, text),
            earliest_removal=_minor(_REMOVAL, text),
        )
    return None


def documented(comment: str | None) -> Documented | None:
    """Returns whether a hook's comment says that modules may lack it; None where it says neither."""
    found = _DEMAND.search(" ".join(" ".join(_lines(comment)).split()))
    return _DEMANDS[found[1].lower()] if found else None


def _lines(comment: str | None) -> list[str]:
    return [_FRAME.sub("", line) for line in (comment or "").splitlines()]


def _minor(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[1] if found else None
