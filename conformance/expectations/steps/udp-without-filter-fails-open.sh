. "$steps/common.sh"

cat > module.c <<'END'
// A UDP listener filter that makes no filter: new returns null.
#define HOOK(name, value) void *envoy_dynamic_module_on_##name(void) { return value; }
HOOK(program_init, "v0.1.0")
HOOK(udp_listener_filter_config_new, "config") HOOK(udp_listener_filter_config_destroy, 0)
HOOK(udp_listener_filter_new, 0) HOOK(udp_listener_filter_destroy, 0) HOOK(udp_listener_filter_on_data, 0)
END
cc -shared -fPIC -o libprobe.so module.c

cat > server.py <<'END'
import socket
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 0))
server.settimeout(20)
print(server.getsockname()[1], flush=True)
print("the server behind Envoy got:", server.recv(100).decode(), flush=True)
END
python3 server.py > server.log &
server=$!
trap 'kill -9 "$server" ${pid:+"$pid"} 2>/dev/null' EXIT
wait_for '[ -s server.log ]'
cat >> envoy.yaml <<END
static_resources:
  clusters:
  - name: behind
    load_assignment:
      cluster_name: behind
      endpoints: [{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, port_value: $(cat server.log)}}}}]}]
END
configure <<'END'
- "@type": type.googleapis.com/envoy.config.listener.v3.Listener
  name: main
  address: {socket_address: {protocol: UDP, address: 127.0.0.1, port_value: 0}}
  udp_listener_config: {}
  listener_filters:
  - name: module
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.udp.dynamic_modules.v3.DynamicModuleUdpListenerFilter
      filter_name: probe
      dynamic_module_config: {name: probe}
  - name: proxy
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig
      stat_prefix: proxy
      matcher: {on_no_match: {action: {name: route, typed_config: {
        "@type": type.googleapis.com/envoy.extensions.filters.udp.udp_proxy.v3.Route, cluster: behind}}}}
END
start
wait_for 'live && admin listeners | grep -q 127'
address=$(admin listeners | sed 's/.*:://')
echo "listener: ${address%:*}"
python3 -c 'import socket, sys
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"a datagram", ("127.0.0.1", int(sys.argv[1])))' "${address##*:}"
wait_for 'grep -q got server.log'
grep got server.log
