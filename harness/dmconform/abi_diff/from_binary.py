"""The ABI as a binary alone shows it: names, and the ABI string where it can be read. Nothing is run."""

from __future__ import annotations

from pathlib import Path

from dmconform.abi.types import UNKNOWN, Abi, Function, FunctionKind
from dmconform.abi_diff.extract import minor_of
from dmconform.core.errors import HarnessError, UsageError


def abi_of_binary(path: Path, envoy: str | None = None, release: str | None = None) -> Abi:
    """Returns the callbacks and hooks of an Envoy, or those that a module uses, as ABI data without signatures.

    Of a module, these are the hooks that it defines and the callbacks that it leaves undefined, and `measured_on` is unknown.
    `envoy` and `release` are what the user says of it.

    Raises:
        UsageError: it is neither an Envoy nor a dynamic module, or its description contradicts itself.
        HarnessError: the reader could not do its work, or the file is too much for it.
    """
    from dmconform.binaries.read import read_host, read_module

    module = read_module(path)
    if module.not_read:
        raise HarnessError(f"{path}: it was not read: {module.problem}")
    if module.problem is None and (module.hooks or module.callbacks):
        callbacks = frozenset(one.name for one in module.callbacks)
        return _names(callbacks, frozenset(module.hooks), module.abi_version, envoy, release)
    host = read_host(path, release)
    if not host.callbacks:
        raise UsageError(
            f"{path}: expected an Envoy or a dynamic module; it has neither callbacks of dynamic modules nor hooks"
        )
    return _names(host.callbacks, host.hooks, host.abi_version, envoy, release or host.release)


def _names(
    callbacks: frozenset[str], hooks: frozenset[str], abi_version: str | None, envoy: str | None, release: str | None
) -> Abi:
    return Abi(
        envoy=minor_of(envoy, release),
        measured_on=release or UNKNOWN,
        abi_version=abi_version or UNKNOWN,
        sources={},
        types=(),
        functions=(
            *(Function(name, FunctionKind.CALLBACK) for name in sorted(callbacks)),
            *(Function(name, FunctionKind.HOOK) for name in sorted(hooks)),
        ),
    )
