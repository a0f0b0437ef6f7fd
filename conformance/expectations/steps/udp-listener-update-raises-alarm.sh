. "$steps/common.sh"

# No module is needed: a listener for datagrams, which an update removes.
configure <<'END'
- "@type": type.googleapis.com/envoy.config.listener.v3.Listener
  name: main
  address: {socket_address: {protocol: UDP, address: 127.0.0.1, port_value: 0}}
  udp_listener_config: {}
  listener_filters:
  - name: proxy
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.filters.udp.udp_proxy.v3.UdpProxyConfig
      stat_prefix: udp
      matcher:
        on_no_match:
          action:
            name: route
            typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.udp.udp_proxy.v3.Route, cluster: none}
END
start
wait_for live
wait_for 'updated 1'
: | configure
wait_for 'updated 2'
wait_for 'grep -q "onListenerDrainStart" envoy.log'
grep -o -m 1 'unexpected call to onListenerDrainStart' envoy.log
