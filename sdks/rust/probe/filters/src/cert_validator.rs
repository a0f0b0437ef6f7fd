//! The certificate validators `revokes`, `panic` and `refuse`.

use crate::life::Life;
use crate::plan::{asks, Plan};
use crate::LANG;
use envoy_proxy_dynamic_modules_rust_sdk::{
    CertValidatorConfig, ClientValidationStatus, EnvoyCertValidator, ValidationResult,
};
use std::io::Write;

const CALLBACKS: [&str; 5] = ["none", "verify_mode", "digest", "verify", "destroy"];

/// A certificate must be shown: `SSL_VERIFY_PEER` and `SSL_VERIFY_FAIL_IF_NO_PEER_CERT`.
const VERIFY_MODE: i32 = 3;

/// The alert `certificate_revoked`: Envoy would choose another one.
const ALERT: u8 = 44;

const STATE: &[u8] = b"dmconform.validated";

pub fn new_config(name: &str, config: &[u8]) -> Option<Box<dyn CertValidatorConfig>> {
    let life = || Life::begin("cert_validator", "configuration", config);
    match name {
        "revokes" => Some(Box::new(Revokes { text: config.to_vec(), life: life() })),
        "panic" => Some(Box::new(Panics { plan: plan(config)?, life: life() })),
        _ => None,
    }
}

/// Validators have no guard: one is refused.
fn plan(config: &[u8]) -> Option<Plan> {
    Plan::parse(std::str::from_utf8(config).ok()?, &CALLBACKS).filter(|plan| !plan.guarded)
}

/// Turns down a certificate in which this text stands; no text stands in none.
struct Revokes {
    text: Vec<u8>,
    life: Life,
}

impl CertValidatorConfig for Revokes {
    fn do_verify_cert_chain(
        &self,
        envoy: &EnvoyCertValidator,
        certs: &[&[u8]],
        host_name: &str,
        is_server: bool,
    ) -> ValidationResult {
        self.life.used();
        let taken = certs.first().is_some_and(|first| !holds(first, &self.text));
        let before = envoy.get_filter_state(STATE).is_some();
        let set = envoy.set_filter_state(STATE, &self.text);
        let sizes: Vec<_> = certs.iter().map(|one| one.len().to_string()).collect();
        let sums: Vec<_> = certs.iter().map(|one| adler(one).to_string()).collect();
        let line = format!(
            "dmconform validates {LANG} [{}] sizes={} sums={} host={} server={is_server} before={before} set={set} \
             state={} taken={taken}\n",
            self.life.config(),
            sizes.join(","),
            sums.join(","),
            shown(host_name.as_bytes()),
            envoy.get_filter_state(STATE).map_or_else(|| "-".to_owned(), |state| shown(state.as_slice())),
        );
        let _ = std::io::stderr().write_all(line.as_bytes());
        if taken {
            ValidationResult::successful()
        } else {
            let why = format!("dmconform: revoked by [{}]", self.life.config());
            ValidationResult::failed(ClientValidationStatus::Failed, Some(ALERT), Some(why))
        }
    }

    fn get_ssl_verify_mode(&self, _handshaker_provides_certificates: bool) -> i32 {
        VERIFY_MODE
    }

    fn update_digest(&self) -> &[u8] {
        &self.text
    }
}

/// Takes everyone.
struct Panics {
    plan: Plan,
    life: Life,
}

impl CertValidatorConfig for Panics {
    fn do_verify_cert_chain(
        &self,
        _envoy: &EnvoyCertValidator,
        certs: &[&[u8]],
        _host_name: &str,
        _is_server: bool,
    ) -> ValidationResult {
        self.life.used();
        if certs.iter().any(|one| asks(one)) {
            self.plan.panic_in("verify");
        }
        ValidationResult::successful()
    }

    fn get_ssl_verify_mode(&self, _handshaker_provides_certificates: bool) -> i32 {
        self.plan.panic_in("verify_mode");
        VERIFY_MODE
    }

    fn update_digest(&self) -> &[u8] {
        self.plan.panic_in("digest");
        b"panic"
    }
}

impl Drop for Panics {
    fn drop(&mut self) {
        // A panic on top of another would end the process, whoever guards.
        if !std::thread::panicking() {
            self.plan.panic_in("destroy");
        }
    }
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    !text.is_empty() && bytes.windows(text.len()).any(|some| some == text)
}

/// A value of a line, without spaces; `-` where there is none.
fn shown(value: &[u8]) -> String {
    match value {
        [] => "-".to_owned(),
        some => some.escape_ascii().to_string().replace(' ', "\\x20"),
    }
}

/// The sum Adler-32.
fn adler(bytes: &[u8]) -> u32 {
    const MODULUS: u32 = 65521;
    let (mut low, mut high) = (1, 0);
    for byte in bytes {
        low = (low + u32::from(*byte)) % MODULUS;
        high = (high + low) % MODULUS;
    }
    (high << 16) | low
}
