"""The files of the corpus: each stands for a kind of file that authors hand to `dmconform check`."""

from __future__ import annotations

import gzip
import struct
from dataclasses import dataclass
from typing import Final

from dmconform.core.extension_point import ExtensionPoint

from tests.corpus.making import (
    LAZY,
    NOW,
    Absent,
    Changed,
    Compiled,
    Content,
    CutAt,
    Grown,
    Module,
    Probe,
    Stub,
    Way,
    cut_in_dynamic_section,
    cut_in_section_headers,
    for_32_bits,
    for_aarch64,
    without_section_headers,
)


@dataclass(frozen=True)
class Entry:
    """A file of the corpus. In `options`, `FOLDER` is the folder that it lies in."""

    id: str
    intent: str
    way: Way
    options: tuple[str, ...] = ()
    file_name: str = ""  # default: made of the id

    @property
    def name(self) -> str:
        """What the file is called."""
        return self.file_name or f"lib{self.id.replace('-', '_')}.so"


HTTP, NETWORK, LOGGER = ExtensionPoint.HTTP_FILTER, ExtensionPoint.NETWORK_FILTER, ExtensionPoint.ACCESS_LOGGER
FIFTEEN: Final = (
    ExtensionPoint.ACCESS_LOGGER,
    ExtensionPoint.BOOTSTRAP_EXTENSION,
    ExtensionPoint.CERT_VALIDATOR,
    ExtensionPoint.CLUSTER,
    ExtensionPoint.DNS_RESOLVER,
    ExtensionPoint.HEALTH_CHECKER,
    ExtensionPoint.HTTP_FILTER,
    ExtensionPoint.LISTENER_FILTER,
    ExtensionPoint.LOAD_BALANCER,
    ExtensionPoint.MATCHER,
    ExtensionPoint.NETWORK_FILTER,
    ExtensionPoint.TRACER,
    ExtensionPoint.TRANSPORT_SOCKET,
    ExtensionPoint.UDP_LISTENER_FILTER,
    ExtensionPoint.UPSTREAM_HTTP_TCP_BRIDGE,
)
"""What Envoy's Rust SDK defines hooks of, in each module."""
TRANSFORM: Final = ("--filter-name", "transform", "--filter-config", "text")
AUTH: Final = ("--filter-name", "auth")
JSON: Final = ("--filter-config", '{"endpoints": []}')
HUGE_BYTES: Final = 200 << 20
OLDEST: Final = "ca2be3b80954d2a0e22b41d033b18eff9390c30261c8ec9ffe6e6bf971f41c27"
"""The ABI string of 1.36.2."""
COMPANION: Final = Stub("libcorpus.so", ("corpus_ready",), stays=True)
LINKER_SCRIPT: Final = b"/* GNU ld script */\nOUTPUT_FORMAT(elf64-x86-64)\nINPUT(libauth.so.1)\n"
PAGE: Final = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head></html>\n"
POINTER: Final = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 5131112\n"
# The least that says what each is; no more of them is read.
DLL: Final = b"MZ".ljust(60, b"\0") + struct.pack("<I", 64) + b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 0, 0, 0, 0, 0, 0x2022)
DYLIB: Final = struct.pack("<IIIIIIII", 0xFEEDFACF, 0x0100000C, 0, 6, 0, 0, 0, 0)
WASM: Final = b"\0asm" + struct.pack("<I", 1)

