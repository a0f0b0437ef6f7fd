"""Every time-out of the harness, in seconds, by name. Generous: they bound a hang, they do not measure speed."""

from __future__ import annotations

from typing import Final

POLL_S: Final = 0.002  # between two looks at a condition
HOST_START_S: Final = 20.0  # an Envoy until it is ready
HOST_STOP_S: Final = 10.0  # an Envoy from SIGTERM to its end
HOST_VERSION_S: Final = 20.0  # `envoy --version`
CONFIG_UPDATE_S: Final = 10.0  # a written configuration until it is accepted or rejected
REQUEST_S: Final = 5.0  # one answer of an Envoy
ADMIN_REQUEST_S: Final = 5.0  # one answer of its admin interface
UNLOAD_S: Final = 10.0  # a module from its last reference to its unmapping
LOG_LINE_S: Final = 5.0  # a line that an event must leave in the log
CELL_S: Final = 60.0  # one cell as a whole
DOWNLOAD_S: Final = 600.0  # one Envoy release
GIT_S: Final = 300.0  # one git command against an upstream repository
GIT_CONNECT_S: Final = 15.0  # an upstream repository until it has listed its tags
GIT_STALL_S: Final = 20.0  # a transfer by git over HTTP that brings next to nothing
GO_PROXY_S: Final = 120.0  # asking the Go module proxy whether it has a version
BUILD_S: Final = 900.0  # one build container
