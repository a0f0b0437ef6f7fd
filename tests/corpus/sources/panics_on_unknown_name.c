// A Rust module with panic=abort, of whose SDK nothing is left: it panics for a filter name that is not its own.
#include "module.h"

__asm__(".ident \"rustc version 1.96.0 (0000000000 2026-05-25)\"");

ON_HTTP_CONFIG {
  if (is(name, "auth")) return ACCEPTED;
  print("\nthread '<unnamed>' panicked at src/lib.rs:21:18:\nUnknown filter name: no such filter\n"
        "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace\n");
  abort();
}
