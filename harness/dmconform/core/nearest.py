"""One way to refuse a name that does not exist: what it is, the name that was most likely meant, and what there is."""

from __future__ import annotations

from collections.abc import Iterable

LISTED = 30
"""So many names are listed in a message; of more, the reader is sent to a command that shows them."""


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Returns the known name that is most like `name`, or None where none is like it.

    Upper and lower case are alike, and the dashes of options do not count.
    """
    import difflib  # slow; most commands meet no mistake

    by_letters = {one.lower().lstrip("-"): one for one in known}
    found = difflib.get_close_matches(name.lower().lstrip("-"), by_letters, n=1)
    return by_letters[found[0]] if found else None


def unknown(kind: str, name: str, known: Iterable[str], *, more: str = "") -> str:
    """Returns the message that refuses a name, such as "unknown host 1.93: did you mean 1.39?".

    Args:
        kind: what the name should have named, such as "host".
        name: as it was written.
        known: the names that exist. Without one that is like `name`, the message lists them, if they are few.
        more: what else is accepted, or where all names are shown, such as "dmconform list hosts shows all".
    """
    names = list(known)
    near = nearest(name, names)
    end = f" ({more})" if more else ""
    if near is not None:
        return f"unknown {kind} {name}: did you mean {near}?{end}"
    if len(names) <= LISTED:
        return f"unknown {kind} {name}: expected one of {', '.join(names)}{end}"
    return f"unknown {kind} {name}{end}"
