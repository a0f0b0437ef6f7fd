"""The supported window: which pairs of SDK and host the documents promise.

Source: "Compatibility" in the overview document promises X.Y on X.Y and X.(Y+1). It came with 1.38; before, the module's
configuration document demanded an exact match of the ABI.
"""

from __future__ import annotations

from dmconform.core.values import Relation
from dmconform.core.versions import Minor

FIRST_PROMISED = Minor(1, 38)


def window(sdk: Minor, host: Minor) -> Relation:
    """Returns what the documents promise for a module of `sdk` on `host`."""
    if sdk >= FIRST_PROMISED and host in (sdk, sdk.next()):
        return Relation.SUPPORTED
    if sdk < FIRST_PROMISED and host == sdk:
        return Relation.LEGACY
    return Relation.UNSUPPORTED
