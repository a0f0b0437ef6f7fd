. "$steps/common.sh"

cat > thread_local.c <<'END'
// Does what std::thread::spawn does on the thread that calls it: registers a destructor of something thread-local.
extern int __cxa_thread_atexit_impl(void (*)(void *), void *, void *);
extern void *__dso_handle;
static void destroy(void *object) {}
void *envoy_dynamic_module_on_http_filter_config_new(void) {
  __cxa_thread_atexit_impl(destroy, 0, &__dso_handle);
  return "config";
}
END
. "$steps/module.sh"
cp libprobe.so libwithout.so
grep -v 'FILTER(config_new' module.c > rest.c
echo 'FILTER(config_destroy, 0)' >> rest.c
cc -shared -fPIC -o libwith.so rest.c thread_local.c
loaded() { grep -q "lib$1.so" "/proc/$pid/maps" && echo loaded || echo unloaded; }
{ listener one '{name: with}'; listener two '{name: without}'; } | configure
start
wait_for live
echo "both modules in use: with a destructor $(loaded with), without $(loaded without)"
configure < /dev/null
wait_for 'loaded without | grep -q unloaded'
sleep 1
echo "no listeners: with a destructor $(loaded with), without $(loaded without)"
