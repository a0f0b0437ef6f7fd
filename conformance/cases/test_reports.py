"""What people reported of modules on released Envoys, each by a module in C that does this one thing.

No document promises these: what each release does is on record. `docs/defects.md` has them all.
"""

from __future__ import annotations

from dmconform.casekit import Cell, Language, Listener, ListenerFilter, ModuleRef, case

CPP = (Language.CPP,)
"""The build that leaves modules in C; they use no SDK."""


@case("safety.no_boundary", languages=CPP, supported_for=(), own_minor=True)
def test_continue_in_accept(cell: Cell) -> None:
    """A listener filter that continues the chain from inside its own hook: the connection is served or closed, Envoy lives."""
    module = cell.install("continue_in_accept").stem.removeprefix("lib")
    with cell.start(Listener("main", listening=(ListenerFilter(ModuleRef(module), "any", ""),), tcp=True)) as envoy:
        cell.facts["answer"] = envoy.request("/").summary
        envoy.check_survived("after a connection")
