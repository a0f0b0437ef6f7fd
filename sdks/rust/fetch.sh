#!/bin/sh
# Downloads the crates that the official SDK needs, as locked in official/Cargo.lock. The reference SDK needs none.
set -eu
. /work/src/workspace.sh
if [ "$DMCONFORM_PROVIDER" = official ]; then
    cargo vendor --locked --versioned-dirs --quiet /work/deps/vendor >/dev/null
fi
