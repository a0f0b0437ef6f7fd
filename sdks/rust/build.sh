#!/bin/sh
# Builds the three modules into /work/out, offline. All three share one target folder, so the SDK is compiled once.
set -eu
. /work/src/workspace.sh

if [ -n "${DMCONFORM_DEBUG:-}" ]; then
    export CARGO_PROFILE_RELEASE_STRIP=none CARGO_PROFILE_RELEASE_DEBUG=full
else
    # No folder of the build may stay in the modules.
    export RUSTFLAGS="--remap-path-prefix=/work/="
fi
set -- --release --offline --locked --jobs "${DMCONFORM_JOBS:-2}" --features "$features"
if [ -d /work/deps/vendor ]; then
    set -- --config 'source.crates-io.replace-with="vendored"' \
        --config 'source.vendored.directory="/work/deps/vendor"' "$@"
fi
cargo build -p probe -p no_program_init -p null_program_init "$@"

mkdir -p /work/out
for module in probe no_program_init null_program_init; do
    cp "$CARGO_TARGET_DIR/release/lib$module.so" /work/out/
done
