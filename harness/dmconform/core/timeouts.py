"""Every time-out of the harness, in seconds, by name. Generous: they bound a hang, they do not measure speed."""

from __future__ import annotations

from typing import Final


class WaitFor(float):
    """A time-out with the name of what is waited for: cells record how long they waited for each (`dmconform.core.waiting`)."""

    what: str

    def __new__(cls, seconds: float, what: str) -> WaitFor:
        """Makes a time-out; `what` completes "it waits for"."""
        made = super().__new__(cls, seconds)
        made.what = what
        return made


POLL_S: Final = 0.002  # between two looks at a condition
HOST_START_S: Final = WaitFor(20.0, "an Envoy to be ready")
HOST_STOP_S: Final = WaitFor(10.0, "an Envoy to end")  # from SIGTERM on
HARNESS_STOPPED_S: Final = 40.0  # a process of the harness that was stopped (Ctrl-Z), until it is ended with its Envoys
WARDEN_ANSWER_S: Final = 30.0  # one answer of the process that starts Envoys
HOST_VERSION_S: Final = 20.0  # `envoy --version`
CONFIG_UPDATE_S: Final = WaitFor(10.0, "a configuration to be accepted or rejected")
BURST_S: Final = 20.0  # an answer among many that are asked for at once
LISTENER_WARM_S: Final = WaitFor(10.0, "a listener to have what it waits for")
CLUSTER_WARM_S: Final = WaitFor(3.0, "a cluster to have what it waits for")  # one check of its endpoints takes up to 1 s
REQUEST_S: Final = WaitFor(5.0, "an answer")
NEVER_S: Final = WaitFor(1.0, "an answer that some releases never give")  # of a quiet Envoy
ADMIN_REQUEST_S: Final = 5.0  # one answer of its admin interface
UNLOAD_S: Final = WaitFor(10.0, "a module to be unmapped")  # from its last reference on
DRAINED_S: Final = WaitFor(10.0, "listeners that were removed to be drained")  # without time that they are given for it
LOG_LINE_S: Final = WaitFor(5.0, "the trace of an event, such as a line in the log")
CELL_S: Final = 60.0  # one cell as a whole
DOWNLOAD_S: Final = 600.0  # one Envoy release
GIT_S: Final = 300.0  # one git command against an SDK source
GIT_CONNECT_S: Final = 15.0  # an SDK source until it has listed its tags
GIT_STALL_S: Final = 20.0  # a transfer by git over HTTP that brings next to nothing
PIPE_S: Final = 5.0  # a pipe in the place of a file, until somebody writes to it, and from one piece to the next
STORE_S: Final = 60.0  # another run that stores the same modules
BUILD_S: Final = 900.0  # one build container
SUITE_GIT_S: Final = 10.0  # asking git for this suite's own commit
MOUNT_PROBE_S: Final = 10.0  # trying out a mount namespace
# Container engine; its keeper, which imports nothing of the harness, has its own in containers/bootstrap/keeper.py.
DEBIAN_DOWNLOAD_S: Final = 180.0  # a few Debian packages
MMDEBSTRAP_S: Final = 900.0  # a minimal Debian
ENGINE_INSTALL_S: Final = 600.0  # apt-get installing a container engine
SUDO_S: Final = 10.0  # asking sudo whether it lets us
ENGINE_ANSWER_S: Final = 5  # a Docker server that may be there
ENGINE_START_S: Final = 60.0  # a Docker server until it answers
ENGINE_REQUEST_S: Final = 600  # a Docker server within one request: the steps of a build are silent for long
REGISTRY_S: Final = 30  # a registry until it says anything
TOOLCHAIN_BUILD_S: Final = 1800.0  # another run that builds the toolchain image
JOB_WAIT_STEP_S: Final = 60.0  # one request that waits for a job; shorter than what cuts idle connections
JOB_KILLED_S: Final = 30.0  # a killed job until it is gone
BINARY_READ_S: Final = 60.0  # what one or several binaries say, all of them together
LINT_S: Final = 2700.0  # the linters of one SDK version: clang-tidy reads all of the standard library for each file
GENERATED_BUILD_S: Final = 120.0  # compiling one generated C module
HEADER_PARSE_S: Final = 20.0  # libclang over one ABI header; it takes 0.1 s, and is bounded in processor time besides
SOURCE_HELD_S: Final = 20.0  # a reply of the module source that is held until the case lets it go
SHORT_FETCH_S: Final = WaitFor(0.05, "a fetch of a module to run out of time")
PANICKED_S: Final = WaitFor(0.25, "what may never come")  # such as the end of a request that met a panic
GAUGE_S: Final = WaitFor(5.0, "gauges to show that nothing is under way")
REPLAY_S: Final = 120.0  # the replay of a bundled cell
SANDBOX_PROBE_S: Final = 10.0  # trying out a sandbox
SANDBOX_START_S: Final = 60.0  # what is in a sandbox until it has read its order, and from its last answer to its end
ATTEMPT_S: Final = 120.0  # one use of a module in one Envoy, whatever it waits for
