// A bootstrap extension that says on which thread the hook for workers is called.
#include <stdio.h>
#include <unistd.h>

#include "abi.h"

#if DMCONFORM_SDK_MINOR >= 137
void envoy_dynamic_module_on_bootstrap_extension_worker_thread_initialized(
    envoy_dynamic_module_type_bootstrap_extension_envoy_ptr bootstrap,
    envoy_dynamic_module_type_bootstrap_extension_module_ptr module) {
  if (gettid() == getpid()) fprintf(stderr, "dmconform: wrong: a worker that is initialized on the main thread\n");
}
#endif
