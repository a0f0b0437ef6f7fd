//! What panics at an extension point whose configuration is all that there is of it.

use crate::plan::Plan;

/// A configuration of the name `panic`, which panics as it goes if that is the plan.
pub struct Panics(Plan);

impl Panics {
    /// Reads the hook to panic in; `hooks` are those of the point. `None` if it is none of them: there is no guard at these points.
    pub fn parse(config: &[u8], hooks: &[&'static str]) -> Option<Self> {
        Some(Self(Plan::parse_unguarded(config, hooks)?))
    }

    /// Panics if this is the hook, and it is asked for.
    pub fn panic_in(&self, hook: &str, asked: bool) {
        if asked {
            self.0.panic_in(hook);
        }
    }

    /// Whether this is the hook.
    #[cfg(all(feature = "reference", feature = "sdk-1-40"))]
    pub fn is(&self, hook: &str) -> bool {
        self.0.is(hook)
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
