. "$steps/common.sh"

cat > module.c <<'END'
// A formatter that refuses its configuration: config_new returns null.
#define HOOK(name, value) void *envoy_dynamic_module_on_##name(void) { return value; }
HOOK(program_init, "v0.1.0")
HOOK(formatter_config_new, 0) HOOK(formatter_config_destroy, 0)
HOOK(formatter_parse, 0) HOOK(formatter_provider_destroy, 0) HOOK(formatter_format, 0)
END
cc -shared -fPIC -o libprobe.so module.c
configure <<'END'
- "@type": type.googleapis.com/envoy.config.listener.v3.Listener
  name: main
  address: {pipe: {path: ./main.sock}}
  access_log:
  - name: file
    typed_config:
      "@type": type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
      path: ./access.log
      log_format:
        text_format_source: {inline_string: "%PROBE%"}
        formatters:
        - name: module
          typed_config:
            "@type": type.googleapis.com/envoy.extensions.formatter.dynamic_modules.v3.DynamicModuleFormatter
            formatter_name: probe
            dynamic_module_config: {name: probe}
  filter_chains:
  - filters:
    - name: tcp
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
        stat_prefix: tcp
        cluster: none
END
start
wait_for 'admin "stats?filter=lds.update_rejected" | grep -q ": 1$"'
grep -o -m 1 'Failed to initialize dynamic module formatter config' envoy.log
echo "counters of dynamic modules: $(admin 'stats?filter=^dynamic_modules' | grep -c .)"
