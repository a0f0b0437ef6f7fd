. "$steps/common.sh"
. "$steps/module.sh"

# A module that has a call of a function that no host has, and never makes it.
echo 'int envoy_dynamic_module_callback_of_another_release(void); int never(void) { return envoy_dynamic_module_callback_of_another_release(); }' > calls.c
cc -shared -fPIC -Wl,-z,lazy -o libprobe.so module.c calls.c
listener main '{name: probe}' | configure
start
wait_for 'admin "stats?filter=lds.update_(success|rejected)" | grep -q ": 1$"'
admin 'stats?filter=lds.update_(success|rejected)'
grep -o -m 1 'undefined symbol.*' envoy.log || true
