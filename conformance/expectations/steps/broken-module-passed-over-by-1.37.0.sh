. "$steps/common.sh"
. "$steps/module.sh"

# 1.37.0 takes modules that return its own ABI string.
cc -DABI='"4dae397a7c9ff0238d318d57ea656ce8b3fbff595787dcd7ee2ff5b79c9fe10f"' -shared -fPIC -o libprobe.so module.c
mkdir search other
mv libprobe.so other/
echo 'this is no library' > search/libprobe.so
export ENVOY_DYNAMIC_MODULES_SEARCH_PATH="$PWD/search" LD_LIBRARY_PATH="$PWD/other"
listener main '{name: probe}' | configure
start
wait_for 'admin "stats?filter=lds.update_(success|rejected)" | grep -q ": 1$"'
echo "the file that is loaded: $(awk '/probe.so/ { print $6 }' "/proc/$pid/maps" | sort -u | sed "s#$PWD/##")"
grep -o -m 1 'invalid ELF header.*' envoy.log || echo "the log does not mention the other file"
