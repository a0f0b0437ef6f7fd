"""Ways to make the cases of filters of datagrams wrong."""

from __future__ import annotations

from functools import partial
from types import ModuleType

import pytest
from dmconform.casekit.at_points import udp_listener_filter
from dmconform.core.extension_point import ExtensionPoint
from dmconform.core.values import Outcome

from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong
from tests.hosts.wrong.points import LACKS, counts, soon, used, wrong_at

at_filter = partial(wrong_at, ExtensionPoint.UDP_LISTENER_FILTER)


def driven_with(then: Sabotage | None = None, **changes: object) -> Sabotage:
    """The driver sends something else, and does not wait long for an answer."""

    def apply(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        for name, value in {"REQUEST_S": 0.3, **changes}.items():
            patch.setattr(udp_listener_filter, name, value)
        return soon(then or (lambda bench, *_: bench))(bench, case, patch)

    return apply


SILENT = driven_with(used(name="panic", config="none"))
ANSWERED = "expected a datagram to be answered with"

TABLE: tuple[Wrong, ...] = (
    at_filter("works", "it has another text", used(config="another"), ANSWERED),
    at_filter("works", "it does not answer", SILENT, "expected an answer to a datagram of 5 bytes within 0.3 s, saw none"),
    at_filter("works", "nothing is dropped", driven_with(_DROPPED=b"keep this"), ANSWERED),
    at_filter("works", "it does not count", counts(0), "expected the filter to count .*'dmconform_datagrams': 3"),
    at_filter("works", "no sizes", driven_with(_SIZES_SEEN="x"), "expected the filter to record 3 sizes, saw 0"),
    at_filter("works", "it does not pass on", driven_with(_SENT=(b"drop this",)), "expected 'pass this' .*, saw nothing"),
    at_filter("works", "it drops nothing", driven_with(_SENT=(b"pass this", b"pass that")), "expected .*, saw 'pass that'"),
    at_filter("works", "the SDK has none", LACKS, "has UDP listener filters", Outcome.NOT_APPLICABLE),
    at_filter("ends", "it is not served", SILENT, "expected an answer to a datagram within 0.3 s, saw none"),
)
