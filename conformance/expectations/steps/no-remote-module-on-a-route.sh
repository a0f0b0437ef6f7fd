. "$steps/common.sh"
. "$steps/module.sh"

listener main '{name: probe}' "typed_per_filter_config: {module: {
  \"@type\": type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilterPerRoute,
  filter_name: probe,
  dynamic_module_config: {module: {remote: {
    http_uri: {uri: 'http://example.com/probe.so', cluster: none, timeout: 1s},
    sha256: $(sha256sum libprobe.so | cut -d ' ' -f 1)}}}}}" | configure
start
wait_for 'admin "stats?filter=lds.update_rejected" | grep -q ": 1$"'
grep -o -m 1 'Error adding/updating listener.*' envoy.log
