#!/bin/sh
# Lints the probe and the reference SDK: gofmt and go vet. Needs the inputs of a reference build.
set -eu
cd "$(dirname "$0")"
. ./environment.sh
use_build_cache
export GOPROXY=off

unformatted=$(gofmt -l probe reference)
if [ -n "$unformatted" ]; then
    printf 'not formatted (run gofmt -w):\n%s\n' "$unformatted" >&2
    exit 1
fi
(cd probe && go vet -modfile="$modfile" -tags="$tag" ./...)
(cd reference && go vet -tags="$tag" ./...)
