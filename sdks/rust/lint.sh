#!/bin/sh
# Lints the probe and the reference SDK: clippy, every warning an error.
set -eu
. /work/src/workspace.sh
cargo clippy --offline --locked --jobs "${DMCONFORM_JOBS:-2}" --features "$features" \
    -p probe -p no_program_init -p null_program_init -p envoy-proxy-dynamic-modules-rust-sdk -- -D warnings
