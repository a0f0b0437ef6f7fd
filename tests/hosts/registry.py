"""A registry of images on loopback, from which a Docker server really pulls; it has one image under one tag."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.server
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def digest_of(content: bytes) -> str:
    """As registries name content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class Registry:
    """What is there, by its digest, and which manifest the tag means now."""

    port: int = 0
    tagged: bytes = b""
    blobs: dict[str, bytes] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """The image."""
        return f"127.0.0.1:{self.port}/envoy:newest"

    def publish(self, name: str, content: bytes) -> None:
        """Gives the tag to an image with this program and nothing else."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o755
            archive.addfile(info, io.BytesIO(content))
        tree = {"type": "layers", "diff_ids": [digest_of(packed.getvalue())]}
        config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": tree}).encode()
        layer = gzip.compress(packed.getvalue(), mtime=0)
        described = [
            {"mediaType": kind, "size": len(blob), "digest": digest_of(blob)}
            for kind, blob in ((CONFIG, config), (LAYER, layer))
        ]
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described[0], "layers": described[1:]}
        self.tagged = json.dumps(manifest).encode()
        self.blobs |= {digest_of(blob): blob for blob in (config, layer, self.tagged)}


@contextlib.contextmanager
def registry() -> Iterator[Registry]:
    """A registry, for the time of the block."""
    made = Registry()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            content = b"{}" if self.path == "/v2/" else made.tagged if name == "newest" else made.blobs.get(name)
            self.send_response(404 if content is None else 200)
            if content is not None and "/manifests/" in self.path:
                self.send_header("Content-Type", MANIFEST)
                self.send_header("Docker-Content-Digest", digest_of(content))
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content or b"")

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_port
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield made
        server.shutdown()
