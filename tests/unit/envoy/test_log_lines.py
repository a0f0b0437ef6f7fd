"""What the host itself wrote into its log."""

from __future__ import annotations

import pytest
from dmconform.core.values import AbiVerdict
from dmconform.envoy.log_lines import host_lines
from dmconform.matrix.cell import abi_verdict

HEAD = "[2026-11-30 06:54:39.747][4941][{}][{}] [{}] "
OWN = "source/extensions/dynamic_modules/posix/dynamic_modules.cc:119"
TEXT = "Dynamic module ABI version v0.1.0 matched."


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        (HEAD.format("info", "dynamic_modules", OWN) + TEXT, True),
        (HEAD.format("warning", "config", "source/server/x.cc:1") + TEXT, True),
        (HEAD.format("info", "dynamic_modules", "source/extensions/dynamic_modules/abi_impl.cc:60") + TEXT, False),
        (HEAD.format("info", "dynamic_modules", ":") + TEXT, False),  # as 1.40 writes what modules log
        (TEXT, False),
        (f"  {HEAD.format('info', 'dynamic_modules', OWN)}{TEXT}", False),
    ],
)
def test_what_a_module_prints_or_logs_is_not_the_hosts(line: str, counts: bool) -> None:
    assert list(host_lines(f"noise\n{line}\n")) == ([TEXT] if counts else [])
    assert abi_verdict(line, loaded=True) is (AbiVerdict.MATCHED if counts else AbiVerdict.SILENT)
