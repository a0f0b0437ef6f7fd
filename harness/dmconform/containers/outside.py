"""What a job with network gets of this machine's way to the outside: its proxies, registries and certificates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import certifi

PROXIES = frozenset(
    spelling for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY") for spelling in (name, name.lower())
)
PASSED_ON = PROXIES | {"GOPROXY", "GONOPROXY", "GOPRIVATE", "GOSUMDB", "GONOSUMDB"}
PASSED_ON_PREFIXES = ("CARGO_REGISTRIES_", "CARGO_REGISTRY_", "CARGO_SOURCE_", "CARGO_NET_", "CARGO_HTTP_")
"""Their values may hold passwords: they are never logged, and are no part of a build cache's key."""
CA_BUNDLES = (
    Path("/etc/ssl/certs/ca-certificates.crt"),  # Debian, Ubuntu, Alpine
    Path("/etc/pki/tls/certs/ca-bundle.crt"),  # Fedora
    Path("/etc/ssl/ca-bundle.pem"),  # openSUSE
)
CA_VARIABLES = (
    "SSL_CERT_FILE",
    "CARGO_HTTP_CAINFO",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
)
"""What the programs of the toolchain read the path of the certificates from."""


def passed_on(environment: Mapping[str, str]) -> dict[str, str]:
    """Returns the variables that say how to reach the package registries."""
    return {
        name: value
        for name, value in environment.items()
        if name not in CA_VARIABLES and (name in PASSED_ON or name.startswith(PASSED_ON_PREFIXES))
    }


def ca_bundle(environment: Mapping[str, str]) -> bytes:
    """Returns the certificates that this machine trusts; those of the Python package `certifi` if it has none."""
    named = environment.get("SSL_CERT_FILE")
    for path in ([Path(named)] if named else []) + list(CA_BUNDLES):
        if path.is_file():
            return path.read_bytes()
    return Path(certifi.where()).read_bytes()
