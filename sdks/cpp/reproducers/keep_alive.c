// An HTTP filter that has the kernel keep connections alive (SO_KEEPALIVE): that of the client at once, and the one to the upstream
// server before it is opened.
#include "callbacks.h"

#if DMCONFORM_SDK_MINOR >= 138
enum { LEVEL = 1, KEEP_ALIVE = 9 };  // SOL_SOCKET, SO_KEEPALIVE

TYPE(on_http_filter_request_headers_status) ON(http_filter_request_headers)(TYPE(http_filter_envoy_ptr) e,
    TYPE(http_filter_module_ptr) filter, bool end) {
  static const TYPE(socket_option_state) before = TYPE(socket_option_state_Prebind);
  bool up = CALL(http_set_socket_option_int)(e, LEVEL, KEEP_ALIVE, before, TYPE(socket_direction_Upstream), 1);
  bool down = CALL(http_set_socket_option_int)(e, LEVEL, KEEP_ALIVE, before, TYPE(socket_direction_Downstream), 1);
  say("set", "%d %d", up, down);
  return TYPE(on_http_filter_request_headers_status_Continue);
}
#endif
