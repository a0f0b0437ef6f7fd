#!/bin/sh
# Downloads the crates that the upstream SDK needs, as locked in upstream/Cargo.lock. The reference SDK needs none.
set -eu
. /work/src/workspace.sh
if [ "$DMCONFORM_PROVIDER" = upstream ]; then
    cargo vendor --locked --versioned-dirs --quiet /work/deps/vendor >/dev/null
fi
