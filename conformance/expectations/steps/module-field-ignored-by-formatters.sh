. "$steps/common.sh"

cat > module.c <<'END'
// A formatter that knows every command, and writes nothing.
#define HOOK(name, value) void *envoy_dynamic_module_on_##name(void) { return value; }
HOOK(program_init, "v0.1.0")
HOOK(formatter_config_new, "config") HOOK(formatter_config_destroy, 0)
HOOK(formatter_parse, "command") HOOK(formatter_provider_destroy, 0) HOOK(formatter_format, 0)
END
cc -shared -fPIC -o libprobe.so module.c
mkdir named
cp libprobe.so "named/any name.so"
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
            dynamic_module_config: {name: probe, module: {local: {filename: "./named/any name.so"}}}
  filter_chains:
  - filters:
    - name: tcp
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy
        stat_prefix: tcp
        cluster: none
END
start
wait_for live
wait_for 'updated 1'
echo "the files that are loaded:"
awk '/\.so$/ && /probe|name/' "/proc/$pid/maps" | sed "s#.*$PWD/##" | sort -u
