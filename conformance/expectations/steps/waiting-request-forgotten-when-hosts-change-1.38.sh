. "$steps/common.sh"

. "$steps/clusters.sh"
cat > module.c <<'END'
// A cluster that adds a host when a request asks, and chooses it a little later.
#include "cluster.h"
#include <pthread.h>
static void *scheduler, *lb_envoy, *waiting, *host;
static void *choose(void *unused) {
  usleep(200000); // until the worker thread knows of the host
  fprintf(stderr, "the host is chosen\n");
  CALLBACK(cluster_lb_async_host_selection_complete)(lb_envoy, waiting, host, (buffer){"", 0});
  return 0;
}
const void *HOOK(cluster_new)(const void *config, void *envoy) { return "cluster"; }
void HOOK(cluster_init)(void *envoy, const void *cluster) {
  scheduler = CALLBACK(cluster_scheduler_new)(envoy);
  CALLBACK(cluster_pre_init_complete)(envoy);
}
void HOOK(cluster_scheduled)(void *envoy, const void *cluster, uint64_t event) {
  pthread_t thread;
  host = add(envoy);
  pthread_create(&thread, 0, choose, 0);
  pthread_detach(thread);
}
const void *HOOK(cluster_lb_new)(const void *cluster, void *envoy) { return envoy; }
void HOOK(cluster_lb_choose_host)(const void *lb, void *context, void **chosen, void **handle) {
  *chosen = host;
  *handle = host ? 0 : "handle";
  if (host) return;
  lb_envoy = (void *)lb;
  waiting = context;
  CALLBACK(cluster_scheduler_commit)(scheduler, 1);
}
void HOOK(cluster_lb_cancel_host_selection)(const void *lb, void *handle) {}
END
cc -shared -fPIC -pthread -o libprobe.so module.c
module_cluster probe
start
wait_for live
echo "the request that waits for the host: status $(ask) (000: none within 3 seconds, the route's time-out being 1 second)"
grep -o -m 1 'the host is chosen' envoy.log
echo "the next one: status $(ask) (503: nothing listens there)"
