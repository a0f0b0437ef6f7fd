#!/bin/sh
# Builds the three modules into /work/out; see sdks/README.md for what is given.
set -eu
export LC_ALL=C

. /work/src/flags.sh

compiler=clang++-19
strict="-Wall -Wextra -Werror -I/work/src/probe"
common="$language_flags -O2 -fPIC -fvisibility-inlines-hidden -ffile-prefix-map=/work=."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p /work/out

# Writes a source $1 that includes the others: one reading of the C++ library for all of them saves half the time.
together() {
  unit=$1
  shift
  for source in "$@"; do
    printf '#include "%s"\n' "$source"
  done >"$work/$unit.cc"
}

# Prints lines of: OBJECT FLAGS SOURCE. Upstream's sources are compiled as they are, without warnings.
units() {
  echo "filters $strict $include $work/filters.cc"
  echo "marker $strict $include /work/src/probe/marker.cc"
  echo "null_program_init $strict $include /work/src/probe/null_program_init.cc"
  case "$DMCONFORM_PROVIDER" in
  reference)
    echo "sdk $strict $include $work/sdk.cc"
    ;;
  upstream)
    for source in "$sdk_folder"/*.cc; do
      echo "sdk_$(basename "$source" .cc) -w $include $source"
    done
    ;;
  esac
}

# Everything of C++ is linked in, unwinder included, and kept private. BIND_NOW is how the Bazel toolchain links that
# upstream builds C++ modules with.
link() {
  module=$1
  shift
  "$compiler" -shared -fuse-ld=lld -nostdlib++ -static-libgcc -o "/work/out/$module" -Wl,--as-needed "$@" \
    -l:libc++.a -l:libc++abi.a -ldl -lpthread -lm \
    -Wl,--version-script=/work/src/module.map -Wl,--undefined-version -Wl,--exclude-libs,ALL -Wl,-Bsymbolic \
    -Wl,-z,now -Wl,-z,relro -Wl,--gc-sections -Wl,--build-id=none -Wl,-s
}

filters=
for source in /work/src/probe/*.cc; do
  case "$source" in
  */marker.cc | */null_program_init.cc) ;; # these two are in other modules too
  *) filters="$filters $source" ;;
  esac
done
# shellcheck disable=SC2086 # one argument per source
together filters $filters
[ "$DMCONFORM_PROVIDER" = upstream ] || together sdk "$sdk_folder"/*.cc

units | xargs -P "${DMCONFORM_JOBS:-1}" -L 1 sh -c \
  'object=$1; shift; exec '"$compiler $common"' -c -o "'"$work"'/$object.o" "$@"' sh

cd "$work"
link libprobe.so filters.o marker.o sdk*.o
link libno_program_init.so marker.o
link libnull_program_init.so marker.o null_program_init.o
