# Usage: sh steps.sh /path/to/envoy
# All files are in a new folder; the sockets are files in it, so that no port is needed.
set -u
envoy=$(realpath "$1")
cd "$(mktemp -d)" || exit 2
export ENVOY_DYNAMIC_MODULES_SEARCH_PATH="$PWD"
pid=
trap '[ -z "$pid" ] || kill -9 "$pid" 2>/dev/null' EXIT

cat > envoy.yaml <<'END'
node: {id: id, cluster: cluster}
admin: {address: {pipe: {path: ./admin.sock}}}
dynamic_resources:
  lds_config: {resource_api_version: V3, path_config_source: {path: ./listeners.yaml}}
END

# listener NAME MODULE: a listener whose one HTTP filter comes from a module, configured as MODULE says.
listener() {
  cat <<END
- "@type": type.googleapis.com/envoy.config.listener.v3.Listener
  name: $1
  address: {pipe: {path: ./$1.sock}}
  filter_chains:
  - filters:
    - name: http
      typed_config:
        "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
        stat_prefix: $1
        route_config:
          virtual_hosts: [{name: all, domains: ["*"], routes: [{match: {prefix: /}, direct_response: {status: 200}, ${3-}}]}]
        http_filters:
        - name: module
          typed_config:
            "@type": type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter
            filter_name: probe
            dynamic_module_config: $2
        - name: router
          typed_config: {"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}
END
}

# Makes standard input the listeners: at start, or as an update.
configure() {
  { echo 'resources:'; cat; } > new.yaml
  mv new.yaml listeners.yaml
}

start() {
  "$envoy" -c envoy.yaml --concurrency 1 --disable-hot-restart --drain-time-s 1 > envoy.log 2>&1 &
  pid=$!
}

admin() { curl -s --max-time 5 --unix-socket admin.sock "http://envoy/$1"; }

# wait_for COMMAND: until it succeeds; after 10 seconds, this ends.
wait_for() {
  for _ in $(seq 100); do
    if eval "$1"; then return 0; fi
    sleep 0.1
  done
  echo "not within 10 seconds: $1"
  exit 1
}

live() { [ "$(admin ready)" = LIVE ]; }
updated() { admin 'stats?filter=lds.update_success' | grep -q ": $1\$"; }