_BEHAVIOUR: Final = (
    Entry("works", "An HTTP filter in C with nothing remarkable", Module()),
    Entry("cpp-with-its-runtime", "C++ with its runtime linked in", Probe("cpp"), TRANSFORM),
    Entry("go-with-its-runtime", "Go with its runtime, bound lazily", Probe("go"), TRANSFORM),
    Entry("rust", "Rust, bound at load", Probe("rust"), TRANSFORM),
    Entry("rust-without-a-name", "Rust that refuses a name that it does not know", Probe("rust")),
    Entry(
        "aborts-on-unknown-name",
        "Aborts for a name that it does not know, which was not given",
        Module("aborts_on_unknown_name.c"),
    ),
    Entry(
        "aborts-on-given-name",
        "Aborts for a name that was given and is wrong",
        Module("aborts_on_unknown_name.c"),
        ("--filter-name", "authn"),
    ),
    Entry("name-is-given", "Aborts for other names, and the right one is given", Module("aborts_on_unknown_name.c"), AUTH),
    Entry(
        "rust-panics-on-unknown-name",
        "Rust with panic=abort: panics for a name that was not given",
        Module("panics_on_unknown_name.c"),
    ),
    Entry(
        "rust-panics-on-empty-configuration",
        "Rust with panic=abort: panics without a configuration",
        Module("panics_on_empty_configuration.c"),
    ),
    Entry(
        "rust-panics-at-a-stated-point",
        "Rust with panic=abort: panics without a configuration at a stated extension point",
        Module("panics_on_empty_configuration.c"),
        ("--extension-point", "http_filter"),
    ),
    Entry(
        "rust-with-configuration",
        "Rust with panic=abort that is given the configuration that it needs",
        Module("panics_on_empty_configuration.c"),
        JSON,
    ),
    Entry("refuses-unknown-name", "Refuses a name that was not given, and logs an error", Module("refuses_unknown_name.c")),
    Entry(
        "refuses-empty-configuration",
        "Refuses an empty configuration, and logs an error",
        Module("refuses_empty_configuration.c"),
    ),
    Entry(
        "needs-a-configuration",
        "Refuses an empty configuration, and is given the one that it needs",
        Module("refuses_empty_configuration.c"),
        JSON,
    ),
    Entry(
        "refuses-with-a-warning",
        "Refuses an unknown name with a warning, as Envoy's Go SDK does",
        Module("refuses_with_a_warning.c"),
    ),
    Entry("refuses-silently", "Refuses each configuration without a word", Module("refuses_silently.c")),
    Entry(
        "catches-a-panic-at-each-request",
        "Panics at each request, and a guard catches it: status 500",
        Module("catches_a_panic_at_each_request.c"),
    ),
    Entry("answers-503", "Answers 503 to everything on purpose", Module("answers_503.c")),
    Entry(
        "logs-an-error-at-each-request",
        "Passes each request and logs an error for it",
        Module("logs_an_error_at_each_request.c"),
    ),
    Entry("crashes-at-each-request", "Crashes at each request", Module("crashes_at_each_request.c")),
    Entry("aborts-at-load", "Ends the host as soon as it is initialised", Module("aborts_at_load.c")),
)
_POINTS: Final = (
    Entry("without-hooks", "Has no hook of any extension point", Module(points=())),
    Entry("without-program-init", "A library that is no module", Stub("libwithout_program_init.so", ("corpus_ready",))),
    Entry("of-another-point", "An HTTP filter, checked as an access logger", Module(), ("--extension-point", "access_logger")),
    Entry("access-logger", "An access logger", Module(points=(LOGGER,))),
    Entry("network-filter", "A network filter", Module(points=(NETWORK,))),
    Entry("of-two-points", "An HTTP filter and a network filter", Module(points=(HTTP, NETWORK))),
    Entry("of-fifteen-points", "Has hooks of fifteen extension points, and works as the first", Module(points=FIFTEEN)),
    Entry(
        "of-fifteen-points-no-http-filter",
        "Has hooks of fifteen, and says that it is no HTTP filter",
        Module("says_it_is_an_access_logger.c", FIFTEEN),
    ),
)
_ABI: Final = (
    Entry("abi-of-1-36", "Built with the SDK of 1.36.2, whose ABI string is a hash", Module(abi_version=OLDEST)),
    Entry("abi-of-1-40", "Built with the SDK of 1.40", Module(minor="1.40")),
    Entry(
        "sdk-of-no-minor", "Is said to be built with the SDK of a minor that does not exist", Module(), ("--sdk-minor", "1.50")
    ),
    Entry(
        "abi-invalid-version-hash", "Returns invalid-version-hash as its ABI string", Module("returns_invalid_version_hash.c")
    ),
    Entry("abi-holds-another", "Holds a known ABI string and returns another", Module("returns_another_abi_string.c")),
    Entry(
        "abi-string-of-1-39-header-of-1-40",
        "Returns the ABI string of 1.39 and needs a callback of 1.40",
        Module("calls_what_is_new_in_1_40.c", minor="1.40", abi_version="v0.1.0"),
    ),
    Entry(
        "abi-string-of-1-39-header-of-1-40-lazy",
        "Returns the ABI string of 1.39, and calls a callback of 1.40 that is bound lazily",
        Module("calls_what_is_new_in_1_40.c", minor="1.40", abi_version="v0.1.0", flags=(LAZY,)),
    ),
    Entry(
        "lazy-callback-called",
        "A callback that no host has, bound lazily, is called",
        Module("calls_what_no_host_has.c", flags=(LAZY,)),
        ("--filter-name", "call"),
    ),
    Entry(
        "lazy-callback-not-called",
        "A callback that no host has, bound lazily, is not called",
        Module("calls_what_no_host_has.c", flags=(LAZY,)),
        ("--filter-name", "do_not_call"),
    ),
    Entry(
        "callback-missing-at-load",
        "A callback that no host has, bound at load",
        Module("calls_what_no_host_has.c", flags=(NOW,)),
    ),
)
_MACHINE: Final = (
    Entry("musl", "Built for musl: it needs libc.so", Module("needs_the_c_library.c", stub=Stub("libc.so", ("memcmp",)))),
    Entry(
        "newer-glibc",
        "Needs a newer glibc than any machine has",
        Module("needs_the_c_library.c", stub=Stub("libc.so.6", ("memcmp",), "GLIBC_2.99")),
    ),
    Entry(
        "library-absent",
        "Needs a library that is not here",
        Module("needs_a_library.c", stub=Stub("libtelemetry.so.7", ("corpus_ready",))),
    ),
    Entry(
        "library-beside-it",
        "Needs a library that lies beside it",
        Module("needs_a_library.c", flags=(NOW, "-Wl,-rpath,$ORIGIN"), stub=COMPANION),
    ),
    Entry(
        "library-not-preloaded",
        "Needs a library that must be preloaded, and is not",
        Module("needs_a_library.c", stub=COMPANION, linked=False),
    ),
    Entry(
        "library-preloaded",
        "Needs a library that must be preloaded, and is",
        Module("needs_a_library.c", stub=COMPANION, linked=False),
        ("--env", "LD_PRELOAD=FOLDER/libcorpus.so"),
    ),
    Entry("for-aarch64", "A module for aarch64", Changed(Module(), for_aarch64)),
    Entry("for-32-bits", "A module for a 32-bit machine", Changed(Module(), for_32_bits)),
)
_FILES: Final = (
    Entry("stripped", "Stripped of its symbol table", Module(flags=(NOW, "-s"))),
    Entry("without-section-headers", "Without section headers", Changed(Module(), without_section_headers)),
    Entry(
        "versioned-name",
        "Its file has a version at the end",
        Module(flags=(NOW, "-Wl,-soname,libauth.so.1")),
        file_name="libauth.so.1.2.3",
    ),
    Entry("other-soname", "Its soname is that of another library", Module(flags=(NOW, "-Wl,-soname,libc.so.6"))),
    Entry("huge", "200 MB, most of it a hole", Grown(Module(), HUGE_BYTES)),
    Entry("odd-name", "Odd characters in the name of its file", Module(), file_name="my \u001b[31mfilter\n'ü' $(x).so"),
    Entry("null-byte-in-name", "A null byte in the name of a file", Absent(), file_name="lib\0.so"),
    Entry("absent", "A file that is not there", Absent()),
    Entry("truncated-in-header", "Cut in its ELF header", Changed(Module(), CutAt(40))),
    Entry("truncated-in-segment-table", "Cut in its table of segments", Changed(Module(), CutAt(100))),
    Entry(
        "truncated-in-dynamic-section",
        "Cut in what the dynamic linker reads: the host crashes",
        Changed(Module(), cut_in_dynamic_section),
    ),
    Entry("truncated-in-section-headers", "Cut where no host reads", Changed(Module(), cut_in_section_headers)),
    Entry("empty", "An empty file", Content(b"")),
    Entry("dll", "A DLL of Windows", Content(DLL), file_name="auth.dll"),
    Entry("dylib", "A dylib of macOS", Content(DYLIB), file_name="libauth.dylib"),
    Entry("static-library", "A static library, as Rust's crate type staticlib makes it", Compiled("a"), file_name="libauth.a"),
    Entry("object-file", "An object file", Compiled("o"), file_name="auth.o"),
    Entry("executable", "An executable", Compiled(""), file_name="auth"),
    Entry("gzip", "A module packed with gzip", Content(gzip.compress(b"\x7fELF", mtime=0)), file_name="libauth.so.gz"),
    Entry(
        "linker-script",
        "A script of the linker, which some development packages have in a library's place",
        Content(LINKER_SCRIPT),
    ),
    Entry("wasm", "A WebAssembly module", Content(WASM), file_name="auth.wasm"),
    Entry("web-page", "A page that says that the file is not there, kept as the file", Content(PAGE)),
    Entry("lfs-pointer", "What Git leaves of a large file that was not fetched", Content(POINTER)),
)

ENTRIES: Final = (*_BEHAVIOUR, *_POINTS, *_ABI, *_MACHINE, *_FILES)
