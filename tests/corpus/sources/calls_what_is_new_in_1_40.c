// Sets metadata at each request, with a callback that came with 1.40.
#include "module.h"

ON_REQUEST {
  envoy_dynamic_module_type_module_buffer space = {"corpus", 6}, nothing = {"", 0};
  envoy_dynamic_module_callback_http_set_dynamic_metadata_struct(filter, space, nothing);
  return CONTINUE;
}
