"""Certificates for one attempt: made when they are needed, of no value to anyone else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

SERVER_NAME = "envoy.test"


@dataclass(frozen=True)
class Certificates:
    """PEM files. Envoy and its clients use the same pair: no one here checks who the other is."""

    authority: Path
    chain: Path
    key: Path


def certificates_in(folder: Path) -> Certificates:
    """Returns the files that `write_certificates` writes into a folder."""
    return Certificates(folder / "authority.pem", folder / "chain.pem", folder / "key.pem")


def write_certificates(folder: Path) -> Certificates:
    """Makes an authority, and a certificate of it for `SERVER_NAME`."""
    import trustme  # slow to import; few points need it

    files = certificates_in(folder)
    authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
    pair = authority.issue_cert(SERVER_NAME, key_type=trustme.KeyType.ECDSA)
    authority.cert_pem.write_to_path(files.authority)
    pair.private_key_pem.write_to_path(files.key)
    files.chain.write_bytes(b"".join(blob.bytes() for blob in pair.cert_chain_pems))
    return files
