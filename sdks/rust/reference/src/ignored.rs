//! What no filter of this SDK hears of.

/// Defines hooks that Envoy wants to find, of events that this SDK never causes or does not hand on.
macro_rules! ignored_hooks {
    ($($hook:ident($($type:ty),*);)*) => {
        $(
            /// Does nothing.
            #[no_mangle]
            pub extern "C" fn $hook($(_: $type),*) {}
        )*
    };
}
