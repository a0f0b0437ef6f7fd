"""Classifies what each difference does to a module that was built against the old ABI and is loaded by the new host.

The calling convention is that of x86-64 Linux, which arm64 shares in what matters here: each argument has a place given by
those before it, and who is called does not look at places that it does not know of.
"""

from __future__ import annotations

from dmconform.abi_diff.changes import AbiChangeKind, AbiDifference, How, Impact, Reader

Verdict = tuple[Impact, How | None]

_HARMLESS: Verdict = (Impact.HARMLESS, None)
_REBUILD: Verdict = (Impact.REBUILD, None)
_UNKNOWN: Verdict = (Impact.UNKNOWN, None)
_UNDEFINED: Verdict = (Impact.BUILT, How.UNDEFINED)
_ARGUMENT: Verdict = (Impact.BUILT, How.ARGUMENT)
_RESULT: Verdict = (Impact.BUILT, How.RESULT)

# Kinds that mean the same whoever reads what differs.
_ALWAYS: dict[AbiChangeKind, Verdict] = {
    AbiChangeKind.CALLBACK_REMOVED: (Impact.BUILT, How.MISSING),
    AbiChangeKind.UNDECLARED_REMOVED: _HARMLESS,  # no module that was built with an SDK or a header can use it
    AbiChangeKind.CALLBACK_ADDED: _HARMLESS,
    AbiChangeKind.HOOK_REMOVED: (Impact.BUILT, How.SILENT),
    AbiChangeKind.HOOK_ADDED: _HARMLESS,
    AbiChangeKind.HOOK_REQUIRED: (Impact.BUILT, How.REQUIRED),
    AbiChangeKind.HOOK_NEEDED: (Impact.BUILT, How.NEEDED),
    AbiChangeKind.HOOK_OPTIONAL: _HARMLESS,
    AbiChangeKind.HOOK_NOT_MEASURED: _UNKNOWN,
    AbiChangeKind.SIGNATURE_UNKNOWN: _UNKNOWN,
    AbiChangeKind.PARAMETERS_MOVED: _ARGUMENT,
    AbiChangeKind.PARAMETER_TYPE: _ARGUMENT,
    AbiChangeKind.PARAMETER_MEANING: _ARGUMENT,
    AbiChangeKind.PARAMETER_CONST: _REBUILD,
    AbiChangeKind.PARAMETER_RESPELLED: _HARMLESS,
    AbiChangeKind.PARAMETER_RENAMED: _HARMLESS,
    AbiChangeKind.RETURN_TYPE: _RESULT,
    AbiChangeKind.RETURN_MEANING: _RESULT,
    AbiChangeKind.RETURN_IN_MEMORY: _UNDEFINED,
    AbiChangeKind.RETURN_CONST: _REBUILD,
    AbiChangeKind.RETURN_RESPELLED: _HARMLESS,
    AbiChangeKind.ALIAS_RESPELLED: _HARMLESS,
    AbiChangeKind.FIELD_RENAMED: _REBUILD,
    AbiChangeKind.ENUM_VALUE_RENAMED: _REBUILD,
    AbiChangeKind.TYPE_RENAMED: _REBUILD,
    AbiChangeKind.TYPE_REMOVED: _REBUILD,
    AbiChangeKind.TYPE_ADDED: _HARMLESS,
}
# Where the host reads: the module that passes, or returns, is the old side.
_HOST_READS: dict[AbiChangeKind, Verdict] = {
    AbiChangeKind.PARAMETER_ADDED: _ARGUMENT,  # the host reads what was not passed
    AbiChangeKind.POINTER_ADDED: _UNDEFINED,  # and follows it
    AbiChangeKind.PARAMETER_DROPPED: _REBUILD,  # the host does not look at what is passed in vain
    AbiChangeKind.POINTER_DROPPED: _REBUILD,
    AbiChangeKind.RETURN_ADDED: _RESULT,
    AbiChangeKind.RETURN_DROPPED: _REBUILD,
    AbiChangeKind.ENUM_VALUE_REMOVED: _ARGUMENT,
    AbiChangeKind.ENUM_VALUE_ADDED: _HARMLESS,  # the module never passes it
}
# Where the module reads: the host that passes, or returns, is the new side.
_MODULE_READS: dict[AbiChangeKind, Verdict] = {
    AbiChangeKind.PARAMETER_ADDED: _REBUILD,
    AbiChangeKind.POINTER_ADDED: _REBUILD,
    AbiChangeKind.PARAMETER_DROPPED: _ARGUMENT,
    AbiChangeKind.POINTER_DROPPED: _UNDEFINED,
    AbiChangeKind.RETURN_ADDED: _REBUILD,
    AbiChangeKind.RETURN_DROPPED: _RESULT,
    AbiChangeKind.ENUM_VALUE_REMOVED: _REBUILD,  # the host never passes it any more
    # In a Rust enum, which the official SDK makes of each, a value without a name is undefined behaviour.
    AbiChangeKind.ENUM_VALUE_ADDED: (Impact.BUILT, How.VALUE),
}
# Types: as bad as this where functions of both sides use them, else a matter of rebuilding.
_IF_USED: dict[AbiChangeKind, Verdict] = {
    AbiChangeKind.STRUCT_LAYOUT: _UNDEFINED,
    AbiChangeKind.FIELD_MEANING: _ARGUMENT,
    AbiChangeKind.ENUM_VALUE_CHANGED: _ARGUMENT,
    AbiChangeKind.ALIAS_TARGET: _UNDEFINED,
    AbiChangeKind.FUNCTION_POINTER: _UNDEFINED,
    AbiChangeKind.TYPE_KIND: _UNDEFINED,
}
# Types whose values cross the boundary in no function of both sides.
_UNUSED: dict[AbiChangeKind, Verdict] = {AbiChangeKind.ENUM_VALUE_ADDED: _HARMLESS}
_ORDER = tuple(Impact)


def classify(difference: AbiDifference, *, host_refuses_other_strings: bool | None = None) -> Verdict:
    """Classifies a difference: how bad it is, and how a built module breaks.

    `host_refuses_other_strings`: see `HostFacts`; None: not known.

    What both sides read is as bad as for the worse of them.
    """
    kind = difference.kind
    if kind is AbiChangeKind.ABI_STRING:
        verdicts: dict[bool | None, Verdict] = {True: (Impact.BUILT, How.STRING), False: _HARMLESS, None: _UNKNOWN}
        return verdicts[host_refuses_other_strings]
    if kind in _ALWAYS:
        return _ALWAYS[kind]
    if kind in _IF_USED:
        return _IF_USED[kind] if difference.affects else _REBUILD
    tables = ((Reader.HOST, _HOST_READS), (Reader.MODULE, _MODULE_READS))
    verdicts_by_reader = [table[kind] for reader, table in tables if reader in difference.readers]
    return min(verdicts_by_reader, key=lambda verdict: _ORDER.index(verdict[0]), default=_UNUSED.get(kind, _REBUILD))
