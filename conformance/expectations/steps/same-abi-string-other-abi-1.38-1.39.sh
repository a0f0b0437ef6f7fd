# Usage: sh steps.sh /path/to/envoy
# It asks which callbacks of transport sockets of 1.38 a host still exports; `nm` is in binutils.
for name in get_io_handle io_handle_fd io_handle_read io_handle_write read_buffer_drain read_buffer_length; do
  symbol=envoy_dynamic_module_callback_transport_socket_$name
  if nm -D --defined-only "$1" | grep -q " $symbol\$"; then
    echo "exported:     $symbol"
  else
    echo "not exported: $symbol"
  fi
done
