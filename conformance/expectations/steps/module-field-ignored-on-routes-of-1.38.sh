. "$steps/common.sh"
. "$steps/module.sh"

mkdir named
cp libprobe.so "named/on the route.so"
listener main '{name: probe}' 'typed_per_filter_config: {module: {
  "@type": type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilterPerRoute,
  filter_name: probe,
  dynamic_module_config: {name: probe, module: {local: {filename: "./named/on the route.so"}}}}}' | configure
start
wait_for live
echo "the files that are loaded:"
awk '/\.so$/ && /probe|route/' "/proc/$pid/maps" | sed "s#.*$PWD/##" | sort -u
