"""What an Envoy makes of a configuration is read from its exit code and its log."""

from __future__ import annotations

import pytest
from dmconform.envoy.whole_configuration import ConfigurationVerdict, Took, _took

VALIDATED = """\
[2026-11-30 10:00:00.000][7][critical][main] [server.cc:76] error initializing configuration '/a/b.json': \
Failed to load dynamic module:
 not found
"""
STARTED = """\
[2026-11-30 10:00:00.000][7][critical][main] [server.cc:453] error `Failed to load dynamic module: not  found` initializing \
config 'blanks /a/b.json'
"""
MESSAGE = "Failed to load dynamic module: not found"


@pytest.mark.parametrize(
    ("code", "log", "took", "message"),
    [
        (0, "", Took.ACCEPTED, ""),
        (1, VALIDATED, Took.REFUSED, MESSAGE),
        (1, STARTED, Took.REFUSED, MESSAGE),
        (1, "the module has called exit(1)", Took.CRASHED, ""),
        (-11, STARTED, Took.CRASHED, MESSAGE),
        (None, "", Took.HUNG, ""),
    ],
)
def test_the_verdict(code: int | None, log: str, took: Took, message: str) -> None:
    verdict = ConfigurationVerdict(Took.ACCEPTED, code, log)
    assert (_took(verdict), verdict.message) == (took, message)


def test_a_crash_is_named_with_the_end_of_the_process() -> None:
    assert ConfigurationVerdict(Took.CRASHED, -11, "").words == "crashed with -11"
    assert ConfigurationVerdict(Took.REFUSED, 1, "").words == "refused"
