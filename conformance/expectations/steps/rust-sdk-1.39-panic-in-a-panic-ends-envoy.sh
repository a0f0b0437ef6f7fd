. "$steps/common.sh"

. "$steps/rust.sh"
cat > src/lib.rs <<'END'
// A filter that panics when it sees a request, with a value that panics when it is dropped.
use envoy_proxy_dynamic_modules_rust_sdk::*;
declare_init_functions!(init, config);
fn init() -> bool { true }
fn config<EC: EnvoyHttpFilterConfig, EHF: EnvoyHttpFilter>(_: &mut EC, _: &str, _: &[u8]) -> Option<Box<dyn HttpFilterConfig<EHF>>> {
    Some(Box::new(Config))
}
struct Config;
impl<EHF: EnvoyHttpFilter> HttpFilterConfig<EHF> for Config {
    fn new_http_filter(&self, _: &mut EHF) -> Box<dyn HttpFilter<EHF>> { Box::new(Filter) }
}
struct Filter;
impl<EHF: EnvoyHttpFilter> HttpFilter<EHF> for Filter {
    fn on_request_headers(&mut self, _: &mut EHF, _: bool) -> abi::envoy_dynamic_module_type_on_http_filter_request_headers_status {
        std::panic::panic_any(PanicsToo)
    }
}
struct PanicsToo;
impl Drop for PanicsToo {
    fn drop(&mut self) { panic!("on purpose") }
}
END
cargo build --quiet --release || exit 2
cp target/release/libprobe.so .

listener main '{name: probe}' | configure
start
wait_for live
curl -s --max-time 5 --unix-socket main.sock http://envoy/
wait "$pid"
echo "a request: Envoy ended with exit status $?"
pid=
grep -o -m 1 'on purpose' envoy.log
