. "$steps/common.sh"
. "$steps/module.sh"

# As most modules do, it calls a function of another library.
sed 's/FILTER(request_headers, 0)//' module.c > rest.c
cat > calls.c <<'END'
#include <unistd.h>
int envoy_dynamic_module_on_http_filter_request_headers(void) { return getppid() < 0; }
END
cc -shared -fPIC -o libprobe.so rest.c calls.c
cp libprobe.so copy.so
listener main '{name: probe}' | configure
start
wait_for live
curl -s -o answer -w 'before: status %{http_code}\n' --unix-socket main.sock http://envoy/
cat copy.so > libprobe.so
curl -s -o answer --unix-socket main.sock http://envoy/
wait "$pid"
echo "after the same bytes were written into the file: Envoy ended with exit status $? at the next request"
