"""What a job with network gets of the machine's environment, and what of an output is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from dmconform.containers.outside import ca_bundle, passed_on
from dmconform.containers.sandbox import tail


def test_proxies_and_registries_are_passed_on_and_nothing_else() -> None:
    wanted = {"https_proxy": "p", "GOPROXY": "g", "CARGO_REGISTRIES_X_INDEX": "i", "NO_PROXY": "n"}
    other = {
        "PATH": "/bin",
        "SECRET": "s",
        "SSL_CERT_FILE": "/x",
        "CARGO_HTTP_CAINFO": "/x",
        "CARGO_HOME": "/root/.cargo",
    }
    assert passed_on(wanted | other) == wanted


def test_the_named_certificates_come_first(tmp_path: Path) -> None:
    (tmp_path / "own.crt").write_bytes(b"own")
    assert ca_bundle({"SSL_CERT_FILE": str(tmp_path / "own.crt")}) == b"own"
    assert b"BEGIN CERTIFICATE" in ca_bundle({"SSL_CERT_FILE": str(tmp_path / "missing.crt")})


@pytest.mark.parametrize(
    ("chunks", "kept"),
    [
        ([], (b"", False)),
        ([b"abc"], (b"abc", False)),
        ([b"ab", b"cd"], (b"abcd", False)),
        ([b"ab", b"cd", b"e"], (b"bcde", True)),
        ([b"abcdefgh"], (b"efgh", True)),
        ([b"abcd", b"efgh"], (b"efgh", True)),
    ],
)
def test_the_end_of_an_output_is_kept(chunks: list[bytes], kept: tuple[bytes, bool]) -> None:
    assert tail(chunks, 4) == kept
