. "$steps/common.sh"
. "$steps/module.sh"

# An HTTP filter as 1.36 took it: without the hooks that came with 1.37.
grep -v 'http_stream_\|buffer_' module.c > older.c
cc -shared -fPIC -o libolder.so older.c
listener main '{name: older}' | configure
start
wait_for 'admin "stats?filter=lds.update_(success|rejected)" | grep -q ": 1$"'
admin 'stats?filter=lds.update_(success|rejected)'
grep -o -m 1 'Failed to resolve symbol.*' envoy.log
