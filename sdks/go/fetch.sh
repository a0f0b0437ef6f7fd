#!/bin/sh
# Downloads the official SDK as a Go module into ../deps. Only what has its hash in official/*.sum is downloaded.
set -eu
cd "$(dirname "$0")"
. ./environment.sh
use_build_cache

mkdir -p "$GOMODCACHE"
cd probe
# Not `go mod download`: that takes modules without a hash as well. -modcacherw: or nobody could delete the cache again.
go list -modfile="$modfile" -tags="$tag" -modcacherw -deps ./... >/dev/null
go mod verify -modfile="$modfile"
