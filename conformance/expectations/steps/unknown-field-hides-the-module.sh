. "$steps/common.sh"
. "$steps/module.sh"

# 1.37.0 takes modules that return its own ABI string.
cc -DABI='"4dae397a7c9ff0238d318d57ea656ce8b3fbff595787dcd7ee2ff5b79c9fe10f"' -shared -fPIC -o libprobe.so module.c
listener main '{name: probe, module: {local: {filename: ./not-there.so}}}' | configure
start
wait_for live
admin 'stats?filter=lds.update_(success|rejected)'
grep -o -m 1 'Unknown field.*' envoy.log | cut -c 1-200
