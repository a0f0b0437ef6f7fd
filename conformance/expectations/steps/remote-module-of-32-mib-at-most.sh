. "$steps/common.sh"
. "$steps/module.sh"

# Envoy keeps modules that it fetches in the folder for temporary files.
export TMPDIR="$PWD"
python3 -c '
import http.server
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
print(server.server_port, flush=True)
server.serve_forever()' > port 2>server.log &
server=$!
trap 'kill -9 "$server" ${pid:+"$pid"} 2>/dev/null' EXIT
wait_for '[ -s port ]'
cat >> envoy.yaml <<END
static_resources:
  clusters:
  - name: files
    load_assignment:
      cluster_name: files
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: $(cat port)}}}}]}]
END
remote() {
  echo "{module: {remote: {http_uri: {uri: 'http://files/$1', cluster: files, timeout: 10s}, sha256: $(sha256sum "$1" | cut -d ' ' -f 1)}}}"
}
answers() { [ "$(curl -s -o answer -w '%{http_code}' --unix-socket "$1.sock" http://envoy/)" = 200 ]; }
try() {
  truncate -s "$1" libprobe.so # what is behind the end of a library does not matter to it
  listener "$2" "$(remote libprobe.so)" | configure
  start
  wait_for "answers $2" && echo "$1 bytes: requests are answered with 200"
  if grep -q envoy_dynamic_module "/proc/$pid/maps"; then echo "the module is loaded"; else echo "the module is not loaded"; fi
  grep -o -m 1 'the buffer size limit.*' envoy.log
  kill "$pid"
  wait "$pid"
}
try 33554432 first
try 33554433 second
