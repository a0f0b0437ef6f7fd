"""Ways to make the cases of `panics_tcp` wrong."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

import pytest
from dmconform.core.values import Language, Outcome
from dmconform.envoy.config import Listener, ListenerFilter, NetworkFilter
from dmconform.envoy.envoy import Envoy
from dmconform.matrix.cell import Cell

from tests.hosts import sabotage
from tests.hosts.bench import Bench
from tests.hosts.sabotage import Sabotage
from tests.hosts.wrong import Wrong
from tests.hosts.wrong.panics import client_stays, later_panics, soon

CPP, RUST = Language.CPP, Language.RUST
NETWORK = ("creation", "new_connection", "read", "write", "event", "destroy")
LISTENER = ("creation", "accept", "data")
WRAPPED = ("network_new_connection", "network_read", "network_write", "listener_accept", "listener_data")
AT_THE_END = ("network_event", "network_destroy")
LOGGED = "expected the log to hold 'dmconform panic in {}'"


def configured(config: str) -> Sabotage:
    """Each filter has this configuration."""

    def apply(bench: Bench, _: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
        for kind in (NetworkFilter, ListenerFilter):
            to_json = kind.to_json
            patch.setattr(kind, "to_json", lambda one, to_json=to_json: to_json(replace(one, config=config)))
        return bench

    return soon(apply)


def goes_on(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """Nothing panics, and nobody asks the log."""
    patch.setattr(case, "assert_panic_logged", lambda *_: None)
    return configured("none")(bench, case, patch)


@soon
def module_is_kept(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """A listener that nobody asked for uses the module."""
    reconfigure = Cell.reconfigure

    def changed(cell: Cell, envoy: Envoy, *listeners: Listener) -> None:
        reconfigure(cell, envoy, *listeners, case.network("further", "none"))

    patch.setattr(Cell, "reconfigure", changed)
    return bench


def other_goes_there(bench: Bench, case: ModuleType, patch: pytest.MonkeyPatch) -> Bench:
    """A request for the same path that meets no panic reaches the upstream server."""
    patch.setattr(case, "OTHER", replace(case.OTHER, path="/panics"))
    return bench


NOT_WRAPPED = tuple(
    row
    for kind, callbacks in (("network", NETWORK), ("listener", LISTENER))
    for callback in callbacks
    for row in (
        Wrong(f"panics_tcp/{kind}_{callback}", "does not panic", configured("none"), LOGGED.format(callback)),
        Wrong(
            f"panics_tcp/{kind}_{callback}",
            "not logged",
            soon(sabotage.log_without("dmconform panic")),
            LOGGED.format(callback),
        ),
        Wrong(
            f"panics_tcp/{kind}_{callback}",
            "the SDK has no such filter",
            sabotage.recorded_of_sdk(points={}),
            f"no reference SDK of this language has {kind} filters",
            Outcome.NOT_APPLICABLE,
        ),
    )
)

IN_DETAIL = (
    Wrong("panics_tcp/network_read", "harms later ones", later_panics, "expected a later request to be served"),
    Wrong("panics_tcp/network_read", "client stays", client_stays, "nothing to be under way any more.*: [1-9]"),
    Wrong(
        "panics_tcp/network_read", "module is kept", module_is_kept, "expected libprobe.so to be unloaded with its listeners"
    ),
)

ENDS = tuple(
    row
    for kind, first in (("network", "creation"), ("listener", "creation"))
    for row in (
        Wrong(f"panics_tcp/{kind}_ends", "does not panic", configured("none"), LOGGED.format(first)),
        Wrong(
            f"panics_tcp/{kind}_ends",
            "goes on",
            goes_on,
            f"met a panic in {first} to be closed, the client saw status 200",
        ),
    )
)

FAILS_CLOSED = (
    *(
        row
        for name in WRAPPED
        for row in (
            Wrong(
                f"panics_tcp/wrapped_{name}",
                "goes on",
                goes_on,
                "its connection closed without an answer, it saw status 200",
                language=RUST,
            ),
            Wrong(
                f"panics_tcp/wrapped_{name}",
                "next filter is called",
                sabotage.log_says("[error]", f"[error] dmconform panic in {name.partition('_')[2]}\n[error]"),
                "expected 1 errors in the log",
                language=RUST,
            ),
            Wrong(
                f"panics_tcp/wrapped_{name}",
                "reaches the upstream server",
                other_goes_there,
                "requests to reach the upstream server",
                language=RUST,
            ),
        )
    ),
    *(
        row
        for name in AT_THE_END
        for row in (
            Wrong(
                f"panics_tcp/wrapped_{name}",
                "does not panic",
                configured("none"),
                LOGGED.format(name.partition("_")[2]),
                language=RUST,
            ),
            Wrong(
                f"panics_tcp/wrapped_{name}",
                "ends otherwise",
                lambda bench, case, patch: configured("read guarded")(
                    sabotage.log_says("panic in read", "panic in event")(bench, case, patch), case, patch
                ),
                "to see status 200, it saw connection cut" if name == "network_event" else LOGGED.format("destroy"),
                language=RUST,
            ),
        )
    ),
    *(
        Wrong(
            f"panics_tcp/wrapped_{name}",
            "there is no wrapper",
            sabotage.recorded_of_sdk(catch_unwind=False),
            "no opt-in wrapper",
            Outcome.NOT_APPLICABLE,
            RUST,
        )
        for name in (*WRAPPED, *AT_THE_END)
    ),
)

TABLE = (*NOT_WRAPPED, *IN_DETAIL, *ENDS, *FAILS_CLOSED)
