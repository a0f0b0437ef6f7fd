# Sourced by build.sh, fetch.sh and lint.sh: sets up Go for one provider of the SDK.
# Leaves the file to use in place of probe/go.mod in $modfile, and the build tag of the SDK's minor in $tag.
work=$(dirname "$PWD")
export GOTOOLCHAIN=local GOWORK=off GOENV=off CGO_ENABLED=1 CC=gcc-12
# The lock files decide what is right, not a checksum server; nothing may change them.
flags="-mod=readonly -buildvcs=false"
[ -n "${DMCONFORM_DEBUG:-}" ] || flags="$flags -trimpath" # a debugger finds the sources by their paths
export GOFLAGS="$flags" GOSUMDB=off GOVCS='*:off'
export GOMODCACHE="$work/deps"

tag=sdk_$(printf %s "$DMCONFORM_SDK_MINOR" | tr . _)

if [ "$DMCONFORM_PROVIDER" = reference ]; then
    modfile=$work/src/probe/go.mod
    export CGO_CFLAGS="-O2 -I$work/abi"
elif [ -d "$work/sdk" ]; then
    modfile=$work/src/official/tree.mod
else
    modfile=$work/src/official/$DMCONFORM_GO_MODULE.mod
    if [ ! -f "$modfile" ]; then
        echo "no lock file official/$DMCONFORM_GO_MODULE.mod for this module version; add it and its .sum" >&2
        exit 1
    fi
fi

# The image's cache of compiled packages can only be read. Links to its files let it be used and added to.
use_build_cache() {
    warm=${GOCACHE:-}
    export GOCACHE="$work/gocache"
    [ -d "$GOCACHE" ] || [ ! -d "$warm" ] || cp -rs "$warm" "$GOCACHE"
}
