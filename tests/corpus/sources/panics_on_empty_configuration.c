// A Rust module with panic=abort: it panics where its configuration is no JSON object.
#include "module.h"

__asm__(".ident \"rustc version 1.96.0 (0000000000 2026-05-25)\"");

ON_HTTP_CONFIG {
  if (config.length && *config.ptr == '{') return ACCEPTED;
  print("\nthread '<unnamed>' panicked at src/lib.rs:34:51:\ncalled `Result::unwrap()` on an `Err` value: "
        "Error(\"EOF while parsing a value\", line: 1, column: 0)\n");
  abort();
}
