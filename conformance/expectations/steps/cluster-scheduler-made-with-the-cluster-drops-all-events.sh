. "$steps/common.sh"

. "$steps/clusters.sh"
cat > module.c <<'END'
// A cluster without hosts that schedules an event for each request, by a scheduler that it makes as it is made, or later.
#include "cluster.h"
static void *scheduler;
const void *HOOK(cluster_new)(const void *config, void *envoy) {
  if (!LATER) scheduler = CALLBACK(cluster_scheduler_new)(envoy);
  return "cluster";
}
void HOOK(cluster_init)(void *envoy, const void *cluster) {
  if (LATER) scheduler = CALLBACK(cluster_scheduler_new)(envoy);
  CALLBACK(cluster_pre_init_complete)(envoy);
}
void HOOK(cluster_scheduled)(void *envoy, const void *cluster, uint64_t event) { fprintf(stderr, "an event, later=%d\n", LATER); }
const void *HOOK(cluster_lb_new)(const void *cluster, void *envoy) { return "lb"; }
void HOOK(cluster_lb_choose_host)(const void *lb, void *context, void **host, void **handle) {
  *host = *handle = 0;
  CALLBACK(cluster_scheduler_commit)(scheduler, 1);
}
END
cc -shared -fPIC -DLATER=0 -o libnow.so module.c
cc -shared -fPIC -DLATER=1 -o liblater.so module.c
module_cluster now
start
wait_for live
ask > /dev/null
module_cluster later
wait_for 'admin "stats?filter=cds.update_success" | grep -q ": 2$"'
ask > /dev/null
wait_for 'grep -q later=1 envoy.log'
echo "events of a scheduler made with the cluster: $(grep -c later=0 envoy.log)"
echo "events of a scheduler made in cluster_init: $(grep -c later=1 envoy.log)"
