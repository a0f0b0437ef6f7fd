#!/bin/sh
# Builds the modules into /work/out; see sdks/README.md for what is given.
set -eu
export LC_ALL=C

. /work/src/flags.sh

compiler=clang++-19
strict="-Wall -Wextra -Werror -I/work/src/probe -I/work/src/modules"
common="$language_flags -O2 -fPIC -fvisibility-inlines-hidden"
if [ -n "${DMCONFORM_DEBUG:-}" ]; then
  common="$common -g"
  strip=
else
  common="$common -ffile-prefix-map=/work=."
  strip=-Wl,-s
fi

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

# Prints lines of: OBJECT FLAGS SOURCE. The official SDK's sources are compiled as they are, without warnings.
units() {
  echo "filters $strict $include $work/filters.cc"
  for source in /work/src/modules/*.cc; do
    echo "$(basename "$source" .cc) $strict $include $source"
  done
  case "$DMCONFORM_PROVIDER" in
  reference)
    echo "sdk $strict $include $work/sdk.cc"
    ;;
  official)
    for source in "$sdk_folder"/*.cc; do
      echo "sdk_$(basename "$source" .cc) -w $include $source"
    done
    ;;
  esac
}

# Everything of C++ is linked in, unwinder included, and kept private.
link() {
  module=$1
  shift
  # shellcheck disable=SC2086 # $strip is a word or none
  "$compiler" -shared -fuse-ld=lld -nostdlib++ -static-libgcc -o "/work/out/$module" -Wl,--as-needed "$@" \
    -l:libc++.a -l:libc++abi.a -ldl -lpthread -lm \
    -Wl,--version-script=/work/src/module.map -Wl,--undefined-version -Wl,--exclude-libs,ALL -Wl,-Bsymbolic \
    -Wl,-z,relro -Wl,--gc-sections -Wl,--build-id=none $strip
}

together filters /work/src/probe/*.cc
[ "$DMCONFORM_PROVIDER" = official ] || together sdk "$sdk_folder"/*.cc

units | xargs -P "${DMCONFORM_JOBS:-1}" -L 1 sh -c \
  'object=$1; shift; exec '"$compiler $common"' -c -o "'"$work"'/$object.o" "$@"' sh

cd "$work"
# BIND_NOW is how the Bazel toolchain links that upstream builds C++ modules with.
link_now() {
  link "$@" -Wl,-z,now
}

# The objects of the probe, and of a library that tells when it comes and goes.
probe="filters.o marker.o $(echo sdk*.o)"
lifetime="$probe lifetime.o"

# shellcheck disable=SC2086 # one argument per object
{
  link_now libprobe.so $probe
  link_now libno_program_init.so marker.o
  link_now libnull_program_init.so marker.o null_program_init.o
  link_now libodd_program_init.so marker.o odd_program_init.o
  link libabsent_lazy.so $probe absent_callback.o -Wl,-z,lazy
  link_now libabsent_now.so $probe absent_callback.o
  link_now liblifetime.so $lifetime
  link_now libnodelete.so $lifetime -Wl,-z,nodelete
  link_now libthread_local.so $lifetime thread_local.o
  link_now libdependent.so dependent.o
}

# Modules in C that show one thing each. The hooks that they do not define do nothing.
if [ "$DMCONFORM_PROVIDER" = reference ]; then
  c_compiler="clang-19 -std=c11 -O1 -fPIC -fno-strict-aliasing -D_GNU_SOURCE -DDMCONFORM_SDK_MINOR=$sdk_minor -isystem /work/abi"
  $c_compiler -w -c -o stubs.o /work/abi/stubs.c
  # shellcheck disable=SC2016 # $1 is the inner shell's
  printf '%s\n' /work/src/reproducers/*.c | xargs -P "${DMCONFORM_JOBS:-1}" -n 1 sh -c \
    'exec '"$c_compiler"' -Wall -Wextra -Wno-unused-parameter -Werror -shared -fuse-ld=lld -Wl,--build-id=none \
      -Wl,--version-script=/work/src/module.map -Wl,--undefined-version '"$strip"' \
      -o "/work/out/lib$(basename "$1" .c).so" "$1" stubs.o -lpthread' sh
fi
