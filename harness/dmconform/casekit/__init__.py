"""The interface for case authors: everything that a case imports, and nothing else of the package.

A case declares itself with `case`, gets a `Cell`, starts Envoys with listeners and filters that refer to modules, looks at what
comes back, polls with named time-outs, and asserts. `docs/writing-cases.md` leads from an idea to a merged case.
"""

from __future__ import annotations

from dmconform.binaries.hide import without_symbols
from dmconform.binaries.module import export_names
from dmconform.casekit.at_points.model import Asked, ProbedPoint, When
from dmconform.casekit.at_points.table import PROBED
from dmconform.casekit.bodies import LARGE, SMALL, BodySent, adler, pieces_of, text_of
from dmconform.casekit.bulk import ask_in_bulk, requests_of_a_load
from dmconform.casekit.burst import burst
from dmconform.casekit.datagrams import DatagramFilter, DatagramListener
from dmconform.casekit.envoy_filters import AUTHORITY, NEIGHBOURS, Neighbour
from dmconform.casekit.extensions import (
    bootstrap_extension,
    module_access_log,
    module_bridge,
    module_cluster,
    upstream_socket,
)
from dmconform.casekit.growth import GrowthLimit, growth
from dmconform.casekit.guards import guarded, runtime_guards
from dmconform.casekit.hot_restart import hot_restart
from dmconform.casekit.http2_end import (
    HTTP2_WINDOW_BYTES,
    SMALL_WINDOWS,
    Http2Client,
    Http2Server,
    http2_client,
    http2_server,
    http2_upgrade,
    over_http2,
)
from dmconform.casekit.identity import INITIALISED, Held, has_inode_mapped, held, identity_of
from dmconform.casekit.life import assert_all_ended, lines_of_use, used
from dmconform.casekit.load import LoadClient, load
from dmconform.casekit.needed_library import NEEDED_LIBRARY, write_module_that_needs_it, write_needed_library
from dmconform.casekit.panics import (
    answer_soon,
    assert_each_panic_logged_once,
    assert_nothing_left,
    assert_panic_in_logs,
    assert_panic_logged,
    assert_served,
    in_words,
    panic_lines,
    provoke_panic,
)
from dmconform.casekit.points import (
    is_in_listeners,
    listeners_at,
    reachable_points,
    start_at_point,
    use_at,
    verdict_of,
    working_at_point,
)
from dmconform.casekit.raw_client import RawClient, raw_client
from dmconform.casekit.recorder import RECORDER, calls_of, wrong_in
from dmconform.casekit.records import host_program, known_host, required_hooks
from dmconform.casekit.routed import RoutedListener, per_filter, route, virtual_host
from dmconform.casekit.routes import Routes
from dmconform.casekit.running_point import RunningPoint, probe_at, probed
from dmconform.casekit.system_folder import SYSTEM_FOLDER, system_folder_prefix
from dmconform.casekit.unloading import assert_drained, assert_unloaded
from dmconform.casekit.unprivileged import unprivileged_prefix
from dmconform.casekit.upstream_side import on_the_upstream_side
from dmconform.core.extension_point import HOOK_PREFIX, ExtensionPoint
from dmconform.core.threads import thread_pool
from dmconform.core.timeouts import CONFIG_UPDATE_S, LOG_LINE_S, NEVER_S, PANICKED_S, POLL_S, REQUEST_S, SHORT_FETCH_S
from dmconform.core.values import AbiVerdict, Feature, Language, Relation
from dmconform.core.versions import Minor
from dmconform.core.waiting import poll
from dmconform.envoy.client import Answer, End, NoAnswer
from dmconform.envoy.config import (
    DIRECT_BODY,
    DIRECT_PATH,
    MODULE_SOURCE,
    PLAIN_PATH,
    EnvoyFilter,
    HttpFilter,
    Listener,
    ListenerFilter,
    LocalFile,
    ModuleRef,
    NetworkFilter,
    PerRoute,
    RemoteSource,
)
from dmconform.envoy.connection import Protocol, Request
from dmconform.envoy.echo_server import EchoServer
from dmconform.envoy.envoy import Envoy, accepted
from dmconform.envoy.extension_points.draft import Draft
from dmconform.envoy.extension_points.use import Attempt, AttemptEnd, Config, ModuleUse
from dmconform.envoy.headers import Headers
from dmconform.envoy.outcomes import HostCrashed, ModuleRejected
from dmconform.envoy.source_server import Manner, Reply, SourceServer, refusing_port
from dmconform.envoy.update import Update
from dmconform.envoy.upstream import TRAILER, Received, Upstream
from dmconform.envoy.whole_configuration import ConfigurationVerdict, Mode, Took
from dmconform.hosts.catalogue import AbiCheck, Opens
from dmconform.matrix.cell import PROBE, Cell, listener
from dmconform.matrix.plan import PlannedSdk
from dmconform.spec.cases import case

