. "$steps/common.sh"
. "$steps/module.sh"

# The linker's mark means that the library stays when it is closed, as all of Go do.
cc -DABI='"another ABI string"' -shared -fPIC -Wl,-z,nodelete -o libprobe.so module.c
counts() { admin 'stats?filter=lds.update_(success|rejected)'; }
listener first '{name: probe}' | configure
start
wait_for 'admin "stats?filter=lds.update_rejected" | grep -q ": 1$"'
echo "the first configuration:"
counts
listener second '{name: probe}' | configure
wait_for 'admin "stats?filter=lds.update_attempt" | grep -q ": 2$"'
echo "the second one, with another listener that has the same module:"
counts
