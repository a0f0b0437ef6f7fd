. "$steps/common.sh"

. "$steps/rust.sh"
cat > src/lib.rs <<'END'
// A filter that panics when it sees a request, without CatchUnwind.
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
        panic!("on purpose")
    }
}
END
cargo build --quiet --release || exit 2
cp target/release/libprobe.so .

listener main '{name: probe}' | configure
start
wait_for live
ask() { curl -s -o answer -w '%{http_code}' --max-time 5 --unix-socket main.sock "$@" http://envoy/; }
echo "a request with a body: status $(ask -d body)"
echo "a request without a body: status $(ask) (000: none within 5 seconds)"
grep -o -m 1 'on purpose' envoy.log
