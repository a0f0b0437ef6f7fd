. "$steps/common.sh"
. "$steps/module.sh"

# What the SDKs of 1.39 have in them: a call of a callback that came with 1.39. This module never makes it.
cat > calls.c <<'END'
int envoy_dynamic_module_callback_transport_socket_get_fd(void *);
int never(void) { return envoy_dynamic_module_callback_transport_socket_get_fd(0); }
END
cc -shared -fPIC -Wl,-z,now -o libeager.so module.c calls.c
cc -shared -fPIC -Wl,-z,lazy -o liblazy.so module.c calls.c

listener first '{name: eager}' | configure
start
wait_for 'admin "stats?filter=lds.update_rejected" | grep -q ": 1$"'
echo "bound eagerly, as in C++ and Rust: the configuration is rejected"
grep -o -m 1 'undefined symbol.*' envoy.log
listener second '{name: lazy}' | configure
wait_for 'updated 1'
echo "bound lazily, as in Go: the configuration is accepted"
