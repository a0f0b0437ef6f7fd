. "$steps/common.sh"
. "$steps/module.sh"

sed 's/FILTER(scheduled, 0)//' module.c > lacks.c
cc -shared -fPIC -o liblacks.so lacks.c
listener main '{name: lacks}' | configure
start
wait_for 'admin "stats?filter=lds.update_rejected" | grep -q ": 1$"'
grep -o -m 1 'Failed to resolve symbol.*' envoy.log
admin 'stats?filter=dynamic_modules'