__all__ = [
    "AUTHORITY",
    "CONFIG_UPDATE_S",
    "DIRECT_BODY",
    "DIRECT_PATH",
    "HOOK_PREFIX",
    "HTTP2_WINDOW_BYTES",
    "INITIALISED",
    "LARGE",
    "LOG_LINE_S",
    "MODULE_SOURCE",
    "NEEDED_LIBRARY",
    "NEIGHBOURS",
    "NEVER_S",
    "PANICKED_S",
    "PLAIN_PATH",
    "POLL_S",
    "PROBE",
    "PROBED",
    "RECORDER",
    "REQUEST_S",
    "SHORT_FETCH_S",
    "SMALL",
    "SMALL_WINDOWS",
    "SYSTEM_FOLDER",
    "TRAILER",
    "AbiCheck",
    "AbiVerdict",
    "Answer",
    "Asked",
    "Attempt",
    "AttemptEnd",
    "BodySent",
    "Cell",
    "Config",
    "ConfigurationVerdict",
    "DatagramFilter",
    "DatagramListener",
    "Draft",
    "EchoServer",
    "End",
    "Envoy",
    "EnvoyFilter",
    "ExtensionPoint",
    "Feature",
    "GrowthLimit",
    "Headers",
    "Held",
    "HostCrashed",
    "Http2Client",
    "Http2Server",
    "HttpFilter",
    "Language",
    "Listener",
    "ListenerFilter",
    "LoadClient",
    "LocalFile",
    "Manner",
    "Minor",
    "Mode",
    "ModuleRef",
    "ModuleRejected",
    "ModuleUse",
    "Neighbour",
    "NetworkFilter",
    "NoAnswer",
    "Opens",
    "PerRoute",
    "PlannedSdk",
    "ProbedPoint",
    "Protocol",
    "RawClient",
    "Received",
    "Relation",
    "RemoteSource",
    "Reply",
    "Request",
    "RoutedListener",
    "Routes",
    "RunningPoint",
    "SourceServer",
    "Took",
    "Update",
    "Upstream",
    "When",
    "accepted",
    "adler",
    "answer_soon",
    "ask_in_bulk",
    "assert_all_ended",
    "assert_drained",
    "assert_each_panic_logged_once",
    "assert_nothing_left",
    "assert_panic_in_logs",
    "assert_panic_logged",
    "assert_served",
    "assert_unloaded",
    "bootstrap_extension",
    "burst",
    "calls_of",
    "case",
    "export_names",
    "growth",
    "guarded",
    "has_inode_mapped",
    "held",
    "host_program",
    "hot_restart",
    "http2_client",
    "http2_server",
    "http2_upgrade",
    "identity_of",
    "in_words",
    "is_in_listeners",
    "known_host",
    "lines_of_use",
    "listener",
    "listeners_at",
    "load",
    "module_access_log",
    "module_bridge",
    "module_cluster",
    "on_the_upstream_side",
    "over_http2",
    "panic_lines",
    "per_filter",
    "pieces_of",
    "poll",
    "probe_at",
    "probed",
    "provoke_panic",
    "raw_client",
    "reachable_points",
    "refusing_port",
    "requests_of_a_load",
    "required_hooks",
    "route",
    "runtime_guards",
    "start_at_point",
    "system_folder_prefix",
    "text_of",
    "thread_pool",
    "unprivileged_prefix",
    "upstream_socket",
    "use_at",
    "used",
    "verdict_of",
    "virtual_host",
    "without_symbols",
    "working_at_point",
    "write_module_that_needs_it",
    "write_needed_library",
    "wrong_in",
]
