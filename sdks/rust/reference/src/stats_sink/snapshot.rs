//! The metrics at a flush.

use crate::abi;
use std::ffi::c_char;
use std::marker::PhantomData;

type EnvoyPtr = abi::envoy_dynamic_module_type_stat_sink_snapshot_envoy_ptr;

/// A counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CounterValue {
    /// What it is.
    pub value: u64,
    /// By how much it has grown since the flush before.
    pub delta: u64,
}

/// The metrics at a flush; exists only while the callback for it runs. Each function is given the place of a metric among those
/// of its kind, fills in the texts that it is given room for, and leaves them where there is no such metric.
pub struct MetricSnapshot<'a> {
    raw: EnvoyPtr,
    owner: PhantomData<&'a ()>,
}

/// Room for a text of Envoy's, as its callbacks want it.
struct Room<'a> {
    text: &'a mut Vec<u8>,
    size: usize,
}

impl<'a> Room<'a> {
    fn in_text(text: &'a mut Vec<u8>) -> Self {
        Self { text, size: 0 }
    }

    fn start(&mut self) -> *mut c_char {
        self.text.as_mut_ptr().cast()
    }

    fn sufficed(&self) -> bool {
        self.size <= self.text.capacity()
    }

    /// Makes room for as much as there is.
    fn grow(&mut self) {
        if !self.sufficed() {
            self.text.clear();
            self.text.reserve(self.size);
        }
    }

    /// # Safety
    /// As many bytes as `size` says were written.
    unsafe fn filled(self) {
        // SAFETY: the caller's promise.
        unsafe { self.text.set_len(self.size) }
    }
}

/// Has a text filled in, with more room if it needs it.
///
/// # Safety
/// `fill` writes as many bytes as it is given room for, and says how many there are, or returns false.
unsafe fn filled(text: &mut Vec<u8>, fill: impl Fn(*mut c_char, usize, &mut usize) -> bool) -> bool {
    // SAFETY: the caller's promise.
    unsafe { filled_both(text, &mut Vec::new(), |start, capacity, size, _, _, _| fill(start, capacity, size)) }
}

/// Has two texts filled in, with more room if they need it.
///
/// # Safety
/// As for [`filled`], for each of the two.
unsafe fn filled_both(
    first: &mut Vec<u8>,
    second: &mut Vec<u8>,
    fill: impl Fn(*mut c_char, usize, &mut usize, *mut c_char, usize, &mut usize) -> bool,
) -> bool {
    let (mut one, mut other) = (Room::in_text(first), Room::in_text(second));
    loop {
        let (first, second) = (one.start(), other.start());
        let (first_capacity, second_capacity) = (one.text.capacity(), other.text.capacity());
        if !fill(first, first_capacity, &mut one.size, second, second_capacity, &mut other.size) {
            return false;
        }
        if one.sufficed() && other.sufficed() {
            // SAFETY: there was room for all, so all was written.
            unsafe {
                one.filled();
                other.filled();
            }
            return true;
        }
        one.grow();
        other.grow();
    }
}

// SAFETY of every call below: `raw` is what Envoy passed to the callback that is running, so it is alive; the room is as large
// as the call says.
impl MetricSnapshot<'_> {
    /// # Safety
    /// `raw` is valid as long as the value lives.
    pub(super) unsafe fn of(raw: EnvoyPtr) -> Self {
        Self { raw, owner: PhantomData }
    }

    /// How many counters there are.
    pub fn counter_count(&self) -> usize {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_stat_sink_snapshot_get_counter_count(self.raw) }
    }

    /// A counter.
    pub fn counter(&self, index: usize, name: &mut Vec<u8>) -> Option<CounterValue> {
        let (value, delta) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
        // SAFETY: see above.
        let found = unsafe {
            filled(name, |start, capacity, size| {
                abi::envoy_dynamic_module_callback_stat_sink_snapshot_get_counter(
                    self.raw,
                    index,
                    start,
                    capacity,
                    size,
                    value.as_ptr(),
                    delta.as_ptr(),
                )
            })
        };
        found.then(|| CounterValue { value: value.get(), delta: delta.get() })
    }

    /// How many gauges there are.
    pub fn gauge_count(&self) -> usize {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_stat_sink_snapshot_get_gauge_count(self.raw) }
    }

    /// A gauge.
    pub fn gauge(&self, index: usize, name: &mut Vec<u8>) -> Option<u64> {
        let value = std::cell::Cell::new(0);
        // SAFETY: see above.
        let found = unsafe {
            filled(name, |start, capacity, size| {
                abi::envoy_dynamic_module_callback_stat_sink_snapshot_get_gauge(
                    self.raw,
                    index,
                    start,
                    capacity,
                    size,
                    value.as_ptr(),
                )
            })
        };
        found.then(|| value.get())
    }

    /// How many text readouts there are.
    pub fn text_readout_count(&self) -> usize {
        // SAFETY: see above.
        unsafe { abi::envoy_dynamic_module_callback_stat_sink_snapshot_get_text_readout_count(self.raw) }
    }

    /// A text readout.
    pub fn text_readout(&self, index: usize, name: &mut Vec<u8>, value: &mut Vec<u8>) -> bool {
        // SAFETY: see above.
        unsafe {
            filled_both(name, value, |name, name_capacity, name_size, value, value_capacity, value_size| {
                abi::envoy_dynamic_module_callback_stat_sink_snapshot_get_text_readout(
                    self.raw,
                    index,
                    name,
                    name_capacity,
                    name_size,
                    value,
                    value_capacity,
                    value_size,
                )
            })
        }
    }
}

// The ABI of 1.39 has no tags.
#[cfg(feature = "sdk-1-40")]
impl MetricSnapshot<'_> {
    /// A counter's name without its tags.
    pub fn counter_tag_extracted_name(&self, index: usize, name: &mut Vec<u8>) -> bool {
        // SAFETY: see above.
        unsafe {
            filled(name, |start, capacity, size| {
                abi::envoy_dynamic_module_callback_stat_sink_snapshot_get_counter_tag_extracted_name(
                    self.raw, index, start, capacity, size,
                )
            })
        }
    }

    /// How many tags a counter has.
    pub fn counter_tag_count(&self, index: usize) -> Option<usize> {
        let mut count = 0;
        // SAFETY: see above.
        let found = unsafe {
            abi::envoy_dynamic_module_callback_stat_sink_snapshot_get_counter_tag_count(self.raw, index, &mut count)
        };
        found.then_some(count)
    }

    /// A tag of a counter.
    pub fn counter_tag(&self, index: usize, tag_index: usize, name: &mut Vec<u8>, value: &mut Vec<u8>) -> bool {
        // SAFETY: see above.
        unsafe {
            filled_both(name, value, |name, name_capacity, name_size, value, value_capacity, value_size| {
                abi::envoy_dynamic_module_callback_stat_sink_snapshot_get_counter_tag(
                    self.raw,
                    index,
                    tag_index,
                    name,
                    name_capacity,
                    name_size,
                    value,
                    value_capacity,
                    value_size,
                )
            })
        }
    }
}
