//! `statistics`: a bootstrap extension that looks at all counters.

use envoy_proxy_dynamic_modules_rust_sdk::{
    envoy_log_info, BootstrapExtension, BootstrapExtensionConfig, EnvoyBootstrapExtension,
    EnvoyBootstrapExtensionConfig,
};

pub fn new_config(
    envoy: &mut dyn EnvoyBootstrapExtensionConfig,
    config: &[u8],
) -> Option<Box<dyn BootstrapExtensionConfig>> {
    let panics = match config {
        b"count" => false,
        b"panic" => true,
        _ => return None,
    };
    envoy.signal_init_complete();
    Some(Box::new(Statistics { panics }))
}

#[derive(Clone, Copy)]
struct Statistics {
    panics: bool,
}

impl BootstrapExtensionConfig for Statistics {
    fn new_bootstrap_extension(&self, _envoy: &mut dyn EnvoyBootstrapExtension) -> Box<dyn BootstrapExtension> {
        Box::new(*self)
    }
}

impl BootstrapExtension for Statistics {
    fn on_server_initialized(&mut self, envoy: &mut dyn EnvoyBootstrapExtension) {
        let mut seen = 0;
        envoy.iterate_counters(&mut |_name, _value| {
            seen += 1;
            assert!(!(self.panics && seen == 2), "dmconform panic in iteration");
            true
        });
        envoy_log_info!("dmconform: {} counters seen", seen);
    }
}
