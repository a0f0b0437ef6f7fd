//go:build !sdk_1_37

package abi

/*
#include "abi.h"
*/
import "C"

import "runtime"

// reset ends the stream at once.
func (f *filter) reset() {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	C.envoy_dynamic_module_callback_http_filter_reset_stream(
		f.stream, C.envoy_dynamic_module_type_http_filter_stream_reset_reason_LocalReset,
		ofText(panicDetail, &pinner),
	)
}
