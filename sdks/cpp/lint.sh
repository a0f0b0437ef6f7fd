#!/bin/sh
# Lints probe/, modules/ and reference/ with clang-tidy; the rules are in .clang-tidy.
set -eu
export LC_ALL=C

. /work/src/flags.sh

# What clang-tidy writes to standard error is a count of the warnings it left out, unless it fails.
printf '%s\n' /work/src/probe/*.cc /work/src/modules/*.cc /work/src/reference/*.cc |
  xargs -P "${DMCONFORM_JOBS:-1}" -n 1 sh -c '
    notes=$(mktemp)
    clang-tidy-19 --quiet "$1" -- '"$language_flags -Wall -Wextra -I/work/src/probe -I/work/src/modules $include"' 2>"$notes" || { cat "$notes" >&2; exit 1; }
    rm "$notes"' sh
