//! The configuration of the `panic` filters of all kinds: where they panic.

/// Where a filter panics, and whether it is wrapped in the SDK's guard.
#[derive(Clone, Copy)]
pub struct Plan {
    callback: &'static str,
    pub guarded: bool,
}

impl Plan {
    /// Reads `CALLBACK` or `CALLBACK guarded`; `callbacks` are those of the kind of filter. `None` if it is neither.
    ///
    /// Panics for `configuration`. A guard is around a filter, so the configuration and the making of filters have none; and
    /// 1.37 has no guard at all.
    pub fn parse(config: &str, callbacks: &[&'static str]) -> Option<Self> {
        let (wanted, guarded) = match config.strip_suffix(" guarded") {
            Some(wanted) => (wanted, true),
            None => (config, false),
        };
        let callback = *["configuration", "creation"].iter().chain(callbacks).find(|known| **known == wanted)?;
        if guarded && (cfg!(feature = "sdk-1-37") || ["configuration", "creation"].contains(&callback)) {
            return None;
        }
        let plan = Self { callback, guarded };
        plan.panic_in("configuration");
        Some(plan)
    }

    /// The same of what no SDK has a guard for.
    pub fn parse_unguarded(config: &[u8], callbacks: &[&'static str]) -> Option<Self> {
        Self::parse(std::str::from_utf8(config).ok()?, callbacks).filter(|plan| !plan.guarded)
    }

    /// Whether this is the callback.
    pub fn is(self, callback: &str) -> bool {
        self.callback == callback
    }

    /// Panics if this is the callback.
    pub fn panic_in(self, callback: &str) {
        if self.is(callback) {
            panic!("dmconform panic in {callback}");
        }
    }
}

/// Whether bytes of a connection ask for a panic.
pub fn asks(bytes: &[u8]) -> bool {
    const WORDS: &[u8] = b"dmconform panic";
    bytes.windows(WORDS.len()).any(|some| some == WORDS)
}
