//! What the probe says of the things that a host has it make at an extension point: that they begin, are used, and end.

use crate::identity::responses;
use crate::library::this_library;
use crate::LANG;
use std::io::Write;

/// A thing with a beginning and an end: a configuration, or what a host makes with one. It says so when it is made and dropped.
pub struct Life {
    point: &'static str,
    what: &'static str,
    config: String,
}

impl Life {
    /// Begins one.
    ///
    /// `point` is the extension point, as the ABI's hooks call it, `what` what it is there, and `config` the configuration that
    /// the host gave.
    pub fn begin(point: &'static str, what: &'static str, config: &[u8]) -> Self {
        Self::new(point, what, config.escape_ascii().to_string())
    }

    /// Begins a thing that is made with the configuration that this is the life of.
    pub fn part(&self, what: &'static str) -> Self {
        Self::new(self.point, what, self.config.clone())
    }

    fn new(point: &'static str, what: &'static str, config: String) -> Self {
        let life = Self { point, what, config };
        life.tell("begins", "");
        life
    }

    /// The configuration, as printable text.
    pub fn config(&self) -> &str {
        &self.config
    }

    /// Says that it does its work.
    pub fn used(&self) {
        let module = this_library().unwrap_or_else(|| "none".to_owned());
        self.tell("used", &format!(" module={module} responses={}", responses()));
    }

    /// Writes a line, in one write.
    fn tell(&self, event: &str, more: &str) {
        let Self { point, what, config } = self;
        let line = format!("dmconform life {point} {what} {LANG} [{config}] {event} on={}{more}\n", thread());
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.tell("ends", "");
    }
}

/// Which of the host's threads this is: `main`, or else `worker`.
fn thread() -> &'static str {
    extern "C" {
        fn getpid() -> i32;
        fn gettid() -> i32;
    }
    // SAFETY: both take nothing and cannot fail.
    if unsafe { getpid() == gettid() } {
        "main"
    } else {
        "worker"
    }
}
