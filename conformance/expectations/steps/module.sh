cat > module.c <<'END'
// An HTTP filter that does nothing. It has no parameters, as it looks at none.
#ifndef ABI
#define ABI "v0.1.0"
#endif
#define HOOK(name, value) void *envoy_dynamic_module_on_##name(void) { return value; }
#define FILTER(name, value) HOOK(http_filter_##name, value)
HOOK(program_init, ABI)
FILTER(config_new, "config") FILTER(config_destroy, 0)
FILTER(per_route_config_new, "route") FILTER(per_route_config_destroy, 0)
FILTER(new, "filter") FILTER(destroy, 0) FILTER(stream_complete, 0)
FILTER(request_headers, 0) FILTER(request_body, 0) FILTER(request_trailers, 0)
FILTER(response_headers, 0) FILTER(response_body, 0) FILTER(response_trailers, 0)
FILTER(http_callout_done, 0) FILTER(scheduled, 0)
FILTER(http_stream_headers, 0) FILTER(http_stream_data, 0) FILTER(http_stream_trailers, 0)
FILTER(http_stream_complete, 0) FILTER(http_stream_reset, 0)
FILTER(downstream_above_write_buffer_high_watermark, 0) FILTER(downstream_below_write_buffer_low_watermark, 0)
END
cc -shared -fPIC -o libprobe.so module.c
