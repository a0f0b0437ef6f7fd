//! The validators of discovered configuration `clusters`, `panic` and `refuse`.

use crate::life::Life;
use crate::plan::Plan;
use crate::LANG;
use envoy_proxy_dynamic_modules_rust_sdk::config_validator::{
    ConfigValidator, DiscoveredResource, EnvoyConfigValidator,
};
use envoy_proxy_dynamic_modules_rust_sdk::EnvoyBuffer;

const POINT: &str = "config_validator";
/// What the names begin with of clusters that are refused.
const REFUSED: &[u8] = b"refused";

pub fn new_config(name: &str, config: &[u8]) -> Option<Box<dyn ConfigValidator>> {
    match name {
        "clusters" => Some(Box::new(Clusters(Life::begin(POINT, "configuration", config)))),
        "panic" => Some(Box::new(Panics(Plan::parse_unguarded(config, &["none", "validate", "destroy"])?))),
        _ => None,
    }
}

/// Refuses clusters by their names.
struct Clusters(Life);

impl Clusters {
    /// Refuses an update that has such a cluster, and says what it has seen of the update.
    fn judge(
        &self,
        envoy: &EnvoyConfigValidator,
        kind: &str,
        type_url: &str,
        resources: &[DiscoveredResource<'_>],
        removed: &[EnvoyBuffer<'_>],
    ) -> Result<(), String> {
        self.0.used();
        if !resources.iter().any(|resource| resource.name.as_slice().starts_with(REFUSED)) {
            return Ok(());
        }
        let message = type_url.rsplit('/').next().unwrap_or_default();
        let seen: Vec<_> = resources.iter().map(shown).collect();
        let removed: Vec<_> = removed.iter().map(|name| name.as_slice().escape_ascii().to_string()).collect();
        Err(format!(
            "{LANG} [{}] refuses {message} by {kind}: {}; removed: {}; dynamic clusters: {}",
            self.0.config(),
            seen.join(", "),
            removed.join(", "),
            envoy.get_dynamic_cluster_count()
        ))
    }
}

/// A resource's name, version, and whether it is there and has a limited time.
fn shown(resource: &DiscoveredResource<'_>) -> String {
    let text = |buffer: &EnvoyBuffer<'_>| buffer.as_slice().escape_ascii().to_string();
    let bytes = resource.resource.as_ref().map_or(0, |bytes| bytes.as_slice().len());
    let time = resource.ttl.map_or_else(|| "always".to_owned(), |ttl| format!("{} ms", ttl.as_millis()));
    format!(
        "{} {} {bytes} bytes {time} {} aliases",
        text(&resource.name),
        text(&resource.version),
        resource.aliases.len()
    )
}

impl ConfigValidator for Clusters {
    fn validate(
        &self,
        envoy: &EnvoyConfigValidator,
        type_url: &str,
        resources: &[DiscoveredResource<'_>],
    ) -> Result<(), String> {
        self.judge(envoy, "state", type_url, resources, &[])
    }

    fn validate_delta(
        &self,
        envoy: &EnvoyConfigValidator,
        type_url: &str,
        added: &[DiscoveredResource<'_>],
        removed: &[EnvoyBuffer<'_>],
    ) -> Result<(), String> {
        self.judge(envoy, "delta", type_url, added, removed)
    }
}

/// Takes every update, or panics.
struct Panics(Plan);

impl ConfigValidator for Panics {
    fn validate(
        &self,
        _envoy: &EnvoyConfigValidator,
        _type_url: &str,
        _resources: &[DiscoveredResource<'_>],
    ) -> Result<(), String> {
        self.0.panic_in("validate");
        Ok(())
    }

    fn validate_delta(
        &self,
        _envoy: &EnvoyConfigValidator,
        _type_url: &str,
        _added: &[DiscoveredResource<'_>],
        _removed: &[EnvoyBuffer<'_>],
    ) -> Result<(), String> {
        self.0.panic_in("validate");
        Ok(())
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        // A panic on top of another would end the process, whoever guards.
        if !std::thread::panicking() {
            self.0.panic_in("destroy");
        }
    }
}
