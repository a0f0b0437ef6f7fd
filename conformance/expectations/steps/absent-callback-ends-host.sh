. "$steps/common.sh"
. "$steps/module.sh"

sed 's/FILTER(request_headers, 0)//' module.c > rest.c
cat > calls.c <<'END'
int envoy_dynamic_module_callback_of_another_release(void);
int envoy_dynamic_module_on_http_filter_request_headers(void) { return envoy_dynamic_module_callback_of_another_release(); }
END
cc -shared -fPIC -Wl,-z,lazy -o liblazy.so rest.c calls.c
cc -shared -fPIC -Wl,-z,now -o libeager.so rest.c calls.c

listener main '{name: lazy}' | configure
start
wait_for live
curl -s --unix-socket main.sock http://envoy/
wait "$pid"
echo "bound lazily: Envoy ended with exit status $? at the first request"
grep -o 'undefined symbol.*' envoy.log

listener main '{name: eager}' | configure
start
wait_for 'admin "stats?filter=lds.update_rejected" | grep -q ": 1$"'
echo "bound eagerly: the configuration is rejected"
