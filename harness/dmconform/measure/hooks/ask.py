"""Bodies that make a host call hooks which it calls only when a module asks: events that a module schedules.

Only what happens in a fixed order is asked for: a measurement must say the same in every run.
"""

from __future__ import annotations

from dmconform.abi.bindings.stub_module import harmless_body
from dmconform.abi.types import Abi, FunctionKind
from dmconform.core.extension_point import CALLBACK_PREFIX, HOOK_PREFIX

# The hook in which an event is scheduled, by how the scheduler's callbacks begin. The first parameter with the handle's type is
# what the scheduler is made for.
_ASKED_IN = {
    "cluster": "cluster_init",
    "http_filter_config": "http_filter_config_new",
    "listener_filter_config": "listener_filter_config_new",
    "network_filter": "network_filter_new_connection",
    "network_filter_config": "network_filter_config_new",
    "stat_sink_config": "stat_sink_config_new",
}


def asking(abi: Abi) -> dict[str, str]:
    """Returns bodies for `stub_module`, by the hooks' full names, that schedule an event and then do no harm.

    Hooks that a minor lacks, and those whose scheduler it lacks, are left out.
    """
    functions = {function.name: function for function in abi.functions}
    callbacks = abi.names(FunctionKind.CALLBACK)
    bodies = {}
    for scheduler, short in _ASKED_IN.items():
        hook = functions.get(f"{HOOK_PREFIX}{short}")
        make = functions.get(f"{CALLBACK_PREFIX}{scheduler}_scheduler_new")
        if hook is None or make is None or not hook.params or not make.params or make.name not in callbacks:
            continue
        handle = next((param.name for param in hook.params if param.type == make.params[0].type), None)
        if handle is not None:
            stem = f"{CALLBACK_PREFIX}{scheduler}_scheduler"
            lines = [f"{make.returns} scheduler = {stem}_new({handle});", f"{stem}_commit(scheduler, 1);"]
            bodies[hook.name] = "\n".join([*lines, f"{stem}_delete(scheduler);", harmless_body(abi, hook.name)])
    return bodies
