. "$steps/common.sh"

. "$steps/clusters.sh"
cat > module.c <<'END'
// A cluster with a host, and without what chooses: cluster_lb_new returns null, as the Rust SDK does after a panic.
#include "cluster.h"
const void *HOOK(cluster_new)(const void *config, void *envoy) { return "cluster"; }
void HOOK(cluster_init)(void *envoy, const void *cluster) { add(envoy); CALLBACK(cluster_pre_init_complete)(envoy); }
const void *HOOK(cluster_lb_new)(const void *cluster, void *envoy) { return 0; }
void HOOK(cluster_lb_choose_host)(const void *lb, void *context, void **host, void **handle) { *host = *handle = 0; }
void HOOK(cluster_lb_on_host_membership_update)(void *envoy, const void *lb, size_t added, size_t removed) {
  if (!lb) fprintf(stderr, "a hook is called for what was not made\n");
  fprintf(stderr, "%c\n", *(const char *)lb);
}
END
cc -shared -fPIC -o libprobe.so module.c
module_cluster probe
start
wait "$pid"
echo "Envoy ended with exit status $?"
pid=
grep -o -m 1 'a hook is called for what was not made' envoy.log
