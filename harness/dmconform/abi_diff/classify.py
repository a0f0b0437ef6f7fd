"""Says what each difference does to a module that was built against the old ABI and is loaded by the new host.

The calling convention is that of x86-64 Linux, which arm64 shares in what matters here: each argument has a place given by
those before it, and who is called does not look at places that it does not know of.
"""

from __future__ import annotations

from dmconform.abi_diff.changes import Difference, How, Impact, Kind, Reader

Verdict = tuple[Impact, How | None]

_HARMLESS: Verdict = (Impact.HARMLESS, None)
_REBUILD: Verdict = (Impact.REBUILD, None)
_UNKNOWN: Verdict = (Impact.UNKNOWN, None)
_UNDEFINED: Verdict = (Impact.BUILT, How.UNDEFINED)
_ARGUMENT: Verdict = (Impact.BUILT, How.ARGUMENT)
_RESULT: Verdict = (Impact.BUILT, How.RESULT)

# Kinds that mean the same whoever reads what differs.
_ALWAYS: dict[Kind, Verdict] = {
    Kind.CALLBACK_REMOVED: (Impact.BUILT, How.MISSING),
    Kind.UNDECLARED_REMOVED: _HARMLESS,  # no module that was built with an SDK or a header can use it
    Kind.CALLBACK_ADDED: _HARMLESS,
    Kind.HOOK_REMOVED: (Impact.BUILT, How.SILENT),
    Kind.HOOK_ADDED: _HARMLESS,
    Kind.HOOK_REQUIRED: (Impact.BUILT, How.REQUIRED),
    Kind.HOOK_NEEDED: (Impact.BUILT, How.NEEDED),
    Kind.HOOK_OPTIONAL: _HARMLESS,
    Kind.HOOK_NOT_MEASURED: _UNKNOWN,
    Kind.SIGNATURE_UNKNOWN: _UNKNOWN,
    Kind.PARAMETERS_MOVED: _ARGUMENT,
    Kind.PARAMETER_TYPE: _ARGUMENT,
    Kind.PARAMETER_MEANING: _ARGUMENT,
    Kind.PARAMETER_CONST: _REBUILD,
    Kind.PARAMETER_RESPELLED: _HARMLESS,
    Kind.PARAMETER_RENAMED: _HARMLESS,
    Kind.RETURN_TYPE: _RESULT,
    Kind.RETURN_MEANING: _RESULT,
    Kind.RETURN_IN_MEMORY: _UNDEFINED,
    Kind.RETURN_CONST: _REBUILD,
    Kind.RETURN_RESPELLED: _HARMLESS,
    Kind.ALIAS_RESPELLED: _HARMLESS,
    Kind.FIELD_RENAMED: _REBUILD,
    Kind.ENUM_VALUE_RENAMED: _REBUILD,
    Kind.TYPE_RENAMED: _REBUILD,
    Kind.TYPE_REMOVED: _REBUILD,
    Kind.TYPE_ADDED: _HARMLESS,
}
# Where the host reads: the module that passes, or returns, is the old side.
_HOST_READS: dict[Kind, Verdict] = {
    Kind.PARAMETER_ADDED: _ARGUMENT,  # the host reads what nobody passed
    Kind.POINTER_ADDED: _UNDEFINED,  # and follows it
    Kind.PARAMETER_DROPPED: _REBUILD,  # the host does not look at what is passed in vain
    Kind.POINTER_DROPPED: _REBUILD,
    Kind.RETURN_ADDED: _RESULT,
    Kind.RETURN_DROPPED: _REBUILD,
    Kind.ENUM_VALUE_REMOVED: _ARGUMENT,
    Kind.ENUM_VALUE_ADDED: _HARMLESS,  # the module never passes it
}
# Where the module reads: the host that passes, or returns, is the new side.
_MODULE_READS: dict[Kind, Verdict] = {
    Kind.PARAMETER_ADDED: _REBUILD,
    Kind.POINTER_ADDED: _REBUILD,
    Kind.PARAMETER_DROPPED: _ARGUMENT,
    Kind.POINTER_DROPPED: _UNDEFINED,
    Kind.RETURN_ADDED: _REBUILD,
    Kind.RETURN_DROPPED: _RESULT,
    Kind.ENUM_VALUE_REMOVED: _REBUILD,  # the host never passes it any more
    # In a Rust enum, which the official SDK makes of each, a value without a name is undefined behaviour.
    Kind.ENUM_VALUE_ADDED: (Impact.BUILT, How.VALUE),
}
# Types: as bad as this where functions of both sides use them, else a matter of rebuilding.
_IF_USED: dict[Kind, Verdict] = {
    Kind.STRUCT_LAYOUT: _UNDEFINED,
    Kind.FIELD_MEANING: _ARGUMENT,
    Kind.ENUM_VALUE_CHANGED: _ARGUMENT,
    Kind.ALIAS_TARGET: _UNDEFINED,
    Kind.FUNCTION_POINTER: _UNDEFINED,
    Kind.TYPE_KIND: _UNDEFINED,
}
# Types whose values cross the boundary in no function of both sides.
_UNUSED: dict[Kind, Verdict] = {Kind.ENUM_VALUE_ADDED: _HARMLESS}
_ORDER = tuple(Impact)


def classify(difference: Difference, *, host_refuses_other_strings: bool | None = None) -> Verdict:
    """How bad it is, and how a built module breaks. `host_refuses_other_strings`: see `HostFacts`; None: not known.

    What both sides read is as bad as for the worse of them.
    """
    kind = difference.kind
    if kind is Kind.ABI_STRING:
        verdicts: dict[bool | None, Verdict] = {True: (Impact.BUILT, How.STRING), False: _HARMLESS, None: _UNKNOWN}
        return verdicts[host_refuses_other_strings]
    if kind in _ALWAYS:
        return _ALWAYS[kind]
    if kind in _IF_USED:
        return _IF_USED[kind] if difference.affects else _REBUILD
    tables = ((Reader.HOST, _HOST_READS), (Reader.MODULE, _MODULE_READS))
    verdicts_by_reader = [table[kind] for reader, table in tables if reader in difference.readers]
    return min(verdicts_by_reader, key=lambda verdict: _ORDER.index(verdict[0]), default=_UNUSED.get(kind, _REBUILD))
