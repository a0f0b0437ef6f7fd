#!/bin/sh
# Builds the three modules of the probe contract into ../out. See ../PROBES.md.
set -eu
cd "$(dirname "$0")"
. ./environment.sh
use_build_cache
export GOPROXY=off

# -s -w: no symbol table and no debug information; the dynamic symbols stay.
link='-s -w'
if [ -n "${DMCONFORM_DEBUG:-}" ]; then
    link=
fi

mkdir -p "$work/out"
cd probe
for module in probe no_program_init null_program_init; do
    go build -modfile="$modfile" -tags="$tag" -p="${DMCONFORM_JOBS:-1}" -buildmode=c-shared \
        -ldflags="$link" -o "$work/out/lib$module.so" "./modules/$module"
    rm -f "$work/out/lib$module.h"
done
